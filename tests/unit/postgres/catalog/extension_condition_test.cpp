#include "driver/postgres/catalog/extension_condition.h"

#include <gtest/gtest.h>

namespace parity::driver {
namespace {

std::string expression(std::string_view text, const std::vector<std::string>& of_other_types = {}) {
    const ExtensionCondition read = read_extension_condition(text, "t", of_other_types);
    EXPECT_EQ(read.why_not_evaluated, "") << text;
    return read.expression;
}

std::string refusal(std::string_view text, const std::vector<std::string>& of_other_types = {}) {
    const ExtensionCondition read = read_extension_condition(text, "t", of_other_types);
    EXPECT_EQ(read.expression, "") << text;
    return read.why_not_evaluated;
}

TEST(ExtensionCondition, NoneIsAllRows) {
    EXPECT_EQ(expression(""), "");
    EXPECT_EQ(expression(" \n"), "");
}

TEST(ExtensionCondition, WhatExtensionsWrite) {
    EXPECT_EQ(expression("WHERE NOT (\nsrid BETWEEN 2000 AND 2217\nOR srid IN (1,2)\n)\n"),
              "NOT (\nsrid BETWEEN 2000 AND 2217\nOR srid IN (1,2)\n)");
    EXPECT_EQ(expression("where is_custom"), "is_custom");
    EXPECT_EQ(expression("WHERE(id >= 1000)"), "(id >= 1000)");
    EXPECT_EQ(expression("WHERE id > .5"), "id > .5");
    EXPECT_EQ(expression("WHERE key <> 'it''s (SELECT)'"), "key <> 'it''s (SELECT)'");
    EXPECT_EQ(expression("WHERE t.id > 1.5 AND lower(name) = 'x'"), "t.id > 1.5 AND lower(name) = 'x'");
    EXPECT_EQ(expression("WHERE day > '2020-01-01'::date AND x = CAST(y AS pg_catalog.text)"),
              "day > '2020-01-01'::date AND x = CAST(y AS pg_catalog.text)");
}

TEST(ExtensionCondition, OtherClauses) {
    EXPECT_EQ(refusal("ORDER BY id"), "it is not a WHERE clause");
    EXPECT_EQ(refusal("WHERE"), "it is not a WHERE clause");
    EXPECT_EQ(refusal("WHEREVER id = 1"), "it is not a WHERE clause");
    EXPECT_EQ(refusal("JOIN x ON true"), "it is not a WHERE clause");
}

TEST(ExtensionCondition, MoreThanOneExpression) {
    EXPECT_NE(refusal("WHERE true) OR (true"), "");
    EXPECT_NE(refusal("WHERE true; DROP TABLE t"), "");
    EXPECT_NE(refusal("WHERE true /* open"), "");
}

TEST(ExtensionCondition, CodeOfOthers) {
    EXPECT_EQ(refusal("WHERE f(id)"), "it calls f");
    EXPECT_EQ(refusal("WHERE f (id)"), "it calls f");
    EXPECT_EQ(refusal("WHERE \"lower\"(id) = 1"), "it calls lower");
    EXPECT_EQ(refusal("WHERE public.lower(id) = 1"), "it names something in public");
    EXPECT_EQ(refusal("WHERE pg_catalog.pg_sleep(1) IS NULL"), "it calls pg_sleep");
    EXPECT_EQ(refusal("WHERE id OPERATOR(public.=) 1"), "it has the word \"operator\"");
    EXPECT_EQ(refusal("WHERE id = 1::public.mine"), "it names something in public");
    EXPECT_EQ(refusal("WHERE (name).pg_read_file = 'x'"), "it takes a part of a value");
    EXPECT_EQ(refusal("WHERE name[1].pg_read_file = 'x'"), "it takes a part of a value");
    EXPECT_EQ(refusal("WHERE '/etc/passwd'.pg_read_file = 'x'"), "it takes a part of a value");
    EXPECT_EQ(refusal("WHERE id IN (SELECT 1)"), "it has the word \"select\"");
    EXPECT_EQ(refusal("WHERE id IN (TABLE x)"), "it has the word \"table\"");
    EXPECT_EQ(refusal("WHERE t IS NOT NULL"), "it is about whole rows");
    EXPECT_EQ(refusal("WHERE (\"t\") = 1"), "it is about whole rows");
    EXPECT_EQ(refusal("WHERE mood LIKE 'x'", {"mood"}), "column mood is of a type that is not PostgreSQL's own");
    EXPECT_EQ(refusal("WHERE t.\"Mood\" LIKE 'x'", {"Mood"}),
              "column \"Mood\" is of a type that is not PostgreSQL's own");
}

/// A schema may have the table's name.
TEST(ExtensionCondition, WhatIsInASchemaOfTheTablesName) {
    EXPECT_EQ(refusal("WHERE t.lower(name) = 'x'"), "it calls lower");
    EXPECT_EQ(refusal("WHERE \"t\" . lower (name) = 'x'"), "it calls lower");
    EXPECT_EQ(refusal("WHERE name LIKE ANY (t.lower(name))"), "it calls lower");
    EXPECT_EQ(refusal("WHERE name::t.mine = 'x'"), "it names a type in t");
    EXPECT_EQ(refusal("WHERE CAST(name AS t.mine) = 'x'"), "it names a type in t");
    EXPECT_EQ(refusal("WHERE t.mine 'x' = name"), "it names a type in t");
    EXPECT_EQ(refusal("WHERE t.mine E'x' = name"), "it names a type in t");
    EXPECT_EQ(refusal("WHERE t.mine N'x' = name"), "it names a type in t");
    EXPECT_EQ(refusal("WHERE t.mine U&'x' = name"), "it names a type in t");
    EXPECT_EQ(expression("WHERE t.e LIKE 'x' AND t.name IN ('a') OR t.n = 'b' AND (t.u) IS NULL"),
              "t.e LIKE 'x' AND t.name IN ('a') OR t.n = 'b' AND (t.u) IS NULL");
}

TEST(ExtensionCondition, NothingThatHidesTokens) {
    EXPECT_NE(refusal("WHERE f/**/(id)"), "");
    EXPECT_NE(refusal("WHERE f--\n(id)"), "");
    EXPECT_NE(refusal("WHERE x = E'\\'' AND f(id) AND '' = ''"), "");
    EXPECT_NE(refusal("WHERE x = $$a$$"), "");
    EXPECT_NE(refusal("WHERE U&\"lower\"(id) = 1"), "");
    EXPECT_NE(refusal("WHERE U&\"f\" UESCAPE '!' (id)"), "");
    EXPECT_NE(refusal("WHERE U&\"!006dood\" UESCAPE '!' LIKE 'x'", {"mood"}), "");
    EXPECT_NE(refusal("WHERE \"a\"\"b\"(id) = 1"), "");
}

}  // namespace
}  // namespace parity::driver
