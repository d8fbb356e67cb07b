#include "driver/both_sides.h"

#include <exception>
#include <thread>

#include "driver/start_thread.h"

namespace parity::driver {

void on_both_sides(const std::function<void(Side, const SharedFailure*)>& work) {
    SharedFailure source_failure;
    std::exception_ptr target_error;
    std::thread target = start_thread([&] {
        try {
            work(Side::kTarget, &source_failure);
        } catch (...) {
            target_error = std::current_exception();
        }
    });
    try {
        work(Side::kSource, nullptr);
    } catch (...) {
        source_failure.raise(std::current_exception());
    }
    target.join();
    if (source_failure.raised()) source_failure.rethrow();
    if (target_error) std::rethrow_exception(target_error);
}

}  // namespace parity::driver
