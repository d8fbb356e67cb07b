#include "driver/waiting/pauses.h"

#include <gtest/gtest.h>

namespace parity::driver {
namespace {

TEST(Pauses, AreTwiceAsLongEachTime) {
    std::chrono::milliseconds all{0};
    for (int attempts = 1; attempts < kPassingAttempts; ++attempts) all += pause_after(attempts);
    EXPECT_EQ(pause_after(1), std::chrono::seconds(1));
    EXPECT_EQ(all, std::chrono::seconds(15));
}

}  // namespace
}  // namespace parity::driver
