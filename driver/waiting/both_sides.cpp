#include "driver/waiting/both_sides.h"

#include <exception>
#include <system_error>
#include <thread>

namespace parity::driver {

void on_both_sides(const std::function<void(Side, const SharedFailure*)>& work) {
    SharedFailure source_failure;
    std::exception_ptr target_error;
    const auto work_on_target = [&] {
        try {
            work(Side::kTarget, &source_failure);
        } catch (...) {
            target_error = std::current_exception();
        }
    };
    std::thread target;
    try {
        target = std::thread(work_on_target);
    } catch (const std::system_error&) {
        // The system has no more threads: it is the target's turn once the source is done.
    }
    try {
        work(Side::kSource, nullptr);
    } catch (...) {
        source_failure.raise(std::current_exception());
    }
    if (target.joinable())
        target.join();
    else if (!source_failure.raised())
        work_on_target();
    if (source_failure.raised()) source_failure.rethrow();
    if (target_error) std::rethrow_exception(target_error);
}

}  // namespace parity::driver
