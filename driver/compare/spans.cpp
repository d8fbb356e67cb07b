#include "driver/compare/spans.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "driver/compare/snapshots.h"
#include "driver/digests/division.h"
#include "driver/digests/ranges.h"
#include "driver/digests/spans.h"
#include "driver/model/sqlstates.h"
#include "driver/state/findings.h"
#include "driver/text/lsn.h"
#include "driver/text/show.h"

namespace parity::driver {
namespace {

using SideReaders = Both<std::unique_ptr<TableReader>>;

SideReaders read_on_both(const RunContext& context, const TablePlan& table, const Both<ServerSession*>& sessions) {
    return {sessions.source->read_table(table, context.settings), sessions.target->read_table(table, context.settings)};
}

/// Divides the table by the side that divides it better.
SpanDivision divide(const TablePlan& table, std::size_t spans, const SideReaders& readers) {
    for (Side side : kSides)
        if (const std::optional<std::string> why_not = readers[side]->why_not_in_spans())
            return {{}, fmt::format("{}: {}", side_name(side), *why_not)};
    const int ranges = std::max(table.ranges, static_cast<int>(spans));
    KeyDivision division = draw_bounds(ranges, {readers.source.get(), readers.target.get()});
    if (division.bounds.empty() || are_hash_bounds(division.bounds))
        return {{}, "its key has no order that divides it"};
    return {std::move(division), {}};
}

void add_counts(std::vector<ColumnCounts>& sum, const std::vector<ColumnCounts>& counts) {
    sum.resize(std::max(sum.size(), counts.size()));
    for (std::size_t i = 0; i < counts.size(); ++i) {
        sum[i].differing += counts[i].differing;
        sum[i].null_to_value += counts[i].null_to_value;
        sum[i].value_to_null += counts[i].value_to_null;
    }
}

void add_texts(std::vector<std::string>& all, const std::vector<std::string>& texts) {
    for (const std::string& text : texts)
        if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(text);
}

/// Adds what a span has shown; the first one that differs tells where that is, as long as no other one differs.
void add_span(TableResult& table, const TableResult& span) {
    for (Side side : kSides) {
        table.rows[side] += span.rows[side];
        if (table.path[side].empty()) table.path[side] = span.path[side];
    }
    if (has_evidence(span)) table.concentration = has_evidence(table) ? Concentration{} : span.concentration;
    table.ranges_compared += span.ranges_compared;
    table.ranges_divergent += span.ranges_divergent;
    for (std::size_t i = 0; i < span.column_divergent.size(); ++i)
        table.column_divergent[i] = table.column_divergent[i] || span.column_divergent[i];
    add_counts(table.column_counts, span.column_counts);
    table.counts.mismatch += span.counts.mismatch;
    table.counts.missing_on_target += span.counts.missing_on_target;
    table.counts.missing_on_source += span.counts.missing_on_source;
    table.listed += span.listed;
    add_texts(table.skipped, span.skipped);
    add_texts(table.notes, span.notes);
    table.elapsed_seconds += span.elapsed_seconds;
}

void claim(TableResult& table, const Span& span, const TableResult& result) {
    table.spans.push_back({span, result.verdict, result.as_of_us, result.rows, result.lsn, result.counts});
    for (Side side : kSides)
        if (table.lsn[side].empty() || parse_lsn(result.lsn[side]) < parse_lsn(table.lsn[side]))
            table.lsn[side] = result.lsn[side];
}

/// A row that got another key between two snapshots may have been in neither's span.
void note_moved_rows(TableResult& table) {
    std::string written;
    for (Side side : kSides) {
        const auto differs = [&](const SpanClaim& span) { return span.lsn[side] != table.spans.front().lsn[side]; };
        if (std::any_of(table.spans.begin(), table.spans.end(), differs))
            written += fmt::format("{}the {}", written.empty() ? "" : " and ", side_name(side));
    }
    if (!written.empty())
        table.notes.push_back(
            written + " may have been written to meanwhile: rows whose key changed meanwhile may have been in no span");
}

}  // namespace

SpanDivision divide_table(const RunContext& context, const TablePlan& table, std::size_t table_no, std::size_t spans,
                          const Both<ServerSession*>& sessions) {
    SpanDivision division;
    with_table_snapshots(sessions, table, *context.observer, table_no, [&](const Both<TableSnapshot>&) {
        division = divide(table, spans, read_on_both(context, table, sessions));
    });
    return division;
}

TablePlan plan_of_span(TablePlan table, std::size_t spans) {
    const int shares = static_cast<int>(spans);
    table.ranges = std::max(1, (table.ranges + shares - 1) / shares);
    if (table.estimated_rows > 0) table.estimated_rows /= shares;
    table.estimated_bytes /= shares;
    return table;
}

int span_findings_no(std::size_t table_no, std::size_t number) {
    return -1 - static_cast<int>(table_no * kMostSpans + number);
}

bool is_span_failure(const Error& error) {
    return error.sqlstate() == kIndexLacksRows || error.sqlstate() == kIndexChanged ||
           error.sqlstate() == kFeatureNotSupported || error.sqlstate() == kProgramLimitExceeded;
}

void check_other_blocks(const RunContext& context, const TablePlan& table, std::size_t table_no,
                        const Both<std::string>& blocks_read, const Both<ServerSession*>& sessions) {
    with_table_snapshots(sessions, table, *context.observer, table_no, [&](const Both<TableSnapshot>&) {
        const SideReaders readers = read_on_both(context, table, sessions);
        for (Side side : kSides) readers[side]->check_other_blocks(blocks_read[side]);
    });
}

TableResult join_spans(const TablePlan& table, const std::vector<SpanUnit>& spans, std::int64_t max_divergences) {
    TableResult joined = fresh_result(table);
    joined.spans_planned = spans.size();
    for (const SpanUnit& unit : spans) {
        if (!unit.result) continue;
        if (unit.done || has_evidence(*unit.result)) add_span(joined, *unit.result);
        if (unit.done) claim(joined, unit.span, *unit.result);
    }
    if (max_divergences > 0) joined.listed = std::min(joined.listed, static_cast<std::uint64_t>(max_divergences));
    if (!joined.spans.empty()) joined.as_of_us = joined.spans.front().as_of_us;
    if (joined.spans.size() < spans.size())
        joined.error = fmt::format("{} of {} spans compared", joined.spans.size(), spans.size());
    else
        note_moved_rows(joined);
    set_verdict(joined);
    return joined;
}

void join_findings(FindingStore& findings, std::size_t table_no, const std::vector<SpanUnit>& spans,
                   const TableResult& joined) {
    const int number = static_cast<int>(table_no);
    findings.begin_attempt(number);
    std::uint64_t left = joined.listed;
    for (const SpanUnit& unit : spans) {
        if (left == 0) break;
        findings.for_each_stored(span_findings_no(table_no, unit.number), [&](const StoredFinding& stored) {
            if (left == 0) return;
            findings.add(number, stored);
            left -= std::min(left, stored.finding.occurrences);
        });
    }
    findings.commit(number);
}

bool cover_all_keys(const std::vector<Span>& spans) {
    if (spans.empty() || !spans.front().lower.empty() || !spans.back().upper.empty()) return false;
    for (std::size_t i = 1; i < spans.size(); ++i)
        if (spans[i].lower.empty() || spans[i].lower != spans[i - 1].upper) return false;
    return true;
}

}  // namespace parity::driver
