#include "driver/compare/spans.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "driver/state/findings.h"

namespace parity::driver {
namespace {

TablePlan plan_of_table() {
    TablePlan plan;
    plan.columns.resize(2);
    plan.ranges = 100;
    return plan;
}

SpanUnit done_span(Span span, const std::string& lsn, std::uint64_t mismatches = 0) {
    TableResult result = fresh_result(plan_of_table());
    result.rows = {10, 10};
    result.lsn = {lsn, "0/5"};
    result.ranges_compared = 3;
    result.ranges_divergent = mismatches > 0;
    result.counts.mismatch = result.listed = mismatches;
    set_verdict(result);
    return {std::move(span), std::move(result), true, {}};
}

bool has_note(const TableResult& result, std::string_view text) {
    return std::any_of(result.notes.begin(), result.notes.end(),
                       [&](const std::string& note) { return note.find(text) != std::string::npos; });
}

TEST(JoinSpans, ClaimsTheLowestPosition) {
    const TableResult joined =
        join_spans(plan_of_table(), {done_span({"", "b"}, "0/A0"), done_span({"b", ""}, "0/9")}, 1000);
    EXPECT_EQ(joined.verdict, Verdict::kIdentical);
    EXPECT_EQ(joined.error, "");
    EXPECT_EQ(joined.rows.source, 20u);
    EXPECT_EQ(joined.lsn.source, "0/9");
    EXPECT_EQ(joined.spans.size(), 2u);
    EXPECT_TRUE(has_note(joined, "the source may have been written to meanwhile"));
}

TEST(JoinSpans, SaysNothingOfMovedRowsWhereNothingWasWritten) {
    const TableResult joined =
        join_spans(plan_of_table(), {done_span({"", "b"}, "0/9"), done_span({"b", ""}, "0/9")}, 1000);
    EXPECT_FALSE(has_note(joined, "meanwhile"));
}

TEST(JoinSpans, IsNoAnswerWhileASpanIsNotDone) {
    std::vector<SpanUnit> spans{done_span({"", "b"}, "0/9"), {{"b", ""}, {}, false, {}}};
    const TableResult joined = join_spans(plan_of_table(), spans, 1000);
    EXPECT_EQ(joined.error, "1 of 2 spans compared");
    EXPECT_EQ(joined.verdict, Verdict::kError);
    EXPECT_TRUE(joined.incomplete);
}

TEST(JoinSpans, KeepsWhatASpanThatIsBegunAgainHasShown) {
    std::vector<SpanUnit> spans{done_span({"", "b"}, "0/9"), done_span({"b", ""}, "0/9", 3)};
    spans[1].done = false;
    const TableResult joined = join_spans(plan_of_table(), spans, 2);
    EXPECT_EQ(joined.verdict, Verdict::kDivergent);
    EXPECT_EQ(joined.counts.mismatch, 3u);
    EXPECT_EQ(joined.listed, 2u);
    EXPECT_EQ(joined.spans.size(), 1u);
}

TEST(JoinFindings, ListsAsManyAsTheResultDoes) {
    FindingStore findings;
    for (std::size_t span = 0; span < 2; ++span)
        for (const char* key : {"a", "b"}) {
            StoredFinding stored;
            stored.place.key = stored.finding.key_bytes = key + std::to_string(span);
            findings.add(span_findings_no(7, span), stored);
            findings.commit(span_findings_no(7, span));
        }
    TableResult joined;
    joined.listed = 3;
    std::vector<SpanUnit> spans(2);
    spans[1].number = 1;
    join_findings(findings, 7, spans, joined);
    std::vector<std::string> keys;
    findings.for_each(7, [&](const Finding& finding) { keys.push_back(finding.key_bytes); });
    EXPECT_EQ(keys, (std::vector<std::string>{"a0", "a1", "b0"}));
}

TEST(CoverAllKeys, FromTheFirstToTheEnd) {
    EXPECT_TRUE(cover_all_keys({{"", "b"}, {"b", "c"}, {"c", ""}}));
    EXPECT_FALSE(cover_all_keys({}));
    EXPECT_FALSE(cover_all_keys({{"a", "b"}, {"b", ""}}));
    EXPECT_FALSE(cover_all_keys({{"", "b"}, {"c", ""}}));
    EXPECT_FALSE(cover_all_keys({{"", "b"}, {"b", "c"}}));
    EXPECT_FALSE(cover_all_keys({{"", ""}, {"", ""}}));
}

TEST(PlanOfSpan, HasItsShareOfTheRanges) {
    EXPECT_EQ(plan_of_span(plan_of_table(), 3).ranges, 34);
    EXPECT_EQ(plan_of_span(plan_of_table(), 500).ranges, 1);
}

}  // namespace
}  // namespace parity::driver
