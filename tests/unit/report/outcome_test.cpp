#include "driver/report/outcome.h"

#include <gtest/gtest.h>

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

TEST(RunOutcome, InterruptedConcludesNothing) {
    expect(interrupted_outcome({Verdict::kIdentical, false, kExitIdentical}), Verdict::kIncomplete, true, kExitError);
    expect(interrupted_outcome({Verdict::kDivergent, false, kExitDivergent}), Verdict::kDivergent, true, kExitError);
}

TEST(RunOutcome, UnrecordedIsIncompleteWhereNothingElseWasFound) {
    expect(unrecorded_outcome({Verdict::kIdentical, false, kExitIdentical}), Verdict::kIdentical, false,
           kExitIncomplete);
    expect(unrecorded_outcome({Verdict::kDivergent, false, kExitDivergent}), Verdict::kDivergent, false,
           kExitDivergent);
    expect(unrecorded_outcome({Verdict::kError, true, kExitError}), Verdict::kError, true, kExitError);
}

}  // namespace
}  // namespace parity::driver
