#include "driver/report/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/bytes.h"
#include "driver/compare/sequences.h"
#include "driver/report/document.h"
#include "driver/report/formats.h"
#include "driver/report/parts.h"
#include "tests/support/key_bounds.h"
#include "tests/support/written_text.h"

namespace parity::driver {
namespace {

using nlohmann::json;

using test::int_frame;

ColumnPlan compared_column(const std::string& name, const std::string& form) { return {{name, name}, form, false}; }

TableResult compared_table(const std::string& name, Verdict verdict) {
    TableResult result;
    result.plan.name = {{"public", name}, {"public", name}};
    result.plan.key = {compared_column("id", "int")};
    result.plan.key_proven = true;
    result.plan.columns = {compared_column("amount", "decimal"), compared_column("note", "text")};
    result.column_divergent = {false, false};
    result.verdict = verdict;
    result.path = {"scan", "aggregate"};
    result.rows = {5'000'000, 5'000'000};
    result.ranges_compared = 1024;
    result.lsn = {"0/1", "0/2"};
    return result;
}

SequenceDesc sequence(std::int64_t value) {
    SequenceDesc made;
    made.name = {"public", "s"};
    made.value = SequenceValue{value, true, 0};
    return made;
}

class ReportTest : public testing::Test {
  protected:
    ReportTest() {
        report_.options = &options_;
        report_.outcome = {Verdict::kIdentical, false, 0};
        report_.started_at = "2024-01-01T00:00:00Z";
    }

    void add(const TableResult& result) {
        report_.plan.tables.push_back(result.plan);
        report_.tables.push_back(result);
    }

    void add_finding(FindingKind kind, std::int64_t id, std::vector<int> columns = {}, Both<ShownValues> values = {},
                     std::uint64_t occurrences = 1) {
        StoredFinding entry;
        entry.finding = {kind, int_frame(id), std::move(columns), occurrences, std::move(values)};
        findings_.add(static_cast<int>(report_.tables.size()), entry);
    }

    std::string written(ReportFormat format, const ReportChoices& choices = {}) {
        return test::written_text(
            [&](Output& output) { write_report(RunDocument(report_, findings_), format, choices, output); });
    }
    /// Without the header.
    std::string text(const ReportChoices& choices = {}) {
        const std::string whole = written(ReportFormat::kText, choices);
        return whole.substr(whole.find("\n\n") + 2);
    }
    json parsed() { return json::parse(written(ReportFormat::kJson)); }

    /// Three ranges of 1024 with a mismatch, a missing row on each side.
    void add_divergent_table() {
        add_finding(FindingKind::kMismatch, 17, {0}, {{"1.00"}, {"2.00"}});
        add_finding(FindingKind::kMissingOnTarget, 18);
        add_finding(FindingKind::kMissingOnSource, 19, {}, {}, 3);
        TableResult result = compared_table("orders", Verdict::kDivergent);
        result.ranges_divergent = 3;
        result.column_divergent = {true, false};
        result.counts = {1, 1, 3};
        result.listed = 5;
        add(result);
        report_.outcome = {Verdict::kDivergent, false, 1};
    }

    Options options_;
    RunReport report_;
    FindingStore findings_;
};

/// As while a run goes on: tables in the order in which they were finished, then what is left.
TEST_F(ReportTest, PartsAddUpToTheWholeReport) {
    add(compared_table("apples", Verdict::kIdentical));
    add_divergent_table();
    add(compared_table("zebras", Verdict::kIdentical));
    report_.plan.differences = {{SchemaDifference::Severity::kNote, "public.t", "the first one"}};
    report_.sequences.resize(1);
    for (const ReportFormat format : {ReportFormat::kText, ReportFormat::kNdjson}) {
        const std::string in_parts = test::written_text([&](Output& output) {
            const ReportChoices choices;
            const auto parts = make_report_parts(format, choices, output);
            parts->begin(beginning_of(report_));
            const RunDocument document(report_, findings_);
            parts->table(document.head()["tables"][0], [](const auto&) {});
            parts->table(document.head()["tables"][1],
                         [&](const auto& take) { document.for_each_divergence(1, take); });
            parts->end(document, {1, {true, true}});
        });
        EXPECT_EQ(in_parts, written(format));
    }
}

/// Even if nothing is told of identical tables: what was told of it before is not left standing.
TEST_F(ReportTest, TextOfATableThatIsComparedAgainReplacesTheFormerOne) {
    add(compared_table("alpha", Verdict::kDivergent));
    add(compared_table("alpha", Verdict::kIdentical));
    add(compared_table("beta", Verdict::kIdentical));
    const std::string text = test::written_text([&](Output& output) {
        const ReportChoices choices{.only_differences = true, .quiet = true};
        const auto parts = make_report_parts(ReportFormat::kText, choices, output);
        const RunDocument document(report_, findings_);
        for (const auto& table : document.head()["tables"]) parts->table(table, [](const auto&) {});
    });
    const std::size_t first = text.find("public.alpha: divergent");
    const std::size_t second = text.find("public.alpha: identical");
    ASSERT_NE(first, std::string::npos) << text;
    ASSERT_NE(second, std::string::npos) << text;
    EXPECT_GT(second, first);
    const std::size_t replaces = text.find("  this replaces what was said of it above\n");
    EXPECT_NE(replaces, std::string::npos) << text;
    EXPECT_GT(replaces, second);
    EXPECT_EQ(text.find("beta"), std::string::npos) << text;
}

TEST_F(ReportTest, WhatABeginningTellsIsNoResult) {
    add_divergent_table();
    const json beginning = json::parse(beginning_of(report_).dump());
    for (const char* member : {"result", "exit_status", "incomplete", "interrupted", "elapsed_seconds", "tables"})
        EXPECT_FALSE(beginning.contains(member)) << member;
}

/// A zero would say that all contents are equal.
TEST_F(ReportTest, ContentsOfLargeObjectsThatWereNotReadAreNotCounted) {
    TableResult result = compared_table("pg_largeobject_metadata", Verdict::kDivergent);
    result.plan.large_objects.emplace();
    result.counts = {0, 1, 0};
    result.listed = 1;
    add(result);
    const auto counts = [&] { return parsed()["large_objects"]["counts"]; };
    TableResult& objects = report_.tables.back();
    EXPECT_EQ(counts(), (json{{"mismatch", "0"}, {"missing_on_target", "1"}, {"missing_on_source", "0"}}));
    objects.error = "the connection broke";
    EXPECT_EQ(counts(), (json{{"missing_on_target", "1"}, {"missing_on_source", "0"}}));
    objects.counts.mismatch = 2;
    EXPECT_EQ(counts()["mismatch"], "2") << "found until then";
    objects.counts.mismatch = 0;
    objects.error.clear();
    objects.plan.large_objects->why_unread = "no SELECT privilege";
    EXPECT_FALSE(counts().contains("mismatch"));
    const std::string words = "large objects: divergent, 5,000,000 large objects; 1 missing on target\n";
    EXPECT_NE(text().find(words), std::string::npos);
    EXPECT_NE(written(ReportFormat::kJunit).find("1 missing on target"), std::string::npos);
    EXPECT_EQ(written(ReportFormat::kCsv).find("mismatch"), std::string::npos);
}

TEST_F(ReportTest, TextOfIdenticalTables) {
    add(compared_table("b", Verdict::kIdentical));
    add(compared_table("a", Verdict::kIdentical));
    EXPECT_EQ(text(),
              "public.a: identical, 5,000,000 rows\n"
              "public.b: identical, 5,000,000 rows\n"
              "result: identical: 2 tables compared; 0 differing rows; 0.0 s\n");
}

TEST_F(ReportTest, TextOfADivergentTable) {
    add_divergent_table();
    EXPECT_EQ(text(),
              "public.orders: divergent, 3 of 1,024 ranges; 1 mismatch (column amount), 1 missing on target, 3 missing "
              "on source\n"
              "  mismatch           (id)=(17)  amount: 1.00 | 2.00\n"
              "  missing on target  (id)=(18)\n"
              "  missing on source  (id)=(19)  3 times\n"
              "result: divergent: 1 table compared, 1 divergent; 5 differing rows; 0.0 s\n");
}

TEST_F(ReportTest, TextTellsWhatIsNotListed) {
    add_divergent_table();
    report_.tables[0].counts.mismatch = 8124;
    EXPECT_NE(text().find("  … 8,123 more of 8,128 not listed (--max-divergences 1000)\n"), std::string::npos)
        << text();
}

TEST_F(ReportTest, TextOfATableThatFailedAfterItWasSeenToDiffer) {
    TableResult result = compared_table("t", Verdict::kDivergent);
    result.ranges_divergent = 2;
    result.error = "lost the connection to the source";
    result.incomplete = true;
    add(result);
    EXPECT_TRUE(
        text().starts_with("public.t: divergent, 2 of 1,024 ranges; which rows differ was not found out\n"
                           "  error: lost the connection to the source\n"))
        << text();
}

TEST_F(ReportTest, TextTellsEverythingThatIsIncomplete) {
    TableResult skipped = compared_table("skipped", Verdict::kIncomplete);
    skipped.skipped = {"column doc: type tsvector has no form"};
    skipped.notes = {"row security applies: visible rows only"};
    skipped.rows.target = 7;
    add(skipped);
    TableResult failed = compared_table("failed", Verdict::kError);
    failed.error = "source: permission denied";
    add(failed);
    report_.plan.skipped_tables.push_back({{{"public", "hidden"}, {"public", "hidden"}}, "no SELECT on source"});
    report_.plan.differences = {
        lone_object("public.only_here", "table", Side::kSource),
        {SchemaDifference::Severity::kNote, "public.a.id", "type integer on source, bigint on target"}};
    report_.plan.not_compared = {"views: 3 on source, 0 on target"};
    report_.sequences = {compare_sequence({sequence(19), sequence(18)}, {})};
    report_.outcome = {Verdict::kDivergent, true, 1};
    EXPECT_EQ(text(),
              "public.only_here: divergent: table exists only on source\n"
              "public.a.id: note: type integer on source, bigint on target\n"
              "public.failed: error: source: permission denied\n"
              "public.skipped: incomplete, 5,000,000 rows on source, 7 on target; equal as far as compared\n"
              "  not compared: column doc: type tsvector has no form\n"
              "  note: row security applies: visible rows only\n"
              "public.hidden: not compared: no SELECT on source\n"
              "sequence public.s: divergent, behind by 1: next value 20 on source, 19 on target; dangerous, the target "
              "would give values again that the source has given\n"
              "not compared:\n"
              "  views: 3 on source, 0 on target\n"
              "result: divergent and incomplete: 1 table compared, 1 incomplete, 1 failed, 1 not compared; 0 differing "
              "rows, 1 table only on source, 1 divergent sequence; 0.0 s\n");
}

TEST_F(ReportTest, TextSaysInterrupted) {
    report_.interrupted = true;
    report_.outcome = {Verdict::kError, true, 2};
    report_.errors = {{{}, "the run was interrupted"}};
    EXPECT_NE(text().find("result: error, interrupted: 0 tables compared"), std::string::npos) << text();
    EXPECT_NE(text().find("error: the run was interrupted\n"), std::string::npos);
}

TEST_F(ReportTest, JsonOfADivergentTable) {
    add_divergent_table();
    const json report = parsed();
    EXPECT_EQ(report["result"], "divergent");
    EXPECT_EQ(report["exit_status"], 1);
    ASSERT_EQ(report["tables"].size(), 1U);
    const json& entry = report["tables"][0];
    EXPECT_EQ(entry["source"], "public.orders");
    EXPECT_EQ(entry["rows"], json::parse(R"({"source":"5000000","target":"5000000"})"));
    EXPECT_EQ(entry["path"], json::parse(R"({"source":"scan","target":"aggregate"})"));
    EXPECT_EQ(entry["ranges"], json::parse(R"({"compared":1024,"divergent":3})"));
    EXPECT_EQ(entry["key"], json::parse(R"(["id"])"));
    EXPECT_EQ(
        entry["columns"],
        json::parse(
            R"([{"name":"amount","form":"decimal","divergent":true},{"name":"note","form":"text","divergent":false}])"));
    EXPECT_EQ(entry["counts"], json::parse(R"({"mismatch":"1","missing_on_target":"1","missing_on_source":"3"})"));
    EXPECT_EQ(entry["divergences"], json::parse(R"([
        {"kind":"mismatch","key":{"id":"17"},"columns":["amount"],"source":{"amount":"1.00"},"target":{"amount":"2.00"}},
        {"kind":"missing_on_target","key":{"id":"18"}},
        {"kind":"missing_on_source","key":{"id":"19"},"occurrences":"3"}])"));
    EXPECT_FALSE(entry.contains("not_listed"));
    EXPECT_FALSE(entry.contains("error"));
}

TEST_F(ReportTest, JsonTellsNullAbsentAndBytesApart) {
    add_finding(FindingKind::kMismatch, 1, {0, 1}, {{std::nullopt, ""}, {"NULL", "caf\xe9"}});
    add_finding(FindingKind::kMismatch, 2, {0});
    TableResult result = compared_table("t", Verdict::kDivergent);
    result.counts.mismatch = 2;
    result.listed = 2;
    add(result);
    const json divergences = parsed()["tables"][0]["divergences"];
    EXPECT_EQ(divergences[0]["source"], json::parse(R"({"amount":null,"note":""})"));
    EXPECT_EQ(divergences[0]["target"], json::parse(R"({"amount":"NULL","note":{"bytes":"636166e9"}})"));
    EXPECT_FALSE(divergences[1].contains("source"));
}

TEST_F(ReportTest, JsonShowsWholeRowsOfATableWithoutAKey) {
    StoredFinding entry;
    entry.finding.kind = FindingKind::kMissingOnTarget;
    entry.finding.key_bytes = int_frame(5) + std::string(1, '\0');
    findings_.add(0, entry);
    TableResult result = compared_table("t", Verdict::kDivergent);
    result.plan.key.clear();
    result.plan.columns = {compared_column("a", "int"), compared_column("b", "text")};
    result.counts.missing_on_target = 1;
    result.listed = 1;
    add(result);
    EXPECT_EQ(parsed()["tables"][0]["divergences"],
              json::parse(R"([{"kind":"missing_on_target","row":{"a":"5","b":null},"occurrences":"1"}])"));
    EXPECT_NE(text().find("  missing on target  (a, b)=(5, NULL)\n"), std::string::npos) << text();
}

TEST_F(ReportTest, JsonOfAFailedTableHasNoMeasures) {
    TableResult failed = compared_table("t", Verdict::kError);
    failed.ranges_compared = 0;
    failed.error = "source: \xe9";
    add(failed);
    report_.errors = {{"public.t", failed.error}};
    const json report = parsed();
    EXPECT_EQ(report["tables"][0]["error"], "source: \\xe9") << "bytes that are not UTF-8 do no harm";
    for (const char* member : {"path", "rows", "lsn", "ranges"})
        EXPECT_FALSE(report["tables"][0].contains(member)) << member;
    EXPECT_EQ(report["errors"][0]["table"], "public.t");
}

TEST_F(ReportTest, JsonCountsWhatIsNotListed) {
    add_divergent_table();
    report_.tables[0].counts.missing_on_source = 18446744073709551610U;
    EXPECT_EQ(parsed()["tables"][0]["counts"]["missing_on_source"], "18446744073709551610");
    EXPECT_TRUE(parsed()["tables"][0].contains("not_listed"));
}

TEST_F(ReportTest, SequencesThatAreNotQuiteEqualAreCounted) {
    report_.sequences = {compare_sequence({sequence(17), sequence(18)}, {.may_be_ahead = true}),
                         compare_sequence({sequence(17), sequence(17)}, {})};
    report_.outcome = {Verdict::kIdentical, false, 0};
    EXPECT_NE(text().find("2 sequences identical\n  note: 1 of them ahead on the target (--sequences-may-be-ahead)\n"),
              std::string::npos)
        << text();
}

}  // namespace
}  // namespace parity::driver
