#include "driver/salvage/damage.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace parity::driver {
namespace {

TablePlan damaged_table() {
    TablePlan plan;
    plan.name = {{"public", "t"}, {"public", "t"}};
    return plan;
}

Error invalid_page(const std::string& server) {
    return {ErrorKind::kServer, server + ": invalid page", "", server, "XX001"};
}

TEST(DeadLetterCount, ARunHasAThousandAtMost) {
    DeadLetterCount count;
    for (std::size_t i = 0; i < kMostDeadLettersOfRun; ++i) EXPECT_TRUE(count.add()) << i;
    EXPECT_FALSE(count.add());
    count.remove(2);
    EXPECT_TRUE(count.add());
    EXPECT_FALSE(count.add());
}

TEST(Damage, APlaceTellsTheServersWordsWithoutTheSide) {
    const TablePlan plan = damaged_table();
    DeadLetterCount count;
    Damage damage(plan, Side::kTarget, count);
    DeadLetter block;
    block.block = 7;
    damage.add(block, invalid_page("target"));
    const std::vector<DeadLetter> places = damage.take_places();
    ASSERT_EQ(places.size(), 1U);
    EXPECT_EQ(places[0].side, Side::kTarget);
    EXPECT_EQ(places[0].block, 7);
    EXPECT_EQ(places[0].sqlstate, "XX001");
    EXPECT_EQ(places[0].message, "invalid page");
    EXPECT_TRUE(damage.take_places().empty());
}

TEST(Damage, TheOtherSidesFailureIsNone) {
    const TablePlan plan = damaged_table();
    DeadLetterCount count;
    const Damage damage(plan, Side::kSource, count);
    EXPECT_TRUE(damage.explains(invalid_page("source")));
    EXPECT_TRUE(damage.explains(invalid_page("")));
    EXPECT_FALSE(damage.explains(invalid_page("target")));
    EXPECT_FALSE(damage.explains({ErrorKind::kServer, "denied", "", "source", "42501"}));
}

TEST(Damage, ATableHasAHundredPlacesAtMost) {
    const TablePlan plan = damaged_table();
    DeadLetterCount count;
    Damage damage(plan, Side::kSource, count);
    for (std::size_t i = 0; i < kMostDeadLettersOfTable; ++i) damage.add({}, invalid_page("source"));
    EXPECT_THROW(damage.add({}, invalid_page("source")), Error);
}

TEST(Damage, WhatIsForgottenCountsNoMore) {
    const TablePlan plan = damaged_table();
    DeadLetterCount count;
    for (std::size_t i = 1; i < kMostDeadLettersOfRun; ++i) count.add();
    Damage damage(plan, Side::kSource, count);
    damage.add({}, invalid_page("source"));
    damage.lose_row(true);
    damage.lose_rows(5);
    damage.unread().add_anywhere(1);
    damage.forget();
    EXPECT_EQ(damage.unindexed_rows(), 0U);
    EXPECT_EQ(damage.unknown_rows(), 0U);
    EXPECT_FALSE(damage.unread().holds_unknown_keys());
    damage.add({}, invalid_page("source"));
    EXPECT_THROW(damage.add({}, invalid_page("source")), Error);
}

}  // namespace
}  // namespace parity::driver
