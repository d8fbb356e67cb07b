#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace parity::driver {

/// How the reading of a side's rows ended.
struct ReadingEnd {
    /// When all was read, which may be long before the other side's has been, and anybody asks. Nothing: not known.
    std::optional<std::chrono::steady_clock::time_point> at{};
    std::optional<std::uint64_t> bytes{};  ///< of rows that came over the network; nothing: digests came
};

}  // namespace parity::driver
