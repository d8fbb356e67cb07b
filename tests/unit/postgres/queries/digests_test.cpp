#include "driver/postgres/queries/digests.h"

#include <gtest/gtest.h>

#include "driver/postgres/queries/quoting.h"
#include "driver/postgres/queries/record.h"
#include "driver/postgres/queries/session.h"
#include "tests/support/core_bytes.h"

namespace parity::driver {
namespace {

TEST(Quoting, IdentifiersAndLiterals) {
    EXPECT_EQ(quote_identifier("a\"b"), "\"a\"\"b\"");
    EXPECT_EQ(quote_identifier(QualifiedName{"My Schema", "select"}), "\"My Schema\".\"select\"");
    EXPECT_EQ(quote_literal("it's"), "'it''s'");
    EXPECT_EQ(quote_literal("back\\slash's"), "E'back\\\\slash''s'");
}

TEST(Quoting, Arrays) {
    EXPECT_EQ(array_literal(std::vector<std::string>{}), "{}");
    EXPECT_EQ(array_literal(std::vector<std::string>{"a,b", "", "NULL", "q\"\\"}),
              "{\"a,b\",\"\",\"NULL\",\"q\\\"\\\\\"}");
    EXPECT_EQ(array_literal(std::vector<std::optional<std::string>>{"x", std::nullopt}), "{\"x\",NULL}");
    EXPECT_EQ(array_literal(std::vector<std::uint32_t>{7, 4294967295u}), "{7,4294967295}");
}

TablePlan keyed() {
    TablePlan plan;
    plan.oid = {11, 22};
    plan.name = {{"public", "t"}, {"public", "u"}};
    plan.key = {{{"id", "ident"}, "int", true}};
    plan.columns = {{{"a", "b"}, "text", false}};
    return plan;
}

/// A binary parameter, from hexadecimal.
Parameter binary(const std::string& hex) { return Parameter::binary(test::from_hex(hex)); }

TEST(Arrays, TravelInBinary) {
    EXPECT_EQ(bytea_array({}), binary("00000000 00000000 00000011"));
    EXPECT_EQ(bytea_array({std::string("k\0\xff", 3), ""}),
              binary("00000001 00000000 00000011 00000002 00000001 00000003 6b00ff 00000000"));
    EXPECT_EQ(integer_array({2, -1}),
              binary("00000001 00000000 00000017 00000002 00000001 00000004 00000002 00000004 ffffffff"));
}

TEST(DigestCalls, CarryEverythingAsParametersOfTheRightSide) {
    TablePlan plan = keyed();
    plan.where = "true) --";
    DigestSettings settings;
    settings.seed = ~std::uint64_t{0};
    const RangeList ranges{.bounds = {"k\x01"}, .only = {2, 3}, .buckets = 8};
    const Query query = range_digests_call(plan, Side::kTarget, settings, ranges);
    EXPECT_EQ(
        query.parameters,
        (std::vector<Parameter>{"22", "{\"ident\"}", "{\"b\"}", "{\"ident\",\"b\"}", "{\"int\",\"text\"}", "true) --",
                                "-1", "64", bytea_array({"k\x01"}), integer_array({2, 3}), Parameter{}, "8"}));
    EXPECT_EQ(query.sql.find("true) --"), std::string::npos);
    EXPECT_EQ(range_totals_call(plan, Side::kTarget, settings, ranges).parameters, query.parameters);
}

TEST(DigestCalls, AskForNoFilterAndAllRangesByNull) {
    const Query query = row_records_call(keyed(), Side::kSource, {}, {});
    EXPECT_EQ(query.parameters.at(5), Parameter{});
    EXPECT_EQ(query.parameters.at(8), bytea_array({}));
    EXPECT_EQ(query.parameters.at(9), Parameter{});
}

TEST(DigestCalls, AKeylessTableHasAnEmptyKeyNotTheRelationsOwn) {
    TablePlan plan = keyed();
    plan.key.clear();
    EXPECT_EQ(split_keys_call(plan, Side::kSource, 8).parameters,
              (std::vector<Parameter>{"11", "{}", "{\"a\"}", "{\"text\"}", "8"}));
}

TEST(SessionStatements, PinOnlyWhatTheServerHas) {
    TransactionSettings settings;
    settings.application_name = "pgparity: it's";
    const std::string old = begin_statements(settings, {});
    EXPECT_EQ(old.find("LOCAL transaction_timeout"), std::string::npos);
    EXPECT_EQ(old.find("restrict_nonsystem_relation_kind"), std::string::npos);
    EXPECT_EQ(old.find("client_connection_check_interval"), std::string::npos);
    EXPECT_NE(old.find("SET LOCAL application_name = 'pgparity: it''s';"), std::string::npos);
    EXPECT_NE(old.find("SET LOCAL row_security = 'off';"), std::string::npos);
    EXPECT_NE(old.find("SET LOCAL statement_timeout = '0';"), std::string::npos);
    EXPECT_NE(pin_session_statements().find("SET jit = off"), std::string::npos);
    const std::string recent = begin_statements(settings, {"transaction_timeout", "restrict_nonsystem_relation_kind"});
    EXPECT_NE(recent.find("SET LOCAL transaction_timeout = '0';"), std::string::npos);
    EXPECT_NE(recent.find("SET LOCAL restrict_nonsystem_relation_kind = 'view, foreign-table';"), std::string::npos);
}

TEST(RecordCalls, CarryEverythingAsParameters) {
    const Query start = record_run_start_call({"host=a", "x'); DROP", "pgparity 1.0", "{}"});
    EXPECT_EQ(start.parameters, (std::vector<Parameter>{"host=a", "x'); DROP", "pgparity 1.0", "{}"}));
    EXPECT_EQ(start.sql.find("DROP"), std::string::npos);
    EXPECT_EQ(record_divergences_call("7", "[]").parameters, (std::vector<Parameter>{"7", "[]"}));
    EXPECT_EQ(record_run_finish_call("7", "identical", "", "").parameters,
              (std::vector<Parameter>{"7", "identical", std::nullopt, std::nullopt}));
}

TEST(RecordCalls, SessionsKeepOpenWhereTheServerWouldEndThem) {
    EXPECT_EQ(record_session_statements({}, 30).find("idle_session_timeout = 0"), std::string::npos);
    EXPECT_NE(record_session_statements({"idle_session_timeout"}, 30).find("SET idle_session_timeout = 0"),
              std::string::npos);
    EXPECT_NE(record_session_statements({}, 30).find("SET statement_timeout = '30s'"), std::string::npos);
}

TEST(SessionStatements, RestrictViewsAndForeignTablesUnlessNamed) {
    const auto restricted = [](bool views, bool foreign_tables) {
        TransactionSettings settings;
        settings.allow_views = views;
        settings.allow_foreign_tables = foreign_tables;
        const std::string sql = begin_statements(settings, {"restrict_nonsystem_relation_kind"});
        return sql.substr(sql.find("restrict_nonsystem_relation_kind"));
    };
    EXPECT_NE(restricted(true, true).find("= '';"), std::string::npos);
    EXPECT_NE(restricted(false, true).find("= 'view';"), std::string::npos);
    EXPECT_NE(restricted(true, false).find("= 'foreign-table';"), std::string::npos);
}

}  // namespace
}  // namespace parity::driver
