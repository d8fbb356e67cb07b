#pragma once

#include "driver/commands/command.h"

namespace parity::driver {

/// pgparity resume: goes on with a run that compare --state kept.
Command resume_command();

}  // namespace parity::driver
