#pragma once

#include "driver/commands/command.h"

namespace parity::driver {

/// Turns a report that was kept as JSON into another format, without any server.
Command report_command();

}  // namespace parity::driver
