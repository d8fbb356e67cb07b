#include "driver/waiting/patience.h"

#include <gtest/gtest.h>

namespace parity::driver {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// How often something that fails after `elapsed` each time is tried.
int attempts(milliseconds limit, milliseconds elapsed) {
    Patience patience(limit);
    while (patience.pause_after(elapsed)) continue;
    return patience.failures();
}

TEST(Patience, NothingIsTriedAgainWithoutALimit) { EXPECT_EQ(attempts(seconds(0), seconds(0)), 1); }

TEST(Patience, BoundsDoubleUntilTheLongest) {
    EXPECT_EQ(attempts(seconds(1), seconds(0)), 2);
    EXPECT_EQ(attempts(seconds(3), seconds(0)), 3);   // 1 + 2
    EXPECT_EQ(attempts(seconds(4), seconds(0)), 4);   // 1 + 2 + the second that is left
    EXPECT_EQ(attempts(seconds(31), seconds(0)), 6);  // 1 + 2 + 4 + 8 + 16
    EXPECT_EQ(attempts(minutes(10), seconds(0)), 25);
}

TEST(Patience, PausesAreWithinTheBound) {
    for (int i = 0; i < 200; ++i) {
        Patience patience(minutes(10));
        for (int bound : {1, 2, 4, 8, 16, 30, 30}) {
            const std::optional<milliseconds> pause = patience.pause_after(milliseconds(0));
            ASSERT_TRUE(pause);
            EXPECT_GE(*pause, milliseconds(0));
            EXPECT_LE(*pause, seconds(bound));
        }
    }
}

TEST(Patience, PausesAreDrawn) {
    Patience first(minutes(10)), second(minutes(10));
    milliseconds difference{0};
    for (int i = 0; i < 20; ++i)
        difference += std::chrono::abs(*first.pause_after(milliseconds(0)) - *second.pause_after(milliseconds(0)));
    EXPECT_GT(difference, milliseconds(0));
}

TEST(Patience, TimeOfAttemptsCountsUpToTheLongestPause) {
    EXPECT_EQ(attempts(minutes(1), seconds(10)), 5);  // 10 + 1, 10 + 2, 10 + 4, 10 + 8, and 5 s are left
    EXPECT_EQ(attempts(minutes(10), std::chrono::hours(5)), 13);
}

}  // namespace
}  // namespace parity::driver
