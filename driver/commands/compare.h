#pragma once

#include "driver/options/request.h"

namespace parity::driver {

/// Compares what the request chooses and writes the report; gives the process's exit status (report/outcome.h).
/// Findings go to standard output or --output, everything else to standard error.
///
/// Throws Error where nothing can be concluded: bad names, a server that cannot be reached, an output that cannot be
/// written. What goes wrong with one table alone does not throw but stands in the report.
int run_compare(const Request& request);

}  // namespace parity::driver
