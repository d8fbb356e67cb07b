#include "driver/report/outcome.h"

#include <algorithm>

namespace parity::driver {

namespace {

using Severity = SchemaDifference::Severity;

/// What the parts of a run say, each by itself.
struct Signs {
    bool compared = false;  ///< at least one table or sequence has an answer
    bool divergent = false;
    bool incomplete = false;
};

void add(Signs& signs, const TableResult& table) {
    const bool failed = table.verdict == Verdict::kError || !table.error.empty();
    signs.compared |= !failed;
    signs.divergent |= table.verdict == Verdict::kDivergent || table.counts.total() > 0;
    signs.incomplete |= failed || table.incomplete || table.verdict == Verdict::kIncomplete || !table.skipped.empty();
}

void add(Signs& signs, const SequenceResult& sequence) {
    const bool has_answer = sequence.verdict == Verdict::kIdentical || sequence.verdict == Verdict::kDivergent;
    signs.compared |= has_answer;
    signs.divergent |= sequence.verdict == Verdict::kDivergent;
    signs.incomplete |= !has_answer;
}

void add(Signs& signs, const SchemaDifference& difference, bool strict) {
    signs.divergent |=
        difference.severity == Severity::kDivergence || (strict && difference.severity == Severity::kNote);
    signs.incomplete |= difference.severity == Severity::kSkipped;
}

}  // namespace

RunOutcome run_outcome(const Options& options, const Plan& plan, const std::vector<TableResult>& tables,
                       const std::vector<SequenceResult>& sequences) {
    Signs signs;
    for (const TableResult& table : tables) add(signs, table);
    for (const SequenceResult& sequence : sequences) add(signs, sequence);
    for (const SchemaDifference& difference : plan.differences) add(signs, difference, options.strict_schema);
    signs.incomplete |= !plan.skipped_tables.empty() || tables.size() < plan.tables.size();

    if (signs.divergent) return {Verdict::kDivergent, signs.incomplete, kExitDivergent};
    if (!signs.compared) return {Verdict::kError, true, kExitError};
    if (signs.incomplete) return {Verdict::kIncomplete, true, kExitIncomplete};
    return {Verdict::kIdentical, false, kExitIdentical};
}

}  // namespace parity::driver
