#pragma once

#include <chrono>
#include <cstdint>

namespace parity::driver {

/// Now, in microseconds since 1970, by this machine's clock.
inline std::int64_t wall_clock_us() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

}  // namespace parity::driver
