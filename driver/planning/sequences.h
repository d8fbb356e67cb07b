#pragma once

#include "driver/model/inventory.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// Which sides are standbys of one primary, or perhaps are: physical copies of one cluster of which one at least is in
/// recovery. A standby of a fork, a copy that was promoted, follows a later timeline than the primary writes: it is
/// none of that primary. One that follows an earlier timeline may be on its way to the primary's, or belong to another
/// one. Where a role may not read the system identifier, that these are copies cannot be told.
SequenceRules standby_rules(const Both<ServerInfo>& servers);

}  // namespace parity::driver
