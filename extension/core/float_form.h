#pragma once

#include <cmath>
#include <cstdint>

#include "core/bytes.h"

/// The forms `float` and `float4`: docs/digest-format.md, sections 2 and 2.8.
namespace parity::core {

inline constexpr std::uint64_t kCanonicalNan = 0x7FF8000000000000;

/// The bits of the form `float`: one NaN, one zero.
inline std::uint64_t canonical_float(double value) noexcept {
    if (value != value) return kCanonicalNan;
    return bits_of_double(value == 0 ? 0.0 : value);
}

/// The bits of the form `float4`. A finite number beyond binary32's range, or one so small that only zero would be left
/// of it, stays as it is: no `real` equals it, just as none can be made of it by a cast.
inline std::uint64_t canonical_rounded_float(double value) noexcept {
    constexpr double kOverflow = 0x1.ffffffp127;  // halfway from the largest binary32 to what would follow it
    if (!std::isfinite(value) || std::fabs(value) >= kOverflow) return canonical_float(value);
    const float rounded = static_cast<float>(value);
    return canonical_float(rounded == 0 ? value : static_cast<double>(rounded));
}

}  // namespace parity::core
