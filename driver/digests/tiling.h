#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace parity::driver {

/// The parts that something is read in: they must cover [0, end) once each, without a gap.
class Tiling {
  public:
    /// `what` names the whole in messages.
    Tiling(std::string what, std::uint64_t end) : what_(std::move(what)), end_(end) {}

    /// Takes a part [from, to), in whatever order.
    /// Throws: Error{kInternal} where it is empty, reaches beyond the end, or overlaps another one.
    void add(std::uint64_t from, std::uint64_t to);

    /// Checks that nothing is left.
    /// Throws: Error{kInternal} where something is.
    void require_whole() const;

  private:
    const std::string what_;
    const std::uint64_t end_;
    std::map<std::uint64_t, std::uint64_t> parts_;  ///< ends by beginnings; neighbours are joined
};

}  // namespace parity::driver
