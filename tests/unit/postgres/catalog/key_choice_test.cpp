#include "driver/postgres/catalog/key_choice.h"

#include <gtest/gtest.h>

namespace parity::driver {
namespace {

using Names = std::vector<std::string>;

UniqueIndex primary(Names columns, bool immediate = true) { return {true, immediate, std::move(columns)}; }
UniqueIndex unique(Names columns, bool immediate = true) { return {false, immediate, std::move(columns)}; }

bool is_comparable(const std::string& column) { return !column.starts_with("odd"); }

KeyDesc choose(const std::vector<UniqueIndex>& indexes, bool has_plain_children = false) {
    return choose_key(indexes, has_plain_children, is_comparable);
}

void expect_key(const KeyDesc& key, const Names& columns, bool proven) {
    EXPECT_EQ(key.columns, columns);
    EXPECT_EQ(key.proven, proven);
}

TEST(KeyChoice, IsNothingWithoutIndexes) { expect_key(choose({}), {}, false); }

TEST(KeyChoice, PrefersThePrimaryKey) {
    for (const auto& indexes :
         {std::vector{primary({"a", "b", "c"}), unique({"d"})}, std::vector{unique({"d"}), primary({"a", "b", "c"})}})
        expect_key(choose(indexes), {"a", "b", "c"}, true);
}

TEST(KeyChoice, TakesTheShortestOtherwiseAndOfTheseTheFirst) {
    expect_key(choose({unique({"a", "b"}), unique({"c"}), unique({"d"})}), {"c"}, true);
    expect_key(choose({unique({"d"}), unique({"c"})}), {"d"}, true);
}

TEST(KeyChoice, KeepsTheIndexsOrderOfColumns) { expect_key(choose({primary({"z", "a", "m"})}), {"z", "a", "m"}, true); }

TEST(KeyChoice, NeedsColumnsThatCanBeCompared) {
    expect_key(choose({primary({"a", "odd"})}), {}, false);
    expect_key(choose({primary({"odd"}), unique({"a", "b"})}), {"a", "b"}, true);
}

TEST(KeyChoice, OfADeferrablePrimaryKeyIsNotProven) {
    expect_key(choose({primary({"a"}, false)}), {"a"}, false);
    for (const auto& indexes : {std::vector{primary({"a"}, false), unique({"b", "c"})},
                                std::vector{unique({"b", "c"}), primary({"a"}, false)}})
        expect_key(choose(indexes), {"b", "c"}, true);
}

TEST(KeyChoice, IsNeverADeferrableUniqueConstraint) { expect_key(choose({unique({"a"}, false)}), {}, false); }

TEST(KeyChoice, OfAParentOfPlainChildrenIsNotProven) {
    expect_key(choose({unique({"b"}), primary({"a"})}, true), {"a"}, false);
    expect_key(choose({unique({"b"})}, true), {}, false);
}

}  // namespace
}  // namespace parity::driver
