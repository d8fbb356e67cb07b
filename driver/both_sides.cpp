#include "driver/both_sides.h"

#include <exception>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/core.h>

#include "driver/error.h"

namespace parity::driver {

namespace {

template <typename Work>
std::thread start(Work work) {
    try {
        return std::thread(std::move(work));
    } catch (const std::system_error& error) {
        throw Error(ErrorKind::kInternal, fmt::format("could not start a thread: {}", error.what()));
    }
}

}  // namespace

void on_both_sides(const std::function<void(Side, const SharedFailure*)>& work) {
    SharedFailure source_failure;
    std::exception_ptr target_error;
    std::thread target = start([&] {
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
