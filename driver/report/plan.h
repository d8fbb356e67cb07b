#pragma once

#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/report/output.h"

namespace parity::driver {

/// Writes the plan for --dry-run in the format that `options` ask for.
void write_dry_run(const Options& options, const Both<Inventory>& inventories, const Plan& plan, Output& output);

}  // namespace parity::driver
