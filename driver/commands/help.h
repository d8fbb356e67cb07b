#pragma once

#include "driver/commands/command.h"

namespace parity::driver {

/// `pgparity help [COMMAND]`: the help of a command, or of the program.
Command help_command();

}  // namespace parity::driver
