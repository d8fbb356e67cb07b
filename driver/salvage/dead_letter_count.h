#pragma once

#include <atomic>
#include <cstddef>

#include "driver/model/dead_letter.h"

namespace parity::driver {

/// Counts what could not be read in all tables of a run. Thread-safe.
class DeadLetterCount {
  public:
    /// Returns: false where the run has more than it may have.
    bool add() { return ++number_ <= kMostDeadLettersOfRun; }
    void remove(std::size_t number) { number_ -= number; }

  private:
    std::atomic<std::size_t> number_{0};
};

}  // namespace parity::driver
