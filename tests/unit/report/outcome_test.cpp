#include "driver/report/outcome.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include <fmt/format.h>

namespace parity::driver {
namespace {

using Severity = SchemaDifference::Severity;

TableResult result(Verdict verdict) {
    TableResult made;
    made.verdict = verdict;
    if (verdict == Verdict::kError) made.error = "lost";
    made.incomplete = verdict == Verdict::kIncomplete;
    return made;
}

Plan plan_with(Severity severity) {
    Plan plan;
    plan.differences.push_back({severity, "public.t", "something"});
    return plan;
}

void expect(const RunOutcome& outcome, Verdict verdict, bool incomplete, int status) {
    EXPECT_EQ(outcome.result, verdict);
    EXPECT_EQ(outcome.incomplete, incomplete);
    EXPECT_EQ(outcome.exit_status, status);
}

TEST(RunOutcome, IdenticalOnlyIfEverythingIs) {
    expect(run_outcome({}, {}, {result(Verdict::kIdentical), result(Verdict::kIdentical)}, {}), Verdict::kIdentical,
           false, kExitIdentical);
}

TEST(RunOutcome, NothingComparedIsNeverIdentical) {
    expect(run_outcome({}, {}, {}, {}), Verdict::kError, true, kExitError);
    expect(run_outcome({}, {}, {result(Verdict::kError)}, {}), Verdict::kError, true, kExitError);
    Plan skipped;
    skipped.skipped_tables.push_back({{}, "locked"});
    expect(run_outcome({}, skipped, {}, {}), Verdict::kError, true, kExitError);
}

TEST(RunOutcome, DivergenceWinsOverIncompleteness) {
    expect(run_outcome({}, {}, {result(Verdict::kDivergent), result(Verdict::kError)}, {}), Verdict::kDivergent, true,
           kExitDivergent);
    expect(run_outcome({}, {}, {result(Verdict::kDivergent)}, {}), Verdict::kDivergent, false, kExitDivergent);
    expect(run_outcome({}, plan_with(Severity::kDivergence), {}, {}), Verdict::kDivergent, false, kExitDivergent);
}

TEST(RunOutcome, TooManyFailuresLeaveNothingButWhatDiffers) {
    const std::vector<TableResult> half = {result(Verdict::kIdentical), result(Verdict::kError)};
    expect(failed_outcome(run_outcome({}, {}, half, {})), Verdict::kError, true, kExitError);
    expect(failed_outcome(run_outcome({}, {}, {result(Verdict::kIdentical)}, {})), Verdict::kError, true, kExitError);
    expect(failed_outcome(run_outcome({}, {}, {result(Verdict::kDivergent), result(Verdict::kError)}, {})),
           Verdict::kDivergent, true, kExitDivergent);
    expect(failed_outcome(run_outcome({}, {}, {result(Verdict::kDivergent)}, {})), Verdict::kDivergent, true,
           kExitDivergent);
}

TEST(RunOutcome, AnEarlyEndTakesNothingFromWhatWasFound) {
    expect(interrupted_outcome(run_outcome({}, {}, {result(Verdict::kIdentical)}, {})), Verdict::kIncomplete, true,
           kExitIncomplete);
    expect(interrupted_outcome(run_outcome({}, {}, {result(Verdict::kDivergent)}, {})), Verdict::kDivergent, true,
           kExitDivergent);
    expect(interrupted_outcome(run_outcome({}, {}, {result(Verdict::kError)}, {})), Verdict::kError, true, kExitError);
}

TEST(RunOutcome, AnythingLeftOutIsIncomplete) {
    const std::vector<TableResult> good = {result(Verdict::kIdentical)};
    expect(run_outcome({}, {}, {good[0], result(Verdict::kError)}, {}), Verdict::kIncomplete, true, kExitIncomplete);
    expect(run_outcome({}, {}, {result(Verdict::kIncomplete)}, {}), Verdict::kIncomplete, true, kExitIncomplete);
    expect(run_outcome({}, plan_with(Severity::kSkipped), good, {}), Verdict::kIncomplete, true, kExitIncomplete);
    TableResult partly = good[0];
    partly.skipped = {"column doc: type tsvector is not comparable"};
    expect(run_outcome({}, {}, {partly}, {}), Verdict::kIncomplete, true, kExitIncomplete);
    Plan skipped;
    skipped.skipped_tables.push_back({{}, "locked"});
    expect(run_outcome({}, skipped, good, {}), Verdict::kIncomplete, true, kExitIncomplete);
    Plan untried;
    untried.tables.resize(2);
    expect(run_outcome({}, untried, good, {}), Verdict::kIncomplete, true, kExitIncomplete);
}

TEST(RunOutcome, NotesCountOnlyUnderStrictSchema) {
    const std::vector<TableResult> good = {result(Verdict::kIdentical)};
    Options strict;
    strict.strict_schema = true;
    expect(run_outcome({}, plan_with(Severity::kNote), good, {}), Verdict::kIdentical, false, kExitIdentical);
    expect(run_outcome(strict, plan_with(Severity::kNote), good, {}), Verdict::kDivergent, false, kExitDivergent);
}

TEST(RunOutcome, SequencesCount) {
    const std::vector<TableResult> good = {result(Verdict::kIdentical)};
    SequenceResult sequence;
    sequence.verdict = Verdict::kDivergent;
    expect(run_outcome({}, {}, good, {sequence}), Verdict::kDivergent, false, kExitDivergent);
    sequence.verdict = Verdict::kIncomplete;
    expect(run_outcome({}, {}, good, {sequence}), Verdict::kIncomplete, true, kExitIncomplete);
    sequence.verdict = Verdict::kIdentical;
    expect(run_outcome({}, {}, good, {sequence}), Verdict::kIdentical, false, kExitIdentical);
}

TEST(RunOutcome, InterruptedIsIncompleteAndKeepsWhatWasFound) {
    expect(interrupted_outcome({Verdict::kIdentical, false, kExitIdentical}), Verdict::kIncomplete, true,
           kExitIncomplete);
    expect(interrupted_outcome({Verdict::kDivergent, false, kExitDivergent}), Verdict::kDivergent, true,
           kExitDivergent);
    expect(interrupted_outcome({Verdict::kError, true, kExitError}), Verdict::kError, true, kExitError);
}

TEST(RunOutcome, UnrecordedIsIncompleteWhereNothingElseWasFound) {
    expect(unrecorded_outcome({Verdict::kIdentical, false, kExitIdentical}), Verdict::kIdentical, false,
           kExitIncomplete);
    expect(unrecorded_outcome({Verdict::kDivergent, false, kExitDivergent}), Verdict::kDivergent, false,
           kExitDivergent);
    expect(unrecorded_outcome({Verdict::kError, true, kExitError}), Verdict::kError, true, kExitError);
}

// ---- the table in docs/cli.md --------------------------------------------------------------------------------

struct State {
    const char* words;
    std::vector<TableResult> tables;
    std::vector<SequenceResult> sequences;
};

std::vector<SequenceResult> sequence(Verdict verdict) {
    SequenceResult made;
    made.verdict = verdict;
    return {made};
}

/// Every combination of what tables and sequences say, as a table of Markdown.
std::string table_of_statuses() {
    const TableResult equal = result(Verdict::kIdentical), differs = result(Verdict::kDivergent),
                      failed = result(Verdict::kError);
    const std::vector<State> of_tables = {{"none is chosen", {}, {}},
                                          {"all equal", {equal, equal}, {}},
                                          {"one differs", {equal, differs}, {}},
                                          {"one failed, the others are equal", {equal, failed}, {}},
                                          {"one failed, one differs", {differs, failed}, {}},
                                          {"all failed", {failed, failed}, {}}};
    const std::vector<State> of_sequences = {{"none", {}, {}},
                                             {"equal", {}, sequence(Verdict::kIdentical)},
                                             {"one differs", {}, sequence(Verdict::kDivergent)},
                                             {"one cannot be read", {}, sequence(Verdict::kIncomplete)}};
    std::string text = "| tables | sequences | status | status if something was skipped |\n|---|---|---|---|\n";
    for (const State& tables : of_tables)
        for (const State& sequences : of_sequences) {
            Plan skipped;
            skipped.skipped_tables.push_back({{}, "locked"});
            text += fmt::format("| {} | {} | {} | {} |\n", tables.words, sequences.words,
                                run_outcome({}, {}, tables.tables, sequences.sequences).exit_status,
                                run_outcome({}, skipped, tables.tables, sequences.sequences).exit_status);
        }
    return text;
}

TEST(RunOutcome, TheTableOfTheDocsIsRight) {
    std::ifstream file(PARITY_SOURCE_DIR "/docs/cli.md");
    const std::string docs{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    const std::string table = table_of_statuses();
    EXPECT_NE(docs.find(table), std::string::npos) << "docs/cli.md should have:\n" << table;
}

}  // namespace
}  // namespace parity::driver
