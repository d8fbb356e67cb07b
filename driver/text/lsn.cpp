#include "driver/text/lsn.h"

#include <charconv>

#include <fmt/format.h>

namespace parity::driver {
namespace {

std::optional<std::uint32_t> parse_half(std::string_view text) {
    std::uint32_t half = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), half, 16);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return half;
}

}  // namespace

std::optional<std::uint64_t> parse_lsn(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const std::optional<std::uint32_t> high = parse_half(text.substr(0, slash));
    const std::optional<std::uint32_t> low = parse_half(text.substr(slash + 1));
    if (!high || !low) return std::nullopt;
    return std::uint64_t{*high} << 32 | *low;
}

std::string show_lsn(std::uint64_t lsn) { return fmt::format("{:X}/{:X}", lsn >> 32, lsn & 0xFFFFFFFF); }

}  // namespace parity::driver
