#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "driver/copy_format.h"
#include "driver/session.h"

namespace parity::driver {

/// Runs COPY statements on several connections at the same time, each in a thread of its own, and hands out their rows
/// as they arrive. A consumer that is slow makes its server wait; nothing is kept.
class ParallelCopy {
  public:
    struct Statement {
        std::string sql;
        std::size_t tag = 0;     ///< for the consumer
        std::uint64_t work = 0;  ///< for `on_progress`
    };
    /// Takes one row; `thread` counts from 0, `tag` is the statement's.
    using Consumer = std::function<void(std::size_t thread, std::size_t tag, std::span<const WireField> fields)>;

    /// Starts. The sessions' transactions are open; none of them is used by anybody else until wait() returned or this
    /// is destroyed. `on_progress` is called with the work done so far, by several threads.
    ParallelCopy(std::vector<Session*> sessions, std::vector<Statement> statements, std::size_t fields,
                 Consumer consumer, std::function<void(std::uint64_t)> on_progress);

    /// Stops what still runs.
    ~ParallelCopy();
    ParallelCopy(const ParallelCopy&) = delete;
    ParallelCopy& operator=(const ParallelCopy&) = delete;

    /// Waits for the end; throws what the first failing thread threw.
    void wait();

    /// The longest message, in bytes; after wait().
    std::uint64_t longest_row() const { return longest_row_; }

  private:
    void work(std::size_t thread);
    void copy(std::size_t thread, const Statement& statement);
    void join();
    void stop();
    void fail();

    const std::vector<Session*> sessions_;
    const std::vector<Statement> statements_;
    const std::size_t fields_;
    const Consumer consumer_;
    const std::function<void(std::uint64_t)> on_progress_;
    /// One a thread; empty once its thread has nothing more to run. Guarded by mutex_.
    std::vector<std::function<void()>> cancellers_;
    std::atomic<std::size_t> next_{0};
    std::atomic<std::uint64_t> done_{0};
    std::atomic<std::uint64_t> longest_row_{0};
    std::atomic<bool> stop_{false};
    std::mutex mutex_;
    std::exception_ptr failure_;
    std::vector<std::thread> threads_;
};

}  // namespace parity::driver
