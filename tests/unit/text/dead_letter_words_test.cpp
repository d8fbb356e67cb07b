#include "driver/text/dead_letter_words.h"

#include <gtest/gtest.h>

#include "tests/support/key_bounds.h"

namespace parity::driver {
namespace {

using test::int_frame;

TablePlan table_with_two_key_columns() {
    TablePlan table;
    table.key = {{{"id", "id"}, "int", true}, {{"line", "line"}, "int", true}};
    return table;
}

DeadLetter range_of(const std::string& lower, const std::string& upper) {
    DeadLetter letter;
    letter.has_range = true;
    letter.lower = lower;
    letter.upper = upper;
    return letter;
}

/// Bounds may lack columns behind the first.
TEST(PlaceWords, ARangeIsToldByTheColumnsOfItsBounds) {
    const TablePlan table = table_with_two_key_columns();
    EXPECT_EQ(place_words(table, range_of("k" + int_frame(5), "k" + int_frame(7) + int_frame(1))),
              "the rows with keys from (id)=(5) below (id, line)=(7, 1)");
    EXPECT_EQ(place_words(table, range_of("", "k" + int_frame(7))), "the rows with keys below (id)=(7)");
    EXPECT_EQ(place_words(table, range_of("", "")), "all rows");
    EXPECT_EQ(place_words(table, range_of("h12345678", "")), "a part of the rows, by the hashes of their keys");
}

TEST(DeadLetterWords, TellThePlaceAndWhy) {
    const TablePlan table = table_with_two_key_columns();
    DeadLetter letter;
    letter.side = Side::kTarget;
    letter.block = 12;
    letter.sqlstate = "XX001";
    letter.message = "invalid page";
    EXPECT_EQ(dead_letter_words(table, letter), "target: block 12 could not be read: invalid page (XX001)");
    letter.line = 3;
    letter.has_key = true;
    letter.key_bytes = int_frame(17) + int_frame(4);
    letter.column = "doc";
    EXPECT_EQ(place_words(table, letter), "column doc of the row (id, line)=(17, 4) at (12,3)");
}

}  // namespace
}  // namespace parity::driver
