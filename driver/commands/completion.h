#pragma once

#include "driver/commands/command.h"

namespace parity::driver {

/// Prints what shells complete words by, or the page for man.
Command completion_command();

}  // namespace parity::driver
