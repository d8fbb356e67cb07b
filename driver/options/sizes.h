#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace parity::driver {

/// A size with one of the units B, kB, MB, GB, TB, as PostgreSQL writes them (1 kB is 1024 B; no unit: bytes), in
/// bytes.
/// Returns: nothing where the text is no size.
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace parity::driver
