#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "driver/engine/value_reader.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/connection/session.h"
#include "driver/waiting/event.h"
#include "driver/waiting/shared_failure.h"

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
    using Consumer = std::function<void(std::size_t thread, std::size_t tag, std::span<const ValueField> fields)>;

    /// Starts. `on_progress` is called with the work done so far, by several threads. A thread that fails raises
    /// `failure`, and whoever else raises it ends the threads; nullptr where nobody else has to do with it.
    /// Requires: the sessions' transactions are open, and nobody else uses these sessions until wait() returned or this
    /// is destroyed.
    ParallelCopy(std::vector<Session*> sessions, std::vector<Statement> statements, std::size_t fields,
                 Consumer consumer, std::function<void(std::uint64_t)> on_progress, SharedFailure* failure);

    /// Where threads still run, raises the failure, and waits for them.
    ~ParallelCopy();
    ParallelCopy(const ParallelCopy&) = delete;
    ParallelCopy& operator=(const ParallelCopy&) = delete;

    /// Waits for the end as any wait on `connection`.
    /// Throws: what was raised.
    void wait(Connection& connection);

    /// The longest message, in bytes.
    /// Requires: wait() has returned.
    std::uint64_t longest_row() const { return longest_row_; }

    /// When the last thread ended, and the bytes of all messages.
    /// Requires: wait() has returned.
    std::chrono::steady_clock::time_point ended_at() const { return ended_at_; }
    std::uint64_t bytes() const { return bytes_; }

  private:
    void work(std::size_t thread);
    void copy(std::size_t thread, const Statement& statement);
    void join();

    const std::vector<Session*> sessions_;
    const std::vector<Statement> statements_;
    const std::size_t fields_;
    const Consumer consumer_;
    const std::function<void(std::uint64_t)> on_progress_;
    SharedFailure own_failure_;
    SharedFailure& failure_;
    std::atomic<std::size_t> next_{0};
    std::atomic<std::uint64_t> done_{0};
    std::atomic<std::uint64_t> longest_row_{0};
    std::atomic<std::uint64_t> bytes_{0};
    std::chrono::steady_clock::time_point ended_at_;  ///< the last thread sets it
    std::atomic<std::size_t> running_;
    Event ended_;
    std::vector<std::thread> threads_;
};

}  // namespace parity::driver
