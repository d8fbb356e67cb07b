#pragma once

#include "driver/commands/command.h"

namespace parity::driver {

/// pgparity dead-letters: lists what could not be read, from the state of a run.
Command dead_letters_command();

}  // namespace parity::driver
