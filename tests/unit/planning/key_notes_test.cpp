#include "driver/planning/key_notes.h"

#include <gtest/gtest.h>

#include "driver/model/plan.h"
#include "driver/planning/money_notes.h"
#include "tests/support/plan_fixtures.h"

namespace parity::driver {
namespace {

const KeyDesc kProven{{"id"}, true}, kUnproven{{"id"}, false}, kNone{};

TEST(KeyNotes, SayWhatDiffers) {
    const KeyRemark other = explain_unproven({kProven, kNone}, {false, false});
    EXPECT_TRUE(other.sides_differ);
    EXPECT_EQ(other.text, "key (id) on source, none on target");
    const KeyRemark deferrable = explain_unproven({kProven, kUnproven}, {false, false});
    EXPECT_TRUE(deferrable.sides_differ);
    EXPECT_EQ(deferrable.text, "key (id) is not proven on target: its primary key is deferrable");
    EXPECT_TRUE(explain_unproven({kUnproven, kUnproven}, {false, true}).sides_differ);
}

TEST(KeyNotes, WhatBothSidesHaveAlikeIsNoDifference) {
    const KeyRemark tree = explain_unproven({kUnproven, kUnproven}, {true, true});
    EXPECT_FALSE(tree.sides_differ);
    EXPECT_EQ(tree.text, "key (id) is not proven: its primary key holds for each of its children and itself alone");
}

TEST(KeyNotes, TellOfAKeyWithoutAForm) {
    RelationDesc books = fixtures::table(1, "books", {fixtures::column("isbn", "isbn13", "")}, {});
    EXPECT_EQ(explain_unused(Side::kSource, books, ""), std::nullopt);
    books.better_key = {"isbn"};
    EXPECT_EQ(explain_unused(Side::kSource, books, ""),
              "key (isbn) on source is not used (column isbn: type isbn13 is not comparable); rows are compared "
              "without a key");
    EXPECT_TRUE(explain_unused(Side::kTarget, books, "(id)")->ends_with("rows are compared by (id)"));
}

TablePlan prices(const std::string& form) {
    TablePlan plan;
    plan.columns = {{{"price", "price"}, form}};
    return plan;
}

Both<ServerInfo> servers(const std::string& source, int source_digits, const std::string& target, int target_digits) {
    Both<ServerInfo> made;
    made.source.lc_monetary = source;
    made.source.money_digits = source_digits;
    made.target.lc_monetary = target;
    made.target.money_digits = target_digits;
    return made;
}

TEST(MoneyNotes, TellOfOtherCurrencies) {
    const auto yen = servers("ja_JP.UTF-8", 0, "en_US.UTF-8", 2);
    EXPECT_TRUE(note_money(prices("money"), yen)->ends_with("equal numbers are other amounts"));
    EXPECT_TRUE(note_money(prices("money[]"), yen).has_value());
    EXPECT_EQ(note_money(prices("decimal"), yen), std::nullopt);
    EXPECT_TRUE(note_money(prices("money"), servers("de_DE.UTF-8", 2, "en_US.UTF-8", 2))
                    ->ends_with("amounts of other currencies"));
    EXPECT_EQ(note_money(prices("money"), servers("C.UTF-8", 2, "C", 2)), std::nullopt);
}

}  // namespace
}  // namespace parity::driver
