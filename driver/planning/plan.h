#pragma once

#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/options/request.h"
#include "driver/planning/pairing.h"

namespace parity::driver {

/// Refuses what cannot give a meaningful comparison. A physical standby has its primary's system identifier but another
/// start time.
/// Throws: Error{kUsage} where the sides have different digest formats, or (unless allowed) are the same database of
/// the same server.
void check_servers(const Options& options, const Both<ServerInfo>& servers);

/// Decides what is compared with what, and how. Pure: the same input gives the same plan.
/// Requires: `pairing` is that of the inventories.
/// Throws: Error{kUsage} where no table matches a pattern, or none at all, and for a --map, --map-column, --key,
/// --columns or --exclude-columns that names what no chosen table has.
Plan make_plan(const Request& request, const Both<Inventory>& inventories, const Pairing& pairing);

}  // namespace parity::driver
