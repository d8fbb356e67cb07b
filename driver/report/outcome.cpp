#include "driver/report/outcome.h"

#include <string>

#include "driver/text/display_name.h"

namespace parity::driver {

using Severity = SchemaDifference::Severity;

OutcomeFlags& OutcomeFlags::operator|=(const OutcomeFlags& other) {
    compared |= other.compared;
    divergent |= other.divergent;
    failed |= other.failed;
    incomplete |= other.incomplete;
    return *this;
}

OutcomeFlags flags_of(const TableResult& table) {
    OutcomeFlags flags;
    flags.failed = table.verdict == Verdict::kError || !table.error.empty();
    flags.compared = !flags.failed || !table.spans.empty();
    flags.divergent = table.verdict == Verdict::kDivergent || table.counts.total() > 0;
    flags.incomplete =
        flags.failed || table.incomplete || table.verdict == Verdict::kIncomplete || !table.skipped.empty();
    return flags;
}

OutcomeFlags flags_of(const SequenceResult& sequence) {
    OutcomeFlags flags;
    flags.compared = sequence.verdict == Verdict::kIdentical || sequence.verdict == Verdict::kDivergent;
    flags.divergent = sequence.verdict == Verdict::kDivergent;
    flags.incomplete = !flags.compared;
    return flags;
}

OutcomeFlags flags_of(const SchemaDifference& difference, const Options& options) {
    OutcomeFlags flags;
    flags.divergent = difference.severity == Severity::kDivergence ||
                      (options.strict_schema && difference.severity == Severity::kNote);
    flags.incomplete = difference.severity == Severity::kSkipped;
    return flags;
}

OutcomeFlags flags_of(const TableResult& table, const std::vector<SchemaDifference>& differences,
                      const Options& options) {
    OutcomeFlags flags = flags_of(table);
    for (const SchemaDifference& difference : differences)
        if (is_about(difference, table.plan.name.source)) flags |= flags_of(difference, options);
    return flags;
}

bool is_about(const SchemaDifference& difference, const QualifiedName& table) {
    const std::string name = exact_name(table);
    return difference.object == name || difference.object.starts_with(name + ".");
}

RunOutcome run_outcome(const Options& options, const Plan& plan, const std::vector<TableResult>& tables,
                       const std::vector<SequenceResult>& sequences) {
    OutcomeFlags flags;
    for (const TableResult& table : tables) flags |= flags_of(table);
    for (const SchemaDifference& difference : plan.differences) flags |= flags_of(difference, options);
    if (!tables.empty() && !flags.compared && !flags.divergent) return {Verdict::kError, true, kExitError};
    for (const SequenceResult& sequence : sequences) flags |= flags_of(sequence);
    flags.incomplete |= !plan.skipped_tables.empty() || tables.size() < plan.tables.size();

    if (flags.divergent) return {Verdict::kDivergent, flags.incomplete, kExitDivergent};
    if (!flags.compared) return {Verdict::kError, true, kExitError};
    if (flags.incomplete) return {Verdict::kIncomplete, true, kExitIncomplete};
    return {Verdict::kIdentical, false, kExitIdentical};
}

RunOutcome interrupted_outcome(RunOutcome outcome) {
    outcome.incomplete = true;
    if (outcome.exit_status == kExitIdentical) outcome.exit_status = kExitIncomplete;
    if (outcome.result == Verdict::kIdentical) outcome.result = Verdict::kIncomplete;
    return outcome;
}

RunOutcome failed_outcome(RunOutcome outcome) {
    if (outcome.exit_status == kExitDivergent) return interrupted_outcome(outcome);
    return {Verdict::kError, true, kExitError};
}

RunOutcome unrecorded_outcome(RunOutcome outcome) {
    if (outcome.exit_status == kExitIdentical) outcome.exit_status = kExitIncomplete;
    return outcome;
}

}  // namespace parity::driver
