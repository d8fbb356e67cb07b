#pragma once

#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// Adds what is to be done about large objects to a plan: an entry of its tables, or why they are not compared. Where
/// neither side has any, nothing. A mismatch of contents tells two columns: where they begin to differ, and how long
/// each side's are.
void plan_large_objects(Plan& plan, const Options& options, const Both<Inventory>& inventories);

}  // namespace parity::driver
