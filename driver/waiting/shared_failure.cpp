#include "driver/waiting/shared_failure.h"

#include <utility>

namespace parity::driver {

void SharedFailure::raise(std::exception_ptr error) noexcept {
    const std::lock_guard lock(mutex_);
    if (first_) return;
    first_ = std::move(error);
    raised_ = true;
    event_.set();
}

void SharedFailure::rethrow() const {
    std::exception_ptr first;
    {
        const std::lock_guard lock(mutex_);
        first = first_;
    }
    std::rethrow_exception(first);
}

}  // namespace parity::driver
