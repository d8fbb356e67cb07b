#include "driver/text/utc.h"

#include <array>
#include <ctime>

namespace parity::driver {

/// fmt/chrono.h would take most of the time that compiling this file takes.
std::string show_utc(std::int64_t microseconds) {
    const auto seconds = static_cast<std::time_t>(microseconds / 1'000'000);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace parity::driver
