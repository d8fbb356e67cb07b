#pragma once

#include <cstdint>
#include <string>

namespace parity::driver {

/// A time in microseconds since 1970 as ISO 8601 in UTC, to the second: "2026-01-31T12:00:00Z".
std::string show_utc(std::int64_t microseconds);

}  // namespace parity::driver
