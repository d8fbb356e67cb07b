#pragma once

#include "driver/engine/server.h"
#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// Reads what both sides have of what `options` select, each in one transaction. Only relations that will be compared
/// are described (columns, key, sizes).
///
/// Errors: kUsage where both connections lead to the same database (see check_servers), or an option cannot be
/// understood; those of the servers' CatalogReader.
Both<Inventory> read_inventories(const Options& options, const Both<Server*>& servers);

}  // namespace parity::driver
