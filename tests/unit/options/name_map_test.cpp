#include "driver/options/name_map.h"

#include <gtest/gtest.h>

#include "tests/support/plan_fixtures.h"

namespace parity::driver {
namespace {

using fixtures::usage_error;
using Names = std::vector<std::string>;

TEST(ParseName, FollowsSqlsRules) {
    EXPECT_EQ(parse_name("--map", "Public.Orders", 2), (Names{"public", "orders"}));
    EXPECT_EQ(parse_name("--map", "\"Mixed Case\".\"a.b\"", 2), (Names{"Mixed Case", "a.b"}));
    EXPECT_EQ(parse_name("--map", "\"with \"\"quotes\"\"\"", 1), (Names{"with \"quotes\""}));
    EXPECT_EQ(parse_name("--map", " straße ", 1), (Names{"straße"}));
}

TEST(ParseName, RefusesWhatIsNoName) {
    for (const char* text : {"", "a.", ".a", "a b", "\"open", "\"\"", "a\"b\"", "a*", "x.y.z"}) {
        EXPECT_NE(usage_error([&] { parse_name("--map", text, 2); }).find("--map"), std::string::npos) << text;
    }
}

TEST(SplitUnquoted, LeavesQuotedSeparatorsAlone) {
    EXPECT_EQ(split_unquoted("\"a=b\"=c", '='), (Names{"\"a=b\"", "c"}));
    EXPECT_EQ(split_unquoted("", ','), (Names{""}));
}

TEST(NameMap, MapsNamesAndLeavesOthers) {
    const NameMap maps({"public.orders=sales.purchases"});
    EXPECT_EQ(maps.to_target({"public", "orders"}), (QualifiedName{"sales", "purchases"}));
    EXPECT_EQ(maps.to_source({"sales", "purchases"}), (QualifiedName{"public", "orders"}));
    EXPECT_EQ(maps.to_target({"public", "items"}), (QualifiedName{"public", "items"}));
    EXPECT_EQ(maps.to_source({"public", "items"}), (QualifiedName{"public", "items"}));
}

TEST(NameMap, NameWithoutSchemaKeepsTheSchema) {
    const NameMap maps({"orders=purchases"});
    EXPECT_EQ(maps.to_target({"a", "orders"}), (QualifiedName{"a", "purchases"}));
    EXPECT_EQ(maps.to_source({"b", "purchases"}), (QualifiedName{"b", "orders"}));
}

TEST(NameMap, SourceSchemaLimitsAnEntryWhoseTargetHasNone) {
    const NameMap maps({"a.orders=purchases"});
    EXPECT_EQ(maps.to_target({"a", "orders"}), (QualifiedName{"a", "purchases"}));
    EXPECT_EQ(maps.to_target({"b", "orders"}), (QualifiedName{"b", "orders"}));
    EXPECT_EQ(maps.to_source({"b", "purchases"}), (QualifiedName{"b", "purchases"}));
}

TEST(NameMap, MapsWholeSchemas) {
    const NameMap maps({"old.*=new.*"});
    EXPECT_EQ(maps.to_target({"old", "x"}), (QualifiedName{"new", "x"}));
    EXPECT_EQ(maps.to_source({"new", "x"}), (QualifiedName{"old", "x"}));
    EXPECT_EQ(maps.to_target({"new", "x"}), (QualifiedName{"new", "x"}));
}

TEST(NameMap, TheMostSpecificEntryDecides) {
    const NameMap maps({"old.*=new.*", "orders=purchases", "old.orders=new.deals"});
    EXPECT_EQ(maps.to_target({"old", "orders"}), (QualifiedName{"new", "deals"}));
    EXPECT_EQ(maps.to_target({"other", "orders"}), (QualifiedName{"other", "purchases"}));
    EXPECT_EQ(maps.to_target({"old", "items"}), (QualifiedName{"new", "items"}));
    EXPECT_EQ(maps.entry_for({"old", "items"})->text, "old.*=new.*");
    EXPECT_EQ(maps.entry_for({"other", "items"}), nullptr);
}

TEST(NameMap, RefusesWhatIsNoMap) {
    for (const char* text : {"t", "=t", "t=", "a=b=c", "a.b.c=d", "a.*=b", "a=b.*", "*=b.*"}) {
        EXPECT_NE(usage_error([&] { NameMap({text}); }).find("--map"), std::string::npos) << text;
    }
}

TEST(NameMap, RefusesContradictions) {
    EXPECT_EQ(usage_error([] { NameMap({"a=b", "a=c"}); }), "--map \"a=c\" contradicts --map \"a=b\"");
    EXPECT_EQ(usage_error([] { NameMap({"a=c", "b=c"}); }), "--map \"b=c\" contradicts --map \"a=c\"");
}

TEST(ColumnMaps, ReadScopeAndNames) {
    const auto entries = parse_column_maps({"a=b", "t.a=b", "s.t.\"A\"=\"B C\""});
    EXPECT_EQ(entries[0].scope.precision(), 0);
    EXPECT_EQ(entries[1].scope.table, "t");
    EXPECT_EQ(entries[1].scope.precision(), 1);
    EXPECT_EQ(entries[2].scope.schema, "s");
    EXPECT_EQ(entries[2].source, "A");
    EXPECT_EQ(entries[2].target, "B C");
    EXPECT_TRUE(entries[1].scope.covers({"x", "t"}));
    EXPECT_FALSE(entries[2].scope.covers({"x", "t"}));
    for (const char* text : {"a", "public.t.v", "a=b.c", "=b", "a="}) {
        EXPECT_NE(usage_error([&] { parse_column_maps({text}); }).find("--map-column"), std::string::npos) << text;
    }
}

TEST(Keys, ReadColumnsInTheirOrder) {
    const auto entries = parse_keys({"b,a", "t=\"Id\"", "s.t = x , y"});
    EXPECT_EQ(entries[0].columns, (Names{"b", "a"}));
    EXPECT_EQ(entries[0].scope.precision(), 0);
    EXPECT_EQ(entries[1].columns, (Names{"Id"}));
    EXPECT_EQ(entries[2].columns, (Names{"x", "y"}));
    EXPECT_EQ(entries[2].scope.schema, "s");
    EXPECT_EQ(usage_error([] { parse_keys({"a,b,a"}); }), "column \"a\" occurs twice in --key \"a,b,a\"");
    usage_error([] { parse_keys({""}); });
    usage_error([] { parse_keys({"a=b=c"}); });
}

TEST(Columns, SplitAtCommas) {
    const auto entries = parse_columns("--columns", {"a,t.b", "s.t.\"c,d\""});
    ASSERT_EQ(entries.size(), 3u);
    EXPECT_EQ(entries[0].column, "a");
    EXPECT_EQ(entries[1].scope.table, "t");
    EXPECT_EQ(entries[2].column, "c,d");
    EXPECT_EQ(entries[2].scope.schema, "s");
}

}  // namespace
}  // namespace parity::driver
