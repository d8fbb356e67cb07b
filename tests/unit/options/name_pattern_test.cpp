#include "driver/options/name_pattern.h"

#include <gtest/gtest.h>

#include "tests/support/plan_fixtures.h"

namespace parity::driver {
namespace {

using fixtures::usage_error;

NamePattern table_pattern(std::string_view text) { return parse_table_pattern("--table", text); }

TEST(NamePattern, TranslatesWildcardsAndLowersLetters) {
    EXPECT_EQ(table_pattern("Orders").name_regex, "^(orders)$");
    EXPECT_EQ(table_pattern("ord*").name_regex, "^(ord.*)$");
    EXPECT_EQ(table_pattern("o?ders").name_regex, "^(o.ders)$");
    EXPECT_EQ(table_pattern("a|b").name_regex, "^(a|b)$");
    EXPECT_EQ(table_pattern("t[0-9]+").name_regex, "^(t[0-9]+)$");
}

TEST(NamePattern, TakesDollarAndEmptyBracketsLiterally) {
    EXPECT_EQ(table_pattern("cost$").name_regex, "^(cost\\$)$");
    EXPECT_EQ(table_pattern("_int[]").name_regex, "^(_int\\[])$");
}

TEST(NamePattern, QuotesKeepCaseAndEscapeSpecialCharacters) {
    EXPECT_EQ(table_pattern("\"Orders\"").name_regex, "^(Orders)$");
    EXPECT_EQ(table_pattern("\"a.b*c\"").name_regex, "^(a\\.b\\*c)$");
    EXPECT_EQ(table_pattern("\"say \"\"hi\"\"\"").name_regex, "^(say \"hi\")$");
    EXPECT_EQ(table_pattern("\"back\\slash\"").name_regex, "^(back\\\\slash)$");
    EXPECT_EQ(table_pattern("FOO\"BAR\"").name_regex, "^(fooBAR)$");
}

TEST(NamePattern, SplitsAtDotsOutsideOfQuotes) {
    const NamePattern two = table_pattern("Sales.\"Big.Orders\"");
    EXPECT_EQ(two.schema_regex, "^(sales)$");
    EXPECT_EQ(two.name_regex, "^(Big\\.Orders)$");
    EXPECT_FALSE(two.database);
    const NamePattern three = table_pattern("db.sales.orders");
    EXPECT_EQ(three.database, "^(db)$");
    EXPECT_EQ(three.schema_regex, "^(sales)$");
    EXPECT_FALSE(table_pattern("orders").schema_regex);
}

TEST(NamePattern, IsExactOnlyWithoutWildcardsInAnyPart) {
    EXPECT_TRUE(table_pattern("public.orders").exact);
    EXPECT_TRUE(table_pattern("\"a*b?\"").exact);
    EXPECT_TRUE(table_pattern("cost$").exact);
    for (const char* text : {"ord*", "*.orders", "o?", "a|b", "t[12]", "o(rders)", "o+", "a\\d"}) {
        EXPECT_FALSE(table_pattern(text).exact) << text;
    }
}

TEST(NamePattern, RefusesWhatIsNoPattern) {
    EXPECT_EQ(usage_error([] { table_pattern("a.b.c.d"); }),
              "pattern \"a.b.c.d\" of --table has too many dotted names");
    EXPECT_EQ(usage_error([] { table_pattern(""); }), "pattern \"\" of --table has an empty part");
    EXPECT_EQ(usage_error([] { table_pattern("a..b"); }), "pattern \"a..b\" of --table has an empty part");
    EXPECT_EQ(usage_error([] { table_pattern("\"open"); }), "pattern \"\"open\" of --table has an unclosed quote");
    EXPECT_EQ(usage_error([] { parse_schema_pattern("--schema", "a.b"); }),
              "pattern \"a.b\" of --schema is not the name of a schema");
}

TEST(NamePattern, SelectionHoldsEveryPattern) {
    Options options;
    options.tables = {"a", "b*"};
    options.schemas = {"s"};
    options.exclude_tables = {"public.x"};
    const Selection selection = make_selection(options);
    ASSERT_EQ(selection.tables.size(), 2u);
    EXPECT_EQ(selection.tables[1].text, "b*");
    EXPECT_EQ(selection.schemas.at(0).name_regex, "^(s)$");
    EXPECT_EQ(selection.excluded.at(0).schema_regex, "^(public)$");
}

}  // namespace
}  // namespace parity::driver
