#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "driver/compare/context.h"
#include "driver/compare/table.h"
#include "driver/digests/division.h"
#include "driver/engine/server.h"
#include "driver/model/error.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/model/span.h"

/// A table that is compared in spans of its key, each under a pair of snapshots of its own. Digests of different pairs
/// are never added.
namespace parity::driver {

/// A table is divided into so many spans at most.
inline constexpr std::size_t kMostSpans = 4096;

/// How a table is divided that is read in spans.
struct SpanDivision {
    KeyDivision ranges;   ///< of the whole table, at least so many as spans are wanted where its keys allow that
    std::string why_not;  ///< why it cannot be read in spans; empty: it can
};

/// Divides a table into its ranges, from which about so many spans can be made, if both sides can read it in spans.
/// Throws: Error, as compare_table() has it in its result.
SpanDivision divide_table(const RunContext& context, const TablePlan& table, std::size_t table_no, std::size_t spans,
                          const Both<ServerSession*>& sessions);

/// The plan of a span of a table that has so many: its share of the ranges, and of the rows.
TablePlan plan_of_span(TablePlan table, std::size_t spans);

/// Under which number the findings of a span are in the FindingStore; `number` is SpanUnit's.
int span_findings_no(std::size_t table_no, std::size_t number);

/// Whether a span failed because the table cannot be read in spans after all.
bool is_span_failure(const Error& error);

/// Looks on both sides at the blocks that no span has read, under a pair of snapshots of its own.
/// Throws: an Error with is_span_failure() where an index lacks rows on them, or is not the one of the spans.
void check_other_blocks(const RunContext& context, const TablePlan& table, std::size_t table_no,
                        const Both<std::string>& blocks_read, const Both<ServerSession*>& sessions);

/// What spans of a table have shown, as one result of the table, which lists at most as many findings as
/// `max_divergences` (0: all). While some are not done, it has an error that says so.
TableResult join_spans(const TablePlan& table, const std::vector<SpanUnit>& spans, std::int64_t max_divergences);

/// Puts the findings of the spans that `joined` lists into the store as those of an attempt at the table.
void join_findings(FindingStore& findings, std::size_t table_no, const std::vector<SpanUnit>& spans,
                   const TableResult& joined);

/// Whether spans follow one another from the first key to the end, so that every row is in one.
bool cover_all_keys(const std::vector<Span>& spans);

}  // namespace parity::driver
