#include "driver/postgres/queries/partitions.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/form.h"
#include "tests/support/key_bounds.h"

namespace parity::driver {
namespace {

using Key = std::vector<std::optional<std::string>>;

ColumnPlan key_column(const std::string& name, const std::string& form, const Both<std::string>& type) {
    ColumnPlan column;
    column.name = {name, name};
    column.form = form;
    column.in_key = true;
    column.type = type;
    return column;
}

ColumnPlan text_column(const std::string& name) { return key_column(name, "text", {"text", "text"}); }

TablePlan partitioned(std::vector<ColumnPlan> key) {
    TablePlan table;
    table.oid = {11, 22};
    table.name = {{"public", "p"}, {"public", "p"}};
    table.relkind = {'p', 'p'};
    table.key = std::move(key);
    table.key_proven = true;
    return table;
}

/// A framed key of texts.
std::string framed(const Key& key) {
    std::string bytes;
    for (const std::optional<std::string>& value : key) bytes += test::frame(core::Form::kText, value);
    return bytes;
}

bool is_asked_for(const ColumnPlan& column, Side side) {
    return fullest_partition_query(partitioned({column}), side, {}).has_value();
}

bool is_asked_for(const std::string& form, const Both<std::string>& type, Side side) {
    return is_asked_for(key_column("id", form, type), side);
}

TEST(FullestPartition, IsAskedForByNamesThatNeedQuotes) {
    TablePlan table = partitioned({text_column("i d"), text_column("b\"c")});
    table.name.target = {"S", "p c"};
    const Query query = fullest_partition_query(table, Side::kTarget, {framed({"1", "x"})}).value();
    EXPECT_NE(query.sql.find("FROM \"S\".\"p c\" AS r"), std::string::npos) << query.sql;
    EXPECT_NE(query.sql.find("r.\"i d\" = k.k0 AND r.\"b\"\"c\" = k.k1"), std::string::npos) << query.sql;
    EXPECT_EQ(query.parameters.at(0), Parameter("22"));
}

TEST(FullestPartition, IsAskedForWithAnArrayForEachColumn) {
    const TablePlan table = partitioned({text_column("a"), text_column("b")});
    const Query query =
        fullest_partition_query(table, Side::kSource, {framed({"it's", "a\"b"}), framed({"c\\d", "{e,f}"})}).value();
    EXPECT_NE(query.sql.find("pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])"), std::string::npos);
    EXPECT_NE(query.sql.find(" WITH ORDINALITY AS k(k0, k1, no)"), std::string::npos) << query.sql;
    EXPECT_EQ(query.parameters, (std::vector<Parameter>{"11", R"({"it's","c\\d"})", R"({"a\"b","{e,f}"})"}));
}

TEST(FullestPartition, NullIsNoText) {
    const TablePlan table = partitioned({text_column("a")});
    const Query query =
        fullest_partition_query(table, Side::kSource, {framed({std::nullopt}), framed({"NULL"}), framed({""})}).value();
    EXPECT_EQ(query.parameters.at(1), Parameter(R"({NULL,"NULL",""})"));
}

/// A key that a corrupt index has twice counts once.
TEST(FullestPartition, CountsKeysAndNotRows) {
    const Query query = fullest_partition_query(partitioned({text_column("a")}), Side::kSource, {}).value();
    EXPECT_NE(query.sql.find("pg_catalog.count(DISTINCT k.no)"), std::string::npos);
}

TEST(FullestPartition, IsNotAskedForByTypesOfOthers) {
    for (const Side side : kSides) {
        EXPECT_TRUE(is_asked_for("int", {"integer", "bigint"}, side));
        EXPECT_TRUE(is_asked_for("text", {"character varying(20)", "text"}, side));
        EXPECT_FALSE(is_asked_for("int[]", {"integer[]", "integer[]"}, side));
        EXPECT_FALSE(is_asked_for("int", {"app.number", "app.number"}, side));
    }
    EXPECT_TRUE(is_asked_for("int", {"integer", "app.number"}, Side::kSource));
    EXPECT_FALSE(is_asked_for("int", {"integer", "app.number"}, Side::kTarget));
}

TEST(FullestPartition, IsNotAskedForByAFormWithAZone) {
    ColumnPlan column = key_column("at", "timestamptz", {"timestamp without time zone", "timestamp with time zone"});
    EXPECT_TRUE(is_asked_for(column, Side::kSource));
    column.asked_forms.source = "timestamptz@Europe/Berlin";
    EXPECT_FALSE(is_asked_for(column, Side::kSource));
    EXPECT_TRUE(is_asked_for(column, Side::kTarget));
}

/// The texts are the source's.
TEST(FullestPartition, IsNotAskedForByTextsThatTheTargetReadsOtherwise) {
    for (const Both<std::string>& type :
         {Both<std::string>{"money", "money"}, {"money", "numeric"}, {"numeric", "money"}}) {
        EXPECT_TRUE(is_asked_for("decimal", type, Side::kSource)) << type.source;
        EXPECT_FALSE(is_asked_for("decimal", type, Side::kTarget)) << type.source;
    }
    EXPECT_TRUE(is_asked_for("bytes", {"\"char\"", "\"char\""}, Side::kTarget));
    EXPECT_FALSE(is_asked_for("bytes", {"\"char\"", "bytea"}, Side::kTarget));
    EXPECT_FALSE(is_asked_for("bytes", {"bytea", "\"char\""}, Side::kTarget));
    EXPECT_TRUE(is_asked_for("decimal", {"numeric", "integer"}, Side::kTarget));
    for (const auto& [form, kind, target] :
         {std::tuple{"decimal", Notation::Kind::kMoney, "numeric"}, {"bytes", Notation::Kind::kChar, "bytea"}}) {
        ColumnPlan of_domain = key_column("id", form, {"app.own", target});
        EXPECT_TRUE(is_asked_for(of_domain, Side::kTarget)) << "a domain over the same";
        of_domain.notation.kind = kind;
        EXPECT_FALSE(is_asked_for(of_domain, Side::kTarget)) << form;
    }
}

/// A lower limit of the run stays.
TEST(FewRowsSettings, RaiseNoLimit) {
    const std::string sql = few_rows_settings_statements();
    EXPECT_NE(sql.find("NOT BETWEEN 1 AND 10000"), std::string::npos) << sql;
    EXPECT_EQ(sql.find("SET LOCAL statement_timeout"), std::string::npos) << sql;
}

}  // namespace
}  // namespace parity::driver
