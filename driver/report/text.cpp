#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/report/report.h"
#include "driver/state/findings.h"
#include "driver/text/display_name.h"
#include "driver/text/show.h"
#include "driver/text/words.h"
#include "driver/waiting/interrupt.h"

namespace parity::driver {
namespace {

/// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
    return digits;
}

std::string counted(std::uint64_t number, std::string_view one, std::string_view many) {
    return grouped(number) + " " + std::string(number == 1 ? one : many);
}

std::string joined(const std::vector<std::string>& texts, std::string_view separator) {
    std::string all;
    for (const std::string& text : texts) {
        if (!all.empty()) all += separator;
        all += text;
    }
    return all;
}

std::string divergent_columns(const TableResult& result) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < result.column_divergent.size(); ++i)
        if (result.column_divergent[i]) names.push_back(display_name(result.plan.columns[i].name.source));
    if (names.empty()) return {};
    return fmt::format(" ({} {})", names.size() == 1 ? "column" : "columns", joined(names, ", "));
}

std::string row_counts(const TableResult& result) {
    if (result.rows.source == result.rows.target) return counted(result.rows.source, "row", "rows");
    return fmt::format("{} on source, {} on target", counted(result.rows.source, "row", "rows"),
                       grouped(result.rows.target));
}

std::string finding_counts(const TableResult& result) {
    if (result.counts.total() == 0) return "which rows differ was not found out";
    std::vector<std::string> parts;
    if (result.counts.mismatch > 0)
        parts.push_back(counted(result.counts.mismatch, "mismatch", "mismatches") + divergent_columns(result));
    if (result.counts.missing_on_target > 0)
        parts.push_back(grouped(result.counts.missing_on_target) + " missing on target");
    if (result.counts.missing_on_source > 0)
        parts.push_back(grouped(result.counts.missing_on_source) + " missing on source");
    return joined(parts, ", ");
}

/// What stands after the table's name.
std::string table_summary(const TableResult& result) {
    switch (result.verdict) {
        case Verdict::kIdentical:
            return fmt::format("identical, {}", row_counts(result));
        case Verdict::kIncomplete:
            return fmt::format("incomplete, {}; equal as far as compared", row_counts(result));
        case Verdict::kError:
            return fmt::format("error: {}", result.error);
        case Verdict::kDivergent:
            break;
    }
    return fmt::format("divergent, {} of {}; {}", grouped(result.ranges_divergent),
                       counted(result.ranges_compared, "range", "ranges"), finding_counts(result));
}

std::string_view finding_words(FindingKind kind) {
    switch (kind) {
        case FindingKind::kMismatch:
            return "mismatch";
        case FindingKind::kMissingOnTarget:
            return "missing on target";
        case FindingKind::kMissingOnSource:
            return "missing on source";
    }
    return "mismatch";
}

std::string large_object_counts(const TableResult& result) {
    if (result.rows.source == result.rows.target) return counted(result.rows.source, "large object", "large objects");
    return fmt::format("{} on source, {} on target", counted(result.rows.source, "large object", "large objects"),
                       grouped(result.rows.target));
}

/// The same for large objects. How many there are is known even where their contents are not.
std::string large_object_summary(const TableResult& result) {
    switch (result.verdict) {
        case Verdict::kIdentical:
            return fmt::format("identical, {}", large_object_counts(result));
        case Verdict::kIncomplete:
            return fmt::format("incomplete, {}: equal in number, contents not read", large_object_counts(result));
        case Verdict::kError:
            return fmt::format("error: {}", result.error);
        case Verdict::kDivergent:
            break;
    }
    std::vector<std::string> parts;
    if (result.counts.mismatch > 0) parts.push_back(grouped(result.counts.mismatch) + " with other contents");
    if (result.counts.missing_on_target > 0)
        parts.push_back(grouped(result.counts.missing_on_target) + " missing on target");
    if (result.counts.missing_on_source > 0)
        parts.push_back(grouped(result.counts.missing_on_source) + " missing on source");
    return fmt::format("divergent, {}; {}", large_object_counts(result),
                       parts.empty() ? "which of them differ was not found out" : joined(parts, ", "));
}

/// "  mismatch           50002  from byte 4096 on; 5,000 bytes on source, 4,096 on target".
std::string large_object_line(const TablePlan& plan, const Finding& finding) {
    const std::string object = *render_key_values(forms_of(plan.key), finding.key_bytes).front();
    std::string line = fmt::format("  {:<17}  {}", finding_words(finding.kind), object);
    if (finding.kind == FindingKind::kMismatch) {
        const LargeObjectFinding found = large_object_finding(finding);
        line += found.length.source == found.length.target
                    ? fmt::format("  from byte {} on, of {}", found.first_difference, found.length.source)
                    : fmt::format("  from byte {} on; {} bytes on source, {} on target", found.first_difference,
                                  found.length.source, found.length.target);
    }
    return line;
}

/// Turns one table's findings into lines.
class FindingLines {
  public:
    explicit FindingLines(const TablePlan& table) : table_(table), forms_(forms_of(table.columns)) {}

    std::string line(const Finding& finding) const {
        std::string line = fmt::format("  {:<17}  {}", finding_words(finding.kind),
                                       show_key(framed_columns(table_), finding.key_bytes));
        if (finding.occurrences > 1) line += fmt::format("  {} times", grouped(finding.occurrences));
        for (std::size_t i = 0; i < finding.columns.size(); ++i) line += (i == 0 ? "  " : ", ") + cell(finding, i);
        return line;
    }

  private:
    std::string cell(const Finding& finding, std::size_t i) const {
        const auto column = static_cast<std::size_t>(finding.columns[i]);
        std::string text = display_name(table_.columns[column].name.source);
        if (finding.values.source.size() != finding.columns.size() ||
            finding.values.target.size() != finding.columns.size())
            return text;
        return fmt::format("{}: {} | {}", text, show_value(forms_[column], finding.values.source[i]),
                           show_value(forms_[column], finding.values.target[i]));
    }

    const TablePlan& table_;
    std::vector<core::Form> forms_;
};

class TextReport {
  public:
    TextReport(const RunReport& report, FindingStore& findings, Output& output)
        : report_(report), findings_(findings), output_(output) {}

    void write() {
        write_differences();
        for (std::size_t position : report_order(report_))
            if (!report_.tables[position].plan.large_objects) write_table(position);
        for (const auto& [names, reason] : report_.plan.skipped_tables)
            line(fmt::format("{}: not compared: {}", display_name(names), reason));
        for (std::size_t position : report_order(report_))
            if (report_.tables[position].plan.large_objects) write_table(position);
        write_sequences();
        if (!report_.plan.not_compared.empty()) line("not compared:");
        for (const std::string& sentence : report_.plan.not_compared) line("  " + sentence);
        for (const RunError& error : report_.errors)
            if (error.object.empty()) line("error: " + error.message);
        if (!report_.record_failure.empty()) line("error: " + report_.record_failure);
        line(summary());
    }

  private:
    void line(const std::string& text) { output_.write_line(text); }

    void write_differences() {
        for (const SchemaDifference& difference : report_.plan.differences)
            line(
                fmt::format("{}: {}{}", displayed(difference.object), prefix(difference.severity), difference.message));
    }

    std::string_view prefix(SchemaDifference::Severity severity) const {
        switch (severity) {
            case SchemaDifference::Severity::kNote:
                return report_.options->strict_schema ? "schema differs: " : "note: ";
            case SchemaDifference::Severity::kDivergence:
                return "divergent: ";
            case SchemaDifference::Severity::kSkipped:
                return "not compared: ";
        }
        return "";
    }

    void write_table(std::size_t position) {
        const TableResult& result = report_.tables[position];
        line(fmt::format("{}: {}", display_name(result.plan),
                         result.plan.large_objects ? large_object_summary(result) : table_summary(result)));
        if (result.verdict == Verdict::kDivergent && !result.error.empty()) line("  error: " + result.error);
        for (const std::string& reason : result.skipped) line("  not compared: " + reason);
        for (const std::string& note : result.notes) line("  note: " + note);
        if (result.listed > 0) write_findings(static_cast<int>(position), result);
        if (result.listed < result.counts.total())
            line(fmt::format("  … {} more of {} not listed (--max-divergences {})",
                             grouped(result.counts.total() - result.listed), grouped(result.counts.total()),
                             report_.options->max_divergences));
    }

    void write_findings(int table_no, const TableResult& result) {
        if (result.plan.large_objects)
            return findings_.for_each(table_no,
                                      [&](const Finding& finding) { line(large_object_line(result.plan, finding)); });
        const FindingLines lines(result.plan);
        findings_.for_each(table_no, [&](const Finding& finding) { line(lines.line(finding)); });
    }

    void write_sequences() {
        for (const SequenceResult& result : report_.sequences)
            if (result.verdict != Verdict::kIdentical) write_sequence(result);
        const std::uint64_t identical = count_identical([](const SequenceResult&) { return true; });
        if (identical > 0) line(counted(identical, "sequence", "sequences") + " identical");
        write_note("a standby has as WAL has them, some values ahead", SequencePosition::kWal);
        write_note("ahead on the target (--sequences-may-be-ahead)", SequencePosition::kAhead);
    }

    void write_sequence(const SequenceResult& result) {
        line(fmt::format("sequence {}: {}, {}",
                         display_name(Both<QualifiedName>{result.sequence.source.name, result.sequence.target.name}),
                         verdict_name(result.verdict), result.reason));
        for (const std::string& note : result.notes) line("  note: " + note);
    }

    /// How many of the sequences that count as identical are not exactly equal.
    void write_note(std::string_view what, SequencePosition position) {
        const std::uint64_t number =
            count_identical([&](const SequenceResult& result) { return result.position == position; });
        if (number > 0) line(fmt::format("  note: {} of them {}", grouped(number), what));
    }

    template <typename Counts>
    std::uint64_t count_identical(Counts counts) const {
        return static_cast<std::uint64_t>(std::count_if(
            report_.sequences.begin(), report_.sequences.end(),
            [&](const SequenceResult& result) { return result.verdict == Verdict::kIdentical && counts(result); }));
    }

    /// "divergent: 12 tables compared, 1 divergent, 1 failed; 30 differing rows; 3 sequences …; 1.2 s".
    std::string summary() const {
        std::uint64_t verdicts[4] = {};
        std::uint64_t differing = 0, tables = 0;
        std::vector<std::string> beside_tables;
        for (const TableResult& result : report_.tables) {
            if (result.plan.large_objects) {
                beside_tables.push_back(fmt::format("{} {}", display_name(result.plan), verdict_words(result)));
                continue;
            }
            ++tables;
            ++verdicts[static_cast<int>(result.verdict)];
            differing += result.counts.total();
        }
        const auto number_of = [&](Verdict verdict) { return verdicts[static_cast<int>(verdict)]; };
        std::vector<std::string> parts{counted(tables - number_of(Verdict::kError), "table", "tables") + " compared"};
        if (number_of(Verdict::kDivergent) > 0) parts.push_back(grouped(number_of(Verdict::kDivergent)) + " divergent");
        if (number_of(Verdict::kIncomplete) > 0)
            parts.push_back(grouped(number_of(Verdict::kIncomplete)) + " incomplete");
        if (number_of(Verdict::kError) > 0) parts.push_back(grouped(number_of(Verdict::kError)) + " failed");
        if (!report_.plan.skipped_tables.empty())
            parts.push_back(grouped(report_.plan.skipped_tables.size()) + " not compared");
        parts.insert(parts.end(), beside_tables.begin(), beside_tables.end());
        return fmt::format("result: {}{}: {}; {}; {:.1f} s", verdict_name(report_.outcome.result), incomplete_words(),
                           joined(parts, ", "), counted(differing, "differing row", "differing rows"),
                           report_.elapsed_seconds);
    }

    static std::string_view verdict_words(const TableResult& result) {
        return result.verdict == Verdict::kError ? "failed" : verdict_name(result.verdict);
    }

    std::string_view incomplete_words() const {
        if (report_.interrupted) return ", interrupted";
        return report_.outcome.incomplete && report_.outcome.result == Verdict::kDivergent ? " and incomplete" : "";
    }

    const RunReport& report_;
    FindingStore& findings_;
    Output& output_;
};

}  // namespace

void write_text_report(const RunReport& report, FindingStore& findings, Output& output) {
    TextReport(report, findings, output).write();
}

}  // namespace parity::driver
