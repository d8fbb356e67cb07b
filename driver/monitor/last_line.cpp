#include "driver/monitor/last_line.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace parity::driver {
namespace {

/// "0.2 s", "42 s", "12 min 3 s", "3 h 7 min".
std::string duration_words(double seconds) {
    if (seconds < 10) return fmt::format("{:.1f} s", seconds);
    const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
    if (whole < 60) return fmt::format("{} s", whole);
    if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
    return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

/// "1,204,000".
std::string with_commas(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t place = text.size(); place > 3;) text.insert(place -= 3, ",");
    return text;
}

/// To three figures: more is not known of a speed.
std::uint64_t three_figures(double value) {
    double unit = 1;
    while (value / unit >= 1000) unit *= 10;
    return static_cast<std::uint64_t>(std::llround(std::round(value / unit) * unit));
}

/// A share that is not none and not all is not shown as such.
std::string percent(std::size_t part, std::size_t whole) {
    const double share = 100 * static_cast<double>(part) / static_cast<double>(whole);
    if (part == whole) return "100 %";
    if (share < 0.1) return "less than 0.1 %";
    return fmt::format("{:.1f} %", std::min(share, 99.9));
}

}  // namespace

std::string last_line(const RunFigures& figures, double seconds) {
    std::string line = fmt::format("{} of {} {} compared, {} failed", figures.done, figures.units,
                                   figures.in_spans ? "units" : "tables", figures.failed);
    if (figures.failed > 0) line += fmt::format(" ({})", percent(figures.failed, figures.units));
    if (figures.pending() > 0) line += fmt::format(", {} not begun", figures.pending());
    line += ", " + duration_words(seconds);
    for (Side side : kSides) {
        const RunFigures::OfSide& of_side = figures.side[side];
        if (of_side.seconds <= 0) continue;
        line += fmt::format(", {} {} rows/s", side_name(side),
                            with_commas(three_figures(static_cast<double>(of_side.rows) / of_side.seconds)));
    }
    return line;
}

}  // namespace parity::driver
