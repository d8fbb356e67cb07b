#include "driver/work/queue.h"

#include <gtest/gtest.h>

#include <chrono>

namespace parity::driver {
namespace {

using std::chrono::milliseconds;

TEST(TableQueue, GivesEachTableOnceInOrder) {
    TableQueue queue({0, 1, 2});
    for (std::size_t table = 0; table < 3; ++table) EXPECT_EQ(queue.take(), table);
    EXPECT_FALSE(queue.has_any());
    EXPECT_EQ(queue.take(), std::nullopt);
}

TEST(TableQueue, APostponedTableComesAfterThoseThatNobodyHasBegun) {
    TableQueue queue({0, 1, 2});
    EXPECT_EQ(queue.take(), 0u);
    queue.postpone(0, milliseconds(0));
    EXPECT_EQ(queue.take(), 1u);
    EXPECT_EQ(queue.take(), 2u);
    EXPECT_EQ(queue.take(), 0u);
    EXPECT_EQ(queue.take(), std::nullopt);
}

TEST(TableQueue, WaitsForTheShortestPause) {
    TableQueue queue({0, 1});
    queue.take();
    queue.take();
    const auto began = std::chrono::steady_clock::now();
    queue.postpone(0, milliseconds(400));
    queue.postpone(1, milliseconds(50));
    EXPECT_TRUE(queue.has_any());
    EXPECT_EQ(queue.take(), 1u);
    EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(50));
    EXPECT_EQ(queue.take(), 0u);
    EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(400));
}

}  // namespace
}  // namespace parity::driver
