#pragma once

#include <memory>
#include <string_view>

#include <spdlog/logger.h>

#include "driver/monitor/terminal.h"

namespace parity::driver {

/// A logger that prints through `terminal`, which must outlive it: "pgparity: warning: …", one line a message, notes
/// (info) without a level's name, and debug messages only if `verbose`. Thread-safe.
std::shared_ptr<spdlog::logger> make_log(Terminal& terminal, bool verbose);

}  // namespace parity::driver
