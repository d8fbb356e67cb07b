#include "driver/work/queue.h"

#include <algorithm>

#include "driver/model/error.h"
#include "driver/waiting/interrupt.h"

namespace parity::driver {

using std::chrono::milliseconds;

namespace {

/// How long a thread waits before it looks again: another one may have taken what it waits for.
constexpr milliseconds kLookAgain{200};

}  // namespace

std::optional<std::size_t> TableQueue::take() {
    while (!interrupted() && has_any()) {
        if (const std::optional<std::size_t> table = take_ready()) return table;
        try {
            pause_unless_interrupted(time_to_wait());
        } catch (const Error&) {
            break;
        }
    }
    return std::nullopt;
}

void TableQueue::postpone(std::size_t table, milliseconds pause) {
    const std::lock_guard lock(mutex_);
    postponed_.emplace(Clock::now() + pause, table);
}

void TableQueue::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
}

bool TableQueue::has_any() const {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    return next_ < tables_.size() || !postponed_.empty();
}

std::optional<std::size_t> TableQueue::take_ready() {
    const std::lock_guard lock(mutex_);
    if (closed_) return std::nullopt;
    if (next_ < tables_.size()) return tables_[next_++];
    if (postponed_.empty() || postponed_.begin()->first > Clock::now()) return std::nullopt;
    const std::size_t table = postponed_.begin()->second;
    postponed_.erase(postponed_.begin());
    return table;
}

milliseconds TableQueue::time_to_wait() const {
    const std::lock_guard lock(mutex_);
    if (postponed_.empty()) return milliseconds(0);
    const auto left = std::chrono::ceil<milliseconds>(postponed_.begin()->first - Clock::now());
    return std::clamp(left, milliseconds(0), kLookAgain);
}

}  // namespace parity::driver
