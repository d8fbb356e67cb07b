#pragma once

#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// Reads what both sides have of what `options` select, each in one transaction. Only relations that will be compared
/// are described (columns, key, sizes).
///
/// Errors: kUsage where pg_parity is not installed or speaks another format, where both connections lead to the same
/// database (see check_servers) or an option cannot be understood; kConnection and kServer as Connection.
Both<Inventory> read_inventories(const Options& options);

}  // namespace parity::driver
