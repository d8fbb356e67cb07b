#include "driver/record/facts.h"

#include <gtest/gtest.h>

#include "core/bytes.h"
#include "tests/support/key_bounds.h"

namespace parity::driver {
namespace {

using Severity = SchemaDifference::Severity;

using test::int_frame;

TableResult compared(Verdict verdict) {
    TableResult result;
    result.plan.name = {{"public", "orders"}, {"shop", "orders"}};
    result.plan.key = {{{"id", "id"}, "int", true}};
    result.plan.columns = {{{"amount", "amount"}, "decimal", false}, {{"note", "note"}, "text", false}};
    result.column_divergent = {false, false};
    result.verdict = verdict;
    result.path = {"scan", "stream"};
    result.rows = {10, 11};
    result.ranges_compared = 4;
    result.lsn = {"0/1", ""};
    return result;
}

TableResult divergent() {
    TableResult result = compared(Verdict::kDivergent);
    result.ranges_divergent = 2;
    result.column_divergent = {true, false};
    result.counts = {1, 2, 0};
    result.listed = 3;
    return result;
}

TableRecord record(const TableResult& result, const std::vector<SchemaDifference>& differences = {},
                   const Options& options = {}, bool cancelled = false) {
    return record_of(result, differences, options, cancelled);
}

TEST(TableRecords, HoldWhatWasCompared) {
    const TableRecord made = record(compared(Verdict::kIdentical));
    EXPECT_EQ(made.relation, "public.orders");
    EXPECT_EQ(made.target_relation, "shop.orders");
    EXPECT_EQ(made.status, "identical");
    EXPECT_EQ(made.facts["source_rows"], 10);
    EXPECT_EQ(made.facts["target_rows"], 11);
    EXPECT_EQ(made.facts["source_lsn"], "0/1");
    EXPECT_FALSE(made.facts.contains("target_lsn"));
    EXPECT_FALSE(made.facts.contains("message"));
    EXPECT_EQ(made.facts["details"]["target_path"], "stream");
    EXPECT_EQ(made.facts["details"]["key"], Json::array({"id"}));
}

TEST(TableRecords, TellWhatOfTheTableWasCompared) {
    TableResult result = compared(Verdict::kIdentical);
    EXPECT_EQ(record(result).scope, Json::parse(R"({"target_relation": "shop.orders"})"));
    result.plan.name.target = result.plan.name.source;
    EXPECT_EQ(record(result).scope, Json::object());
    result.plan.where = "id < 5";
    result.plan.scope = {{"note", "doc"}, {"id"}, {{"amount", "decimal"}}};
    result.plan.visible_rows_only = true;
    EXPECT_EQ(record(result).scope, Json::parse(R"({"filter": "id < 5", "without_columns": ["doc", "note"],
        "key_columns": ["id"], "forms": {"amount": "decimal"}, "visible_rows_only": true})"));
}

TEST(TableRecords, HoldWhatDiffers) {
    const TableRecord made = record(divergent());
    EXPECT_EQ(made.status, "divergent");
    EXPECT_EQ(made.facts["divergent_ranges"], 2);
    EXPECT_EQ(made.facts["divergent_rows"], 3);
    EXPECT_EQ(made.facts["unnamed_ranges"], 0);
    EXPECT_EQ(made.facts["divergent_columns"], Json::array({"amount"}));
    EXPECT_EQ(made.facts["details"]["missing_on_target"], 2);
}

TEST(TableRecords, TellHowManyRowsAreNotRecorded) {
    TableResult result = divergent();
    result.counts.mismatch = 8124;
    const TableRecord made = record(result);
    EXPECT_EQ(made.facts["divergent_rows"], 8126);
    EXPECT_EQ(made.facts["details"]["not_recorded"], 8123);
    EXPECT_EQ(made.facts["message"], "8123 of 8126 differing rows are not recorded (--max-divergences 1000)");
}

TEST(TableRecords, ATableThatFailedBeforeItsRowsWereFoundHasUnnamedRanges) {
    TableResult result = divergent();
    result.counts = {};
    result.listed = 0;
    result.error = "lost the connection";
    const TableRecord made = record(result);
    EXPECT_EQ(made.status, "divergent");
    EXPECT_EQ(made.facts["unnamed_ranges"], 2);
    EXPECT_EQ(made.facts["message"], "lost the connection");
}

TEST(TableRecords, AFailureIsNoAnswer) {
    TableResult result = compared(Verdict::kError);
    result.error = "permission denied";
    result.sqlstate = "42501";
    result.path = {};
    EXPECT_EQ(record(result).status, "failed");
    EXPECT_EQ(record(result).facts["sqlstate"], "42501");
    EXPECT_FALSE(record(result).facts.contains("source_rows"));
    EXPECT_EQ(record(result, {}, {}, true).status, "cancelled");
}

TEST(TableRecords, WhatWasLeftOutMakesItIncomplete) {
    TableResult result = compared(Verdict::kIdentical);
    result.skipped = {"column doc: type x is not comparable", "no rights"};
    const TableRecord made = record(result);
    EXPECT_EQ(made.status, "incomplete");
    EXPECT_EQ(made.facts["not_compared"], Json::parse(R"([{"what": "column doc", "reason": "type x is not comparable"},
                              {"what": "table", "reason": "no rights"}])"));
}

TEST(TableRecords, AColumnThatOneSideLacksIsADivergence) {
    const std::vector<SchemaDifference> differences = {
        {Severity::kDivergence, "public.orders.extra", "column exists only on source"},
        {Severity::kDivergence, "public.orders_old", "table exists only on source"},
        {Severity::kNote, "public.orders.note", "collation differs"}};
    const TableRecord made = record(compared(Verdict::kIdentical), differences);
    EXPECT_EQ(made.status, "divergent");
    EXPECT_EQ(made.facts["message"], "public.orders.extra: column exists only on source");
    EXPECT_EQ(made.facts["details"]["schema"].size(), 2U);
}

TEST(TableRecords, NotesAreDivergencesOnlyUnderStrictSchema) {
    const std::vector<SchemaDifference> notes = {{Severity::kNote, "public.orders", "key differs"}};
    EXPECT_EQ(record(compared(Verdict::kIdentical), notes).status, "identical");
    Options strict;
    strict.strict_schema = true;
    EXPECT_EQ(record(compared(Verdict::kIdentical), notes, strict).status, "divergent");
}

TEST(TableRecords, WhatOneSideLacksHasARecordOfItsOwn) {
    const std::vector<SchemaDifference> differences = {
        {Severity::kDivergence, "public.orders.extra", "column exists only on source"},
        {Severity::kDivergence, "public.orders_old", "table exists only on source"},
        {Severity::kNote, "public.s", "another increment"}};
    const auto records = records_of_lone_objects(differences, {compared(Verdict::kIdentical).plan}, {});
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].relation, "public.orders_old");
    EXPECT_EQ(records[0].status, "divergent");
    EXPECT_EQ(records[0].facts["message"], "table exists only on source");
}

TEST(TableRecords, OfSequencesAndOfTablesThatCouldNotBeCompared) {
    SequenceResult sequence;
    sequence.sequence.source.name = sequence.sequence.target.name = {"public", "s"};
    sequence.verdict = Verdict::kDivergent;
    sequence.reason = "5 on source, 7 on target";
    EXPECT_EQ(record_of(sequence).status, "divergent");
    EXPECT_EQ(record_of(sequence).facts["message"], "5 on source, 7 on target");
    sequence.notes = {"ahead by 2"};
    EXPECT_EQ(record_of(sequence).facts["details"], Json::parse(R"({"notes": ["ahead by 2"]})"));
    const TableRecord skipped = record_of_skipped({{"public", "v"}, {"public", "v"}}, "it is a view");
    EXPECT_EQ(skipped.status, "incomplete");
    EXPECT_EQ(skipped.facts["message"], "it is a view");
}

TEST(DivergenceRecords, HoldKeysAndColumnsAndValuesOnRequest) {
    const TableResult result = divergent();
    const FindingWriter writer(result.plan);
    Finding finding{FindingKind::kMismatch, int_frame(17), {0}, 1, {{"1.00"}, {std::nullopt}}};
    EXPECT_EQ(divergence_record(writer, finding, false), Json::parse(R"({"kind": "mismatch", "state": "divergent",
        "occurrences": 1, "key": {"id": "17"}, "columns": ["amount"]})"));
    const Json with_values = divergence_record(writer, finding, true);
    EXPECT_EQ(with_values["source_values"], Json::parse(R"({"amount": "1.00"})"));
    EXPECT_EQ(with_values["target_values"], Json::parse(R"({"amount": null})"));
}

TEST(DivergenceRecords, TheKeyOfATableWithoutOneIsAllOfItsValues) {
    TablePlan plan;
    plan.columns = {{{"a", "a"}, "int", false}};
    const FindingWriter writer(plan);
    const Finding finding{FindingKind::kMissingOnTarget, int_frame(5), {}, 3, {}};
    const Json without = divergence_record(writer, finding, false);
    EXPECT_FALSE(without.contains("key"));
    EXPECT_EQ(without["occurrences"], 3);
    EXPECT_EQ(divergence_record(writer, finding, true)["key"], Json::parse(R"({"a": "5"})"));
}

TEST(DivergenceRecords, CutLongValuesBetweenCharacters) {
    const TableResult result = divergent();
    const FindingWriter writer(result.plan);
    std::string text = "x";
    while (text.size() < 2 * kMostRecordedBytes) text += "é";
    Finding finding{FindingKind::kMismatch, int_frame(17), {1}, 1, {{text}, {"short"}}};
    const Json cut = divergence_record(writer, finding, true)["source_values"]["note"];
    EXPECT_EQ(cut["length"], text.size());
    EXPECT_EQ(cut["beginning"].get<std::string>().size(), kMostRecordedBytes - 1);
    EXPECT_NO_THROW(cut.dump());
}

TEST(RunRecords, HoldWhatWasAskedForWithoutConnectionStrings) {
    Options options;
    options.given = {{"table", {"a", "b"}}, {"where", {"id > 1"}}, {"no-sequences", {}}};
    EXPECT_EQ(options_record(options, 7),
              Json::parse(R"({"no-sequences": true, "table": ["a", "b"], "where": "id > 1", "seed": "7"})"));
}

TEST(RunRecords, AnInterruptedRunConcludesNothing) {
    EXPECT_EQ(run_status(Verdict::kDivergent, true), "cancelled");
    EXPECT_EQ(run_status(Verdict::kDivergent, false), "divergent");
    EXPECT_EQ(run_status(Verdict::kError, false), "failed");
}

}  // namespace
}  // namespace parity::driver
