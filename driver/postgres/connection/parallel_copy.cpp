#include "driver/postgres/connection/parallel_copy.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "driver/model/error.h"
#include "driver/postgres/connection/copy_rows.h"
#include "driver/waiting/start_thread.h"

namespace parity::driver {

ParallelCopy::ParallelCopy(std::vector<Session*> sessions, std::vector<Statement> statements, std::size_t fields,
                           Consumer consumer, std::function<void(std::uint64_t)> on_progress, SharedFailure* failure)
    : sessions_(std::move(sessions)),
      statements_(std::move(statements)),
      fields_(fields),
      consumer_(std::move(consumer)),
      on_progress_(std::move(on_progress)),
      failure_(failure ? *failure : own_failure_),
      running_(sessions_.size()) {
    try {
        threads_.reserve(sessions_.size());
        for (std::size_t thread = 0; thread < sessions_.size(); ++thread)
            threads_.push_back(start_thread([this, thread] { work(thread); }));
    } catch (...) {
        failure_.raise(std::current_exception());
        join();
        throw;
    }
}

/// Nobody reads of this failure: whoever destroys a copy that runs has another one.
ParallelCopy::~ParallelCopy() {
    if (threads_.empty()) return;
    try {
        throw Error(ErrorKind::kCancelled, "not wanted any more");
    } catch (...) {
        failure_.raise(std::current_exception());  // which a lack of memory is as good for
    }
    join();
}

void ParallelCopy::join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
}

void ParallelCopy::wait(Connection& connection) {
    connection.wait_for(ended_.fd());
    join();
    if (failure_.raised()) failure_.rethrow();
}

void ParallelCopy::work(std::size_t thread) {
    try {
        const WatchFailure watched(sessions_[thread]->connection(), &failure_);
        while (!failure_.raised()) {
            const std::size_t number = next_++;
            if (number >= statements_.size()) break;
            copy(thread, statements_[number]);
        }
        if (!failure_.raised()) sessions_[thread]->require_named_server();
    } catch (...) {
        failure_.raise(std::current_exception());
    }
    if (--running_ > 0) return;
    ended_at_ = std::chrono::steady_clock::now();
    ended_.set();
}

void ParallelCopy::copy(std::size_t thread, const Statement& statement) {
    CopyRowReader reader(fields_);
    CopyStream stream = sessions_[thread]->connection().copy_out(statement.sql);
    std::uint64_t longest = 0, bytes = 0;
    while (const std::optional<std::string_view> message = stream.next()) {
        if (failure_.raised()) return;
        longest = std::max<std::uint64_t>(longest, message->size());
        bytes += message->size();
        if (const auto fields = reader.read(*message)) consumer_(thread, statement.tag, *fields);
    }
    reader.require_complete(stream.rows());
    bytes_ += bytes;
    for (std::uint64_t known = longest_row_; known < longest && !longest_row_.compare_exchange_weak(known, longest);) {
    }
    on_progress_(done_ += statement.work);
}

}  // namespace parity::driver
