#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace parity::driver {

/// Which table a thread takes next: those that nobody has begun in the order of the plan, then those that failed with
/// what may pass, when their pauses are over. Tables are known by their position in the plan. Thread-safe.
class TableQueue {
  public:
    explicit TableQueue(std::vector<std::size_t> tables) : tables_(std::move(tables)) {}

    /// Takes a table. Where only postponed ones are left, waits until the pause of the first one is over.
    /// Returns: nothing where no table is left, or the run was interrupted.
    std::optional<std::size_t> take();

    /// Puts a table that was taken back. It is taken again when `pause` is over, and not before those that nobody has
    /// begun.
    void postpone(std::size_t table, std::chrono::milliseconds pause);

    /// From now on no table is given any more.
    void close();

    /// Whether take() would give a table, now or after a pause.
    bool has_any() const;

  private:
    using Clock = std::chrono::steady_clock;

    std::optional<std::size_t> take_ready();
    std::chrono::milliseconds time_to_wait() const;

    const std::vector<std::size_t> tables_;
    mutable std::mutex mutex_;
    std::size_t next_ = 0;
    bool closed_ = false;
    std::multimap<Clock::time_point, std::size_t> postponed_;  ///< by the end of the pause
};

}  // namespace parity::driver
