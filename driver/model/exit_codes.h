#pragma once

namespace parity::driver {

/// The statuses of `pgparity compare`; docs/cli.md documents them.
inline constexpr int kExitIdentical = 0;   ///< everything asked for was compared and is equal
inline constexpr int kExitDivergent = 1;   ///< at least one divergence, whether or not everything could be compared
inline constexpr int kExitError = 2;       ///< nothing can be concluded
inline constexpr int kExitIncomplete = 3;  ///< no divergence, but something was skipped, unreadable or failed, or the
                                           ///< run could not be recorded

}  // namespace parity::driver
