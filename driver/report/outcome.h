#pragma once

#include <vector>

#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"

namespace parity::driver {

/// The statuses of `pgparity compare`; docs/cli.md documents them.
inline constexpr int kExitIdentical = 0;   ///< everything asked for was compared and is equal
inline constexpr int kExitDivergent = 1;   ///< at least one divergence, whether or not everything could be compared
inline constexpr int kExitError = 2;       ///< nothing can be concluded
inline constexpr int kExitIncomplete = 3;  ///< no divergence, but something was skipped, unreadable or failed, or the
                                           ///< run could not be recorded

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
