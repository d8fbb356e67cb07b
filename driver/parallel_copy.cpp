#include "driver/parallel_copy.h"

#include <algorithm>
#include <utility>

namespace parity::driver {

ParallelCopy::ParallelCopy(std::vector<Session*> sessions, std::vector<Statement> statements, std::size_t fields,
                           Consumer consumer, std::function<void(std::uint64_t)> on_progress)
    : sessions_(std::move(sessions)),
      statements_(std::move(statements)),
      fields_(fields),
      consumer_(std::move(consumer)),
      on_progress_(std::move(on_progress)) {
    for (const Session* session : sessions_) cancellers_.push_back(session->connection().canceller());
    for (std::size_t thread = 0; thread < sessions_.size(); ++thread)
        threads_.emplace_back([this, thread] { work(thread); });
}

ParallelCopy::~ParallelCopy() {
    stop();
    join();
}

/// A thread that waits for a server notices nothing else.
void ParallelCopy::stop() {
    const std::lock_guard lock(mutex_);
    if (stop_.exchange(true)) return;
    for (const auto& cancel : cancellers_)
        if (cancel) cancel();
}

void ParallelCopy::join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
}

void ParallelCopy::wait() {
    join();
    if (failure_) std::rethrow_exception(failure_);
}

void ParallelCopy::fail() {
    {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
    }
    stop();
}

void ParallelCopy::work(std::size_t thread) {
    try {
        while (!stop_) {
            const std::size_t number = next_++;
            if (number >= statements_.size()) break;
            copy(thread, statements_[number]);
        }
    } catch (...) {
        fail();
    }
    const std::lock_guard lock(mutex_);
    cancellers_[thread] = nullptr;
}

void ParallelCopy::copy(std::size_t thread, const Statement& statement) {
    CopyRowReader reader(fields_);
    CopyStream stream = sessions_[thread]->connection().copy_out(statement.sql);
    std::uint64_t longest = 0;
    while (const std::optional<std::string_view> message = stream.next()) {
        if (stop_) return;
        longest = std::max<std::uint64_t>(longest, message->size());
        if (const auto fields = reader.read(*message)) consumer_(thread, statement.tag, *fields);
    }
    reader.require_complete(stream.rows());
    for (std::uint64_t known = longest_row_; known < longest && !longest_row_.compare_exchange_weak(known, longest);) {
    }
    on_progress_(done_ += statement.work);
}

}  // namespace parity::driver
