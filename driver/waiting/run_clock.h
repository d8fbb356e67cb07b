#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace parity::driver {

/// Ends the run when its time is over (--run-time), unless it is gone by then.
class RunClock {
  public:
    /// The time begins now; 0: there is no limit.
    /// Throws: Error{kResources} where there is no thread for it.
    explicit RunClock(std::chrono::milliseconds limit);
    ~RunClock();
    RunClock(const RunClock&) = delete;
    RunClock& operator=(const RunClock&) = delete;

  private:
    std::mutex mutex_;
    std::condition_variable stop_;
    bool stopped_ = false;
    std::thread thread_;
};

}  // namespace parity::driver
