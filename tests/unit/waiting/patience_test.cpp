#include "driver/waiting/patience.h"

#include <gtest/gtest.h>

namespace parity::driver {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// How long all pauses take together if each attempt fails after `elapsed`, and how many attempts there are.
struct Course {
    milliseconds paused{0};
    int attempts = 0;
};
Course course(milliseconds limit, milliseconds elapsed) {
    Course made;
    Patience patience(limit);
    while (const std::optional<milliseconds> pause = patience.pause_after(elapsed)) made.paused += *pause;
    made.attempts = patience.failures();
    return made;
}
int attempts(milliseconds limit, milliseconds elapsed) { return course(limit, elapsed).attempts; }

TEST(Patience, NothingIsTriedAgainWithoutALimit) { EXPECT_EQ(attempts(seconds(0), seconds(0)), 1); }

TEST(Patience, AllOfTheLimitIsUsed) {
    for (const milliseconds limit :
         {milliseconds(1), milliseconds(700), milliseconds(seconds(20)), milliseconds(minutes(10))})
        EXPECT_EQ(course(limit, milliseconds(0)).paused, limit);
    EXPECT_LT(attempts(minutes(10), milliseconds(0)), 80) << "pauses grow";
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
    const Course often = course(minutes(1), seconds(10));
    EXPECT_GE(often.attempts, 4);  // 10 + 1, 10 + 2, 10 + 4 at most
    EXPECT_LE(often.attempts, 6);
    EXPECT_LE(often.paused, seconds(50));
    EXPECT_GE(attempts(minutes(10), std::chrono::hours(5)), 11);
    EXPECT_LE(attempts(minutes(10), std::chrono::hours(5)), 20);
}

}  // namespace
}  // namespace parity::driver
