#pragma once

#include <memory>

#include "driver/report/document.h"
#include "driver/state/run_store.h"

namespace parity::driver {

/// The report of a run from what is kept of it, while it goes on or after it ended, however it ended. A unit that is
/// not done counts as not compared.
/// Requires: nobody changes `store`, or those who do keep each unit at once.
/// Throws: Error{kUsage} where the state holds no run or cannot be read.
std::unique_ptr<ReportDocument> read_state_report(RunStore& store);

}  // namespace parity::driver
