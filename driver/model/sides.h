#pragma once

#include <string>
#include <string_view>

/// The plain data that the driver's modules hand to each other. Nothing here does anything.
///
/// The course of a run: options → inventory (what each side has) → plan (what is compared with what, and how)
/// → digests → divergent ranges → stored findings → report.
namespace parity::driver {

enum class Side { kSource = 0, kTarget = 1 };

/// "source" or "target".
constexpr std::string_view side_name(Side side) { return side == Side::kSource ? "source" : "target"; }

/// Both, source first.
inline constexpr Side kSides[] = {Side::kSource, Side::kTarget};

constexpr Side other_side(Side side) { return side == Side::kSource ? Side::kTarget : Side::kSource; }

/// A pair of values, one a side; indexed by Side.
template <typename T>
struct Both {
    T source;
    T target;
    T& operator[](Side side) { return side == Side::kSource ? source : target; }
    const T& operator[](Side side) const { return side == Side::kSource ? source : target; }
    bool operator==(const Both&) const = default;
};

struct QualifiedName {
    std::string schema;
    std::string name;
    auto operator<=>(const QualifiedName&) const = default;
};

}  // namespace parity::driver
