#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace parity::driver {

/// A size with one of the units B, kB, MB, GB, TB, as PostgreSQL writes them (1 kB is 1024 B; no unit: bytes), in
/// bytes.
/// Returns: nothing where the text is no size.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// A duration with one of the units us, ms, s, min, h, d, as PostgreSQL writes them, or 0; less than a millisecond is
/// none. A number without a unit is refused: PostgreSQL's milliseconds are what few expect.
/// Returns: nothing where the text is no duration.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace parity::driver
