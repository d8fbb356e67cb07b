#pragma once

#include <atomic>
#include <exception>
#include <mutex>

#include "driver/waiting/event.h"

namespace parity::driver {

/// The first failure of work that both sides and several threads do at the same time. Each thread that waits for a
/// server polls fd() too, so that the failure of one ends the waits of all, and what is reported is its cause and not
/// what it did to the others. Thread-safe.
class SharedFailure {
  public:
    /// Keeps the first call's error and wakes every waiting thread.
    void raise(std::exception_ptr error) noexcept;

    bool raised() const { return raised_; }

    /// Passes the failure on to the caller.
    /// Requires: raised().
    /// Throws: the first error.
    [[noreturn]] void rethrow() const;

    /// Readable from the first failure on.
    int fd() const { return event_.fd(); }

  private:
    mutable std::mutex mutex_;
    std::exception_ptr first_;
    std::atomic<bool> raised_{false};
    Event event_;
};

}  // namespace parity::driver
