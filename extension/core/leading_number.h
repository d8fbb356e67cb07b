#pragma once

#include <cstdint>
#include <limits>

#include "core/bytes.h"
#include "core/decimal.h"
#include "core/float_form.h"
#include "core/form.h"

/// Canonical values as integers of the same order, for searching.
namespace parity::core {

/// How far the integers of a form tell its values apart.
enum class NumberKind : std::uint8_t {
    kExact,   ///< values are ordered as their integers are
    kPrefix,  ///< the larger value has the larger integer or the same
};

/// Maps unsigned integers to signed ones of the same order.
constexpr std::int64_t ordered_number(std::uint64_t number) noexcept {
    return static_cast<std::int64_t>(number ^ std::uint64_t{1} << 63);
}

constexpr NumberKind number_kind(Form form) noexcept {
    return is_integer_ordered(form) || form == Form::kUnsigned || form == Form::kFloat || form == Form::kFloat4
               ? NumberKind::kExact
               : NumberKind::kPrefix;
}

/// Whether values are ordered as their bytes are, the shorter one of two that begin alike first.
constexpr bool is_ordered_by_bytes(Form form) noexcept {
    return number_kind(form) == NumberKind::kPrefix && form != Form::kDecimal;
}

/// The first eight bytes.
inline std::int64_t leading_bytes_number(ByteView bytes) noexcept {
    if (bytes.size() >= sizeof(std::uint64_t)) return ordered_number(load_be<std::uint64_t>(bytes.data()));
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < sizeof number; ++i) number = number << 8 | (i < bytes.size() ? bytes[i] : 0u);
    return ordered_number(number);
}

/// IEEE numbers of one sign are ordered as their bits are. NaN is the largest, and −0 is 0, as in compare_values().
inline std::int64_t float_number(std::uint64_t bits) noexcept {
    const auto number = static_cast<std::int64_t>(canonical_float(double_from_bits(bits)));
    return number < 0 ? number ^ std::numeric_limits<std::int64_t>::max() : number;
}

/// Weight and the two leading digits of a decimal's absolute value. Weights that no numeric has are not told apart.
inline std::int64_t magnitude_number(ByteView decimal) noexcept {
    constexpr std::int64_t kMaxWeight = 1 << 20;
    const std::int64_t weight = load_le<std::int32_t>(&decimal[1]);
    if (weight > kMaxWeight) return std::numeric_limits<std::int64_t>::max() - 1;
    if (weight < -kMaxWeight) return 1;
    const std::int64_t first = load_le<std::uint16_t>(&decimal[kDecimalHeader]);
    const bool has_second = decimal.size() >= kDecimalHeader + 4;
    const std::int64_t second = has_second ? load_le<std::uint16_t>(&decimal[kDecimalHeader + 2]) : 0;
    return (weight + kMaxWeight) << 32 | first << 16 | second;
}

inline std::int64_t decimal_number(ByteView decimal) noexcept {
    switch (static_cast<DecimalKind>(decimal[0])) {
        case DecimalKind::kMinusInfinity:
            return std::numeric_limits<std::int64_t>::min();
        case DecimalKind::kNegative:
            return -magnitude_number(decimal);
        case DecimalKind::kZero:
            return 0;
        case DecimalKind::kPositive:
            return magnitude_number(decimal);
        default:
            return std::numeric_limits<std::int64_t>::max();
    }
}

/// The integer of a canonical value.
inline std::int64_t leading_number(Form form, ByteView canonical) noexcept {
    switch (form) {
        case Form::kInt:
        case Form::kTime:
        case Form::kTimestamp:
        case Form::kTimestamptz:
        case Form::kMoney:
            return load_le<std::int64_t>(canonical.data());
        case Form::kDate:
            return load_le<std::int32_t>(canonical.data());
        case Form::kUnsigned:
            return ordered_number(load_le<std::uint64_t>(canonical.data()));
        case Form::kFloat:
        case Form::kFloat4:
            return float_number(load_le<std::uint64_t>(canonical.data()));
        case Form::kDecimal:
            return decimal_number(canonical);
        default:
            return leading_bytes_number(canonical);
    }
}

}  // namespace parity::core
