#pragma once

#include "backend/pg.h"

#include "core/bytes.h"
#include "core/decimal.h"

namespace parity::backend {

/// Appends the `decimal` bytes of a stored numeric. It reads the on-disk format of PostgreSQL 9.1 and later directly
/// (src/backend/utils/adt/numeric.c, "Numeric storage"): numeric's own accessors are private and its send function
/// allocates for every value.
/// Requires: `stored` is the value without its varlena header.
/// Errors: XX001 where the bytes are no numeric.
void append_numeric(core::ByteSink& sink, core::ByteView stored);

/// What write_numeric() needs.
inline constexpr std::size_t kNumericRoom = 32;

/// Writes the same bytes where that is simple, as it is for most values.
/// Returns: how many bytes there are; 0 where it is not simple.
std::size_t write_numeric(core::ByteView stored, std::uint8_t* to);

// ---- inline --------------------------------------------------------------------------------------------------------

/// Bits of a stored numeric's first two bytes.
namespace numeric_header {
inline constexpr std::uint16_t kKindMask = 0xC000;
inline constexpr std::uint16_t kNegative = 0x4000;
inline constexpr std::uint16_t kShort = 0x8000;
inline constexpr std::uint16_t kSpecial = 0xC000;
inline constexpr std::uint16_t kInfinity = 0xD000;
inline constexpr std::uint16_t kMinusInfinity = 0xF000;
inline constexpr std::uint16_t kShortNegative = 0x2000;
inline constexpr std::uint16_t kShortWeightSign = 0x0040;
inline constexpr std::uint16_t kShortWeightMask = 0x003F;

constexpr std::int32_t short_weight(std::uint16_t header) {
    const std::int32_t weight = header & kShortWeightMask;
    return header & kShortWeightSign ? weight - (kShortWeightMask + 1) : weight;
}
}  // namespace numeric_header

/// Stored numerics lie unaligned behind short varlena headers.
inline std::uint16_t load_digit(const std::uint8_t* from) {
    std::uint16_t digit;
    memcpy(&digit, from, sizeof digit);
    return digit;
}

inline std::size_t write_numeric(core::ByteView stored, std::uint8_t* to) {
    constexpr std::size_t kDigitBytes = 2;
    if (stored.size() < kDigitBytes || stored.size() % kDigitBytes != 0) return 0;
    const std::uint16_t header = load_digit(stored.data());
    if ((header & numeric_header::kKindMask) != numeric_header::kShort) return 0;
    const std::uint8_t* digits = stored.data() + kDigitBytes;
    const std::size_t bytes = stored.size() - kDigitBytes;
    if (bytes == 0) {
        to[0] = static_cast<std::uint8_t>(core::DecimalKind::kZero);
        return 1;
    }
    if (bytes > kNumericRoom - core::kDecimalHeader) return 0;
    if (load_digit(digits) == 0 || load_digit(digits + bytes - kDigitBytes) == 0) return 0;
    const bool negative = header & numeric_header::kShortNegative;
    to[0] = static_cast<std::uint8_t>(negative ? core::DecimalKind::kNegative : core::DecimalKind::kPositive);
    core::store_le(to + 1, numeric_header::short_weight(header));
    for (std::size_t at = 0; at < bytes; at += kDigitBytes)
        core::store_le(to + core::kDecimalHeader + at, load_digit(digits + at));
    return core::kDecimalHeader + bytes;
}

}  // namespace parity::backend
