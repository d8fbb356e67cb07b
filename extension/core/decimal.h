#pragma once

#include <cstdint>
#include <span>

#include "core/bytes.h"

/// The `decimal` form: docs/digest-format.md, section 2.1.
namespace parity::core {

enum class DecimalKind : std::uint8_t {
    kMinusInfinity = 0,
    kNegative = 1,
    kZero = 2,
    kPositive = 3,
    kInfinity = 4,
    kNan = 5,
};

/// Bytes before the digits of a number that is neither zero nor special.
inline constexpr std::size_t kDecimalHeader = 5;

/// Appends a special value or zero.
void append_decimal(ByteSink& sink, DecimalKind kind) noexcept;

/// Appends ±Σ digits[i] × 10000^(weight − i). Leading and trailing zero digits are taken away; no digits left is zero.
void append_decimal(ByteSink& sink, bool negative, std::int32_t weight, std::span<const std::uint16_t> digits) noexcept;

/// Appends value / 10^fraction_digits as a decimal.
/// Requires: fraction_digits is 0 … 16.
void append_decimal(ByteSink& sink, std::int64_t value, int fraction_digits = 0) noexcept;

/// Whether the bytes are ones that append_decimal makes.
bool is_decimal(ByteView bytes) noexcept;

/// Whether PostgreSQL's numeric could hold a canonical decimal: at most 131072 digits before the point and 16383 after
/// it. Bytes that somebody else sent need not; as text they could be gigabytes of zeros.
bool fits_numeric(ByteView decimal) noexcept;

/// Orders two decimals by number, NaN last.
/// Requires: both are canonical.
/// Returns: −1, 0 or 1.
int compare_decimals(ByteView a, ByteView b) noexcept;

}  // namespace parity::core
