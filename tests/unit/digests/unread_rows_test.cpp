#include "driver/digests/unread_rows.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/key_bounds.h"

namespace parity::driver {
namespace {

using test::int_bound;
using test::int_frame;

UnreadRows of_integers() { return UnreadRows({core::Form::kInt}); }

TEST(UnreadRows, HoldNothingAtFirst) {
    const UnreadRows unread = of_integers();
    EXPECT_FALSE(unread.may_hold(int_frame(5)));
    EXPECT_FALSE(unread.holds_unknown_keys());
    EXPECT_EQ(unread.unknown_columns(int_frame(5)), nullptr);
}

TEST(UnreadRows, AnIntervalHasItsLowerBoundAndNotItsUpperOne) {
    UnreadRows unread = of_integers();
    unread.add_interval(int_bound(5), int_bound(8));
    unread.add_rows(7);
    std::vector<int> held;
    for (int key = -10; key < 20; ++key)
        if (unread.may_hold(int_frame(key))) held.push_back(key);
    EXPECT_EQ(held, (std::vector<int>{5, 6, 7}));
    EXPECT_TRUE(unread.holds_unknown_keys());
    EXPECT_EQ(unread.most_rows(), 7u);
}

TEST(UnreadRows, IntervalsWithoutABoundHaveNoEnd) {
    UnreadRows below = of_integers(), above = of_integers();
    below.add_interval("", int_bound(-2));
    above.add_interval(int_bound(100), "");
    EXPECT_TRUE(below.may_hold(int_frame(-3)));
    EXPECT_FALSE(below.may_hold(int_frame(-2)));
    EXPECT_TRUE(above.may_hold(int_frame(100)));
    EXPECT_FALSE(above.may_hold(int_frame(99)));
}

TEST(UnreadRows, WhatMayBeAnywhereMayHaveAnyKey) {
    UnreadRows unread = of_integers();
    unread.add_anywhere(3);
    unread.add_anywhere(1);
    EXPECT_TRUE(unread.may_hold(int_frame(-5)));
    EXPECT_EQ(unread.most_rows(), 4u);
}

TEST(UnreadRows, ColumnsOfRowsWithOneKeyAddUp) {
    UnreadRows unread = of_integers();
    unread.add_row(int_frame(1), {2, 4});
    unread.add_row(int_frame(1), {0, 4});
    ASSERT_NE(unread.unknown_columns(int_frame(1)), nullptr);
    EXPECT_EQ(*unread.unknown_columns(int_frame(1)), (std::vector<int>{0, 2, 4}));
    EXPECT_EQ(unread.unknown_columns(int_frame(2)), nullptr);
    EXPECT_FALSE(unread.may_hold(int_frame(1)));
}

}  // namespace
}  // namespace parity::driver
