#include "driver/report/outcome.h"

#include <string>

#include "driver/text/display_name.h"

namespace parity::driver {

using Severity = SchemaDifference::Severity;

Signs& Signs::operator|=(const Signs& other) {
    compared |= other.compared;
    divergent |= other.divergent;
    failed |= other.failed;
    incomplete |= other.incomplete;
    return *this;
}

Signs signs_of(const TableResult& table) {
    Signs signs;
    signs.failed = table.verdict == Verdict::kError || !table.error.empty();
    signs.compared = !signs.failed;
    signs.divergent = table.verdict == Verdict::kDivergent || table.counts.total() > 0;
    signs.incomplete =
        signs.failed || table.incomplete || table.verdict == Verdict::kIncomplete || !table.skipped.empty();
    return signs;
}

Signs signs_of(const SequenceResult& sequence) {
    Signs signs;
    signs.compared = sequence.verdict == Verdict::kIdentical || sequence.verdict == Verdict::kDivergent;
    signs.divergent = sequence.verdict == Verdict::kDivergent;
    signs.incomplete = !signs.compared;
    return signs;
}

Signs signs_of(const SchemaDifference& difference, const Options& options) {
    Signs signs;
    signs.divergent = difference.severity == Severity::kDivergence ||
                      (options.strict_schema && difference.severity == Severity::kNote);
    signs.incomplete = difference.severity == Severity::kSkipped;
    return signs;
}

Signs signs_of(const TableResult& table, const std::vector<SchemaDifference>& differences, const Options& options) {
    Signs signs = signs_of(table);
    for (const SchemaDifference& difference : differences)
        if (is_about(difference, table.plan.name.source)) signs |= signs_of(difference, options);
    return signs;
}

bool is_about(const SchemaDifference& difference, const QualifiedName& table) {
    const std::string name = exact_name(table);
    return difference.object == name || difference.object.starts_with(name + ".");
}

RunOutcome run_outcome(const Options& options, const Plan& plan, const std::vector<TableResult>& tables,
                       const std::vector<SequenceResult>& sequences) {
    Signs signs;
    for (const TableResult& table : tables) signs |= signs_of(table);
    for (const SequenceResult& sequence : sequences) signs |= signs_of(sequence);
    for (const SchemaDifference& difference : plan.differences) signs |= signs_of(difference, options);
    signs.incomplete |= !plan.skipped_tables.empty() || tables.size() < plan.tables.size();

    if (signs.divergent) return {Verdict::kDivergent, signs.incomplete, kExitDivergent};
    if (!signs.compared) return {Verdict::kError, true, kExitError};
    if (signs.incomplete) return {Verdict::kIncomplete, true, kExitIncomplete};
    return {Verdict::kIdentical, false, kExitIdentical};
}

RunOutcome interrupted_outcome(RunOutcome outcome) {
    outcome.incomplete = true;
    outcome.exit_status = kExitError;
    if (outcome.result == Verdict::kIdentical) outcome.result = Verdict::kIncomplete;
    return outcome;
}

RunOutcome unrecorded_outcome(RunOutcome outcome) {
    if (outcome.exit_status == kExitIdentical) outcome.exit_status = kExitIncomplete;
    return outcome;
}

}  // namespace parity::driver
