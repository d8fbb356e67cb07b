#pragma once

#include <vector>

#include "driver/model/exit_codes.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"

namespace parity::driver {

/// The whole run's answer: what its parts add up to.
struct RunOutcome {
    Verdict result = Verdict::kError;  ///< kDivergent also where incomplete
    bool incomplete = false;
    int exit_status = kExitError;
};

/// Sums up a run. `tables` and `sequences` are everything that was tried; a run in which nothing was compared at all is
/// kError, never kIdentical.
RunOutcome run_outcome(const Options& options, const Plan& plan, const std::vector<TableResult>& tables,
                       const std::vector<SequenceResult>& sequences);

}  // namespace parity::driver
