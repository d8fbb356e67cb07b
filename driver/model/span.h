#pragma once

#include <string>

namespace parity::driver {

/// A part of a table, by its key: the rows with keys from `lower` to before `upper`. Both are bounds as bytes
/// (docs/digest-format.md, section 7), and empty where the span is open. NULLs are in the first or the last one.
struct Span {
    std::string lower;
    std::string upper;
    bool operator==(const Span&) const = default;
};

}  // namespace parity::driver
