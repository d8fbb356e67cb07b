#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

/// Characters of ASCII, whatever the locale is.
namespace parity::core {

inline constexpr std::string_view kHexDigits = "0123456789abcdef";

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// The value of a hexadecimal digit of either case.
/// Returns: nothing for another character.
constexpr std::optional<std::uint8_t> hex_digit(char c) noexcept {
    if (is_digit(c)) return static_cast<std::uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
    return std::nullopt;
}

}  // namespace parity::core
