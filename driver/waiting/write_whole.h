#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace parity::driver {

/// Writes `text` to a descriptor, waiting where it does not take all at once, also where it is in non-blocking mode.
/// Where that fails, `text` is then what is left.
/// Returns: 0, or the errno of what failed: EINTR where signals are watched (interrupt.h) and there is one while
/// nothing is taken, ETIMEDOUT where nothing is taken for as long as `patience`.
int write_whole(int descriptor, std::string_view& text, bool watch_signals,
                std::optional<std::chrono::milliseconds> patience = {}) noexcept;

}  // namespace parity::driver
