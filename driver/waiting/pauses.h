#pragma once

#include <chrono>

namespace parity::driver {

/// How often something is tried where a server's failure passes by itself, before it is given up.
inline constexpr int kPassingAttempts = 5;

/// How long to wait before the attempt that follows so many: twice as long each time, from a second on.
constexpr std::chrono::milliseconds pause_after(int attempts) { return std::chrono::seconds(1 << (attempts - 1)); }

}  // namespace parity::driver
