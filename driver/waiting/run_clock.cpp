#include "driver/waiting/run_clock.h"

#include "driver/waiting/interrupt.h"
#include "driver/waiting/start_thread.h"

namespace parity::driver {

RunClock::RunClock(std::chrono::milliseconds limit) {
    if (limit <= std::chrono::milliseconds(0)) return;
    const auto end = std::chrono::steady_clock::now() + limit;
    thread_ = start_thread([this, end] {
        std::unique_lock lock(mutex_);
        if (!stop_.wait_until(lock, end, [this] { return stopped_; })) interrupt_run(RunEnd::kRunTime);
    });
}

RunClock::~RunClock() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    stop_.notify_one();
    thread_.join();
}

}  // namespace parity::driver
