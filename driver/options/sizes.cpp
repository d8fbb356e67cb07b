#include "driver/options/sizes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <limits>
#include <utility>

namespace parity::driver {
namespace {

struct Quantity {
    std::uint64_t number = 0;
    std::string_view unit;
};

std::optional<Quantity> read_quantity(std::string_view text) {
    Quantity read;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read.number);
    if (error != std::errc() || text.empty()) return std::nullopt;
    read.unit = {end, static_cast<std::size_t>(text.data() + text.size() - end)};
    return read;
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
    constexpr std::array<std::string_view, 6> kUnits = {"", "B", "kB", "MB", "GB", "TB"};
    const std::optional<Quantity> read = read_quantity(text);
    if (!read) return std::nullopt;
    const auto& [number, unit] = *read;
    const auto* found = std::find(kUnits.begin(), kUnits.end(), unit);
    if (found == kUnits.end()) return std::nullopt;
    const int power = std::max(0, static_cast<int>(found - kUnits.begin()) - 1);
    if (number > std::numeric_limits<std::uint64_t>::max() >> (10 * power)) return std::nullopt;
    return number << (10 * power);
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    using std::chrono::microseconds;
    constexpr std::array<std::pair<std::string_view, microseconds>, 6> kUnits = {{{"us", microseconds(1)},
                                                                                  {"ms", std::chrono::milliseconds(1)},
                                                                                  {"s", std::chrono::seconds(1)},
                                                                                  {"min", std::chrono::minutes(1)},
                                                                                  {"h", std::chrono::hours(1)},
                                                                                  {"d", std::chrono::hours(24)}}};
    const std::optional<Quantity> read = read_quantity(text);
    if (!read) return std::nullopt;
    if (read->number == 0 && read->unit.empty()) return std::chrono::milliseconds(0);
    const auto* found =
        std::find_if(kUnits.begin(), kUnits.end(), [&](const auto& unit) { return unit.first == read->unit; });
    if (found == kUnits.end()) return std::nullopt;
    const auto most = static_cast<std::uint64_t>(microseconds::max() / found->second);
    if (read->number > most) return std::nullopt;
    return std::chrono::duration_cast<std::chrono::milliseconds>(found->second *
                                                                 static_cast<std::int64_t>(read->number));
}

}  // namespace parity::driver
