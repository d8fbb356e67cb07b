#pragma once

#include <chrono>

namespace parity::driver {

/// Measures how long something takes.
class Stopwatch {
  public:
    double seconds() const { return std::chrono::duration<double>(Clock::now() - started_).count(); }
    std::chrono::milliseconds elapsed() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started_);
    }

  private:
    using Clock = std::chrono::steady_clock;
    const Clock::time_point started_ = Clock::now();
};

}  // namespace parity::driver
