#pragma once

#include <chrono>
#include <map>

namespace parity::driver {

/// How long at least one of several things was going on: the length of the union of intervals. Takes as much memory as
/// there are gaps between the intervals that may still grow together.
class BusyTime {
  public:
    using Time = std::chrono::steady_clock::time_point;

    /// Adds an interval. They come in any order, and overlap as they like.
    void add(Time began, Time ended);

    /// No interval that is still to come begins before this: what ended before is only remembered by its length.
    void settle(Time nothing_before);

    double seconds() const;

  private:
    std::map<Time, Time> open_;  ///< disjoint: beginning and end
    std::chrono::steady_clock::duration settled_{};
};

}  // namespace parity::driver
