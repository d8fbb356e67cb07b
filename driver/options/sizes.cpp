#include "driver/options/sizes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <limits>

namespace parity::driver {

std::optional<std::uint64_t> parse_size(std::string_view text) {
    constexpr std::array<std::string_view, 6> kUnits = {"", "B", "kB", "MB", "GB", "TB"};
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || text.empty()) return std::nullopt;
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    const auto* found = std::find(kUnits.begin(), kUnits.end(), unit);
    if (found == kUnits.end()) return std::nullopt;
    const int power = std::max(0, static_cast<int>(found - kUnits.begin()) - 1);
    if (number > std::numeric_limits<std::uint64_t>::max() >> (10 * power)) return std::nullopt;
    return number << (10 * power);
}

}  // namespace parity::driver
