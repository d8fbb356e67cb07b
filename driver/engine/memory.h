#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace parity::driver {

/// The memory that this process may take at most: the least of the machine's and of what its control groups (version 1
/// or 2) allow, in bytes. `root` holds proc and sys.
std::uint64_t available_memory(const std::filesystem::path& root = "/");

/// What streams of rows take, and how many of them fit.
class MemoryPlan {
  public:
    /// `streams`: tables' sides that are read at the same time.
    MemoryPlan(std::uint64_t limit, std::size_t streams) : limit_(limit), streams_(streams) {}

    /// The threads that one stream may have where each takes `footprint` bytes: the whole limit but what is reserved,
    /// shared evenly.
    /// Returns: 0 where not even one fits.
    std::size_t threads(std::uint64_t footprint) const;

    /// The limit that one thread a stream needs, in bytes.
    std::uint64_t least_limit(std::uint64_t footprint) const;

    std::uint64_t limit() const { return limit_; }

  private:
    std::uint64_t reserved() const;
    std::uint64_t limit_;
    std::size_t streams_;
};

/// What a thread's connection and buffers take besides its sums, in bytes, as long as no row is longer than
/// kPlannedRow.
inline constexpr std::uint64_t kThreadBytes = 8 << 20;
/// Rows up to this many bytes are planned for.
inline constexpr std::uint64_t kPlannedRow = 1 << 20;
/// What the rows of a stream are sorted in, in bytes.
inline constexpr std::uint64_t kSorterBytes = 16 << 20;

}  // namespace parity::driver
