#pragma once

#include <system_error>
#include <thread>
#include <utility>

#include <fmt/core.h>

#include "driver/model/error.h"

namespace parity::driver {

/// A thread that does `work`.
/// Throws: Error{kResources} where the system has no more threads.
template <typename Work>
std::thread start_thread(Work work) {
    try {
        return std::thread(std::move(work));
    } catch (const std::system_error& error) {
        throw Error(ErrorKind::kResources, fmt::format("could not start a thread: {}", error.what()));
    }
}

}  // namespace parity::driver
