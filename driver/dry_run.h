#pragma once

#include <string>

#include "driver/model.h"

namespace parity::driver {

/// The plan for --dry-run in the format that `options` ask for, with a newline at its end.
std::string dry_run_report(const Options& options, const Both<Inventory>& inventories, const Plan& plan);

}  // namespace parity::driver
