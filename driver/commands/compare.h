#pragma once

#include "driver/commands/command.h"

namespace parity::driver {

/// `pgparity compare`: compares what the options choose and writes the report. The report goes to standard output or
/// --output, everything else to standard error. What goes wrong with one table alone does not throw but stands in the
/// report.
/// Throws: Error, when the command is run, where nothing can be concluded: bad names, a server that cannot be reached,
/// an output that cannot be written.
Command compare_command();

}  // namespace parity::driver
