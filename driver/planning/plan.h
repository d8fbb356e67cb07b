#pragma once

#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/options/request.h"
#include "driver/planning/pairing.h"

namespace parity::driver {

/// Refuses what cannot give a meaningful comparison: sides of different digest formats, or (unless allowed) the same
/// database of the same server twice. A physical standby has its primary's system identifier but another start time.
void check_servers(const Options& options, const Both<ServerInfo>& servers);

/// Decides what is compared with what, and how. `pairing` is that of the inventories. Pure: the same input gives
/// the same plan.
///
/// Errors (kUsage): no table matches a pattern, or none at all; a --map, --map-column, --key, --columns or
/// --exclude-columns that names what no chosen table has.
Plan make_plan(const Request& request, const Both<Inventory>& inventories, const Pairing& pairing);

}  // namespace parity::driver
