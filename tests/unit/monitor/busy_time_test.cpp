#include "driver/monitor/busy_time.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace parity::driver {
namespace {

using std::chrono::seconds;

BusyTime::Time at(int second) { return BusyTime::Time{seconds(second)}; }

TEST(BusyTime, CountsWhatOverlapsOnce) {
    BusyTime busy;
    EXPECT_EQ(busy.seconds(), 0);
    busy.add(at(10), at(20));
    EXPECT_EQ(busy.seconds(), 10);
    busy.add(at(15), at(25));
    EXPECT_EQ(busy.seconds(), 15);
    busy.add(at(12), at(13));
    EXPECT_EQ(busy.seconds(), 15);
    busy.add(at(30), at(40));
    EXPECT_EQ(busy.seconds(), 25);
    busy.add(at(5), at(50));
    EXPECT_EQ(busy.seconds(), 45);
}

TEST(BusyTime, TakesIntervalsInAnyOrder) {
    std::vector<std::pair<int, int>> intervals{{0, 4}, {4, 6}, {8, 9}, {5, 7}, {20, 21}};
    std::sort(intervals.begin(), intervals.end());
    do {
        BusyTime busy;
        for (const auto& [began, ended] : intervals) busy.add(at(began), at(ended));
        ASSERT_EQ(busy.seconds(), 9);
    } while (std::next_permutation(intervals.begin(), intervals.end()));
}

TEST(BusyTime, KeepsTheLengthOfWhatIsSettled) {
    BusyTime busy;
    busy.add(at(0), at(4));
    busy.add(at(6), at(10));
    busy.settle(at(8));
    EXPECT_EQ(busy.seconds(), 8);
    busy.add(at(9), at(12));  // joins the interval that is not settled yet
    EXPECT_EQ(busy.seconds(), 10);
    busy.settle(BusyTime::Time::max());
    EXPECT_EQ(busy.seconds(), 10);
}

TEST(BusyTime, TakesNothingForAnIntervalWithoutLength) {
    BusyTime busy;
    busy.add(at(3), at(3));
    busy.add(at(5), at(4));
    EXPECT_EQ(busy.seconds(), 0);
}

}  // namespace
}  // namespace parity::driver
