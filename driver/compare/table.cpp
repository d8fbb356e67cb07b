#include "driver/compare/table.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "driver/compare/large_objects.h"
#include "driver/compare/passes.h"
#include "driver/compare/snapshots.h"
#include "driver/compare/table_attempt.h"
#include "driver/digests/concentration.h"
#include "driver/model/error.h"
#include "driver/model/sqlstates.h"
#include "driver/monitor/observer.h"
#include "driver/waiting/stopwatch.h"
#include "driver/waiting/wall_clock.h"

namespace parity::driver {
namespace {

/// What is not listed is not read from the store.
void forget_findings(TableResult& result) {
    result.counts = {};
    result.listed = 0;
}

/// An answer that contradicts itself, one under a snapshot that was given up, and one that may come from several
/// servers show nothing at all.
bool shows_nothing(const Error& error) {
    return error.kind() == ErrorKind::kInternal || error.kind() == ErrorKind::kChangedServer ||
           is_snapshot_failure(error);
}

void store_failure(const Error& error, TableResult& result) {
    if (shows_nothing(error)) result = fresh_result(result.plan);
    if (result.counts.total() == 0) forget_findings(result);
    set_error(result, error);
}

/// What differs, as far as it is known: nothing, that something does, or which rows.
int evidence(const TableResult& result) { return result.counts.total() > 0 ? 2 : result.ranges_divergent > 0 ? 1 : 0; }

/// Tells the observer how far both sides are with this table, until it ends.
class ProgressScope {
  public:
    /// `part`: what of the table is read; none: all.
    ProgressScope(Observer& observer, std::size_t table_no, const Both<ServerSession*>& sessions, const SpanPart* part)
        : sessions_(sessions) {
        const std::size_t parts = part ? part->spans : 1, before = part ? part->number : 0;
        for (Side side : kSides)
            sessions_[side]->set_progress(
                [&observer, table_no, side, parts, before](std::uint64_t done, std::uint64_t total) {
                    observer.progress(table_no, side, before * total + done, parts * total);
                });
    }
    ~ProgressScope() {
        for (Side side : kSides) sessions_[side]->set_progress(nullptr);
    }
    ProgressScope(const ProgressScope&) = delete;
    ProgressScope& operator=(const ProgressScope&) = delete;

  private:
    const Both<ServerSession*> sessions_;
};

/// The partition that most of what differs is in, on the side that has more of these rows. If that side has no
/// partitions, the other one is asked, but only if nearly all of these rows are there.
void find_partition(const TablePlan& table, const Both<ServerSession*>& sessions, const DifferingKeys& differing,
                    TableResult& result) {
    const Side more = differing.keys.target.size() > differing.keys.source.size() ? Side::kTarget : Side::kSource;
    const Side side = table.relkind[more] == 'p' ? more : other_side(more);
    const std::vector<std::string>& keys = differing.keys[side];
    if (!may_be_concentrated(keys.size()) || (side != more && !are_most(keys.size(), differing.number))) return;
    const std::optional<PartitionRows> fullest = sessions[side]->fullest_partition(table, keys);
    if (fullest && is_concentrated(*fullest, keys.size()))
        result.concentration.partition = {side, fullest->name, fullest->rows, keys.size(), differing.sampled};
}

/// What a reader of the report should know besides, in transactions of its own.
void tell_more(const TablePlan& table, const Both<ServerSession*>& sessions, const DifferingKeys& differing,
               TableResult& result) {
    for (ServerSession* session : {sessions.source, sessions.target})
        if (std::optional<std::string> note = session->note_about(table)) result.notes.push_back(std::move(*note));
    find_partition(table, sessions, differing, result);
}

}  // namespace

TableResult fresh_result(const TablePlan& table) {
    TableResult result;
    result.plan = table;
    result.skipped = table.skipped;
    result.notes = table.notes;
    result.column_divergent.resize(table.columns.size());
    if (table.visible_rows_only) result.notes.push_back("row security applies: visible rows only");
    return result;
}

TableAttemptResult compare_table(const RunContext& context, const TablePlan& table, std::size_t table_no,
                                 const Both<ServerSession*>& sessions, const SpanPart* part) {
    const Stopwatch watch;
    TableAttemptResult made{fresh_result(table), {}};
    TableResult& result = made.result;
    if (table.unpopulated) {
        set_verdict(result);
        return made;
    }
    context.findings->begin_attempt(part ? part->findings_no : static_cast<int>(table_no));
    const ProgressScope progress(*context.observer, table_no, sessions, part);
    DifferingKeys differing;
    try {
        const Both<ServerIdentity> seen = with_table_snapshots(
            sessions, table, *context.observer, table_no, [&](const Both<TableSnapshot>& snapshots) {
                context.observer->begin_snapshots(table_no);
                result.lsn = {snapshots.source.lsn, snapshots.target.lsn};
                result.as_of_us = wall_clock_us();
                if (part)
                    made.blocks_read = compare_part(context, table, table_no, *part, sessions, result);
                else if (table.large_objects)
                    compare_large_objects(context, table, table_no, sessions, result);
                else
                    differing = compare_rows_and_values(context, table, table_no, sessions, result);
            });
        made.seen = seen;
        if (!part) tell_more(table, sessions, differing, result);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::kOtherServer) throw;
        made.failure = error;
    } catch (const std::exception& error) {
        made.failure = as_error(error);
    }
    if (made.failure) store_failure(*made.failure, result);
    set_verdict(result);
    result.elapsed_seconds = watch.seconds();
    return made;
}

void set_verdict(TableResult& result) {
    result.incomplete = !result.error.empty() || !result.skipped.empty();
    if (result.ranges_divergent > 0 || result.counts.total() > 0)
        result.verdict = Verdict::kDivergent;
    else if (!result.error.empty())
        result.verdict = Verdict::kError;
    else
        result.verdict = result.skipped.empty() ? Verdict::kIdentical : Verdict::kIncomplete;
}

void set_error(TableResult& result, const Error& error) {
    result.sqlstate = error.sqlstate();
    result.error = error.hint().empty() ? error.what() : fmt::format("{}; hint: {}", error.what(), error.hint());
}

bool has_evidence(const TableResult& result) { return evidence(result) > 0; }

bool is_milder(const TableResult& attempt, const TableResult& earlier) { return evidence(attempt) < evidence(earlier); }

TableResult failed_table(const TablePlan& table, const std::string& error) {
    TableResult result = fresh_result(table);
    result.error = error.empty() ? "not compared" : error;
    set_verdict(result);
    return result;
}

}  // namespace parity::driver
