#include "driver/waiting/shared_failure.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <stdexcept>
#include <string>
#include <thread>

namespace parity::driver {
namespace {

bool is_readable(int fd) {
    pollfd polled{fd, POLLIN, 0};
    return poll(&polled, 1, 0) == 1;
}

std::exception_ptr failure(const std::string& message) { return std::make_exception_ptr(std::runtime_error(message)); }

std::string thrown(const SharedFailure& shared) {
    try {
        shared.rethrow();
    } catch (const std::runtime_error& error) {
        return error.what();
    }
}

TEST(SharedFailure, KeepsTheFirstErrorAndWakesWhoWaits) {
    SharedFailure shared;
    EXPECT_FALSE(shared.raised());
    EXPECT_FALSE(is_readable(shared.fd()));
    shared.raise(failure("first"));
    shared.raise(failure("second"));
    EXPECT_TRUE(shared.raised());
    EXPECT_TRUE(is_readable(shared.fd()));
    EXPECT_EQ(thrown(shared), "first");
    EXPECT_EQ(thrown(shared), "first");
}

TEST(SharedFailure, WakesAWaitInAnotherThread) {
    SharedFailure shared;
    pollfd polled{shared.fd(), POLLIN, 0};
    std::thread other([&] { shared.raise(failure("elsewhere")); });
    EXPECT_EQ(poll(&polled, 1, -1), 1);
    EXPECT_TRUE(shared.raised());
    EXPECT_EQ(thrown(shared), "elsewhere");
    other.join();
}

}  // namespace
}  // namespace parity::driver
