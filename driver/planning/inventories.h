#pragma once

#include <string>

#include "driver/engine/server.h"
#include "driver/model/inventory.h"
#include "driver/model/sides.h"
#include "driver/options/request.h"
#include "driver/planning/pairing.h"

namespace parity::driver {

/// What both sides have, and which of it is compared with which.
struct Inventories {
    Both<Inventory> sides;
    Pairing pairing;
    Both<std::string> relations_mark{};  ///< CatalogReader::relations_mark(), of a run that is kept
};

/// Reads what both sides have of what is selected, each in one transaction. Only relations that will be compared are
/// described (columns, key, sizes).
/// Throws: Error{kUsage} where both connections lead to the same database (see check_servers), or an option cannot be
/// understood; what the servers' CatalogReader throws.
Inventories read_inventories(const Request& request, const Both<Server*>& servers);

/// Only lists what both sides have of what is selected: nothing is described, and there are no sequences.
/// Throws: as read_inventories().
Inventories list_inventories(const Request& request, const Both<Server*>& servers);

}  // namespace parity::driver
