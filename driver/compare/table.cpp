#include "driver/compare/table.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "driver/compare/dead_letters.h"
#include "driver/compare/large_objects.h"
#include "driver/compare/passes.h"
#include "driver/compare/snapshots.h"
#include "driver/compare/table_attempt.h"
#include "driver/digests/concentration.h"
#include "driver/model/error.h"
#include "driver/model/sqlstates.h"
#include "driver/monitor/observer.h"
#include "driver/waiting/interrupt.h"
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

/// What is asked about a table once it was compared.
void look_beside(const TablePlan& table, const Both<ServerSession*>& sessions, const DifferingKeys& differing,
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

namespace {

/// One attempt under one pair of snapshots; what cannot be read is read around on the sides that say so.
TableAttemptResult make_attempt(const RunContext& context, const TablePlan& table, std::size_t table_no,
                                const Both<ServerSession*>& sessions, const Both<bool>& unreadable,
                                const SpanPart* part) {
    const Stopwatch watch;
    const bool salvaged = unreadable.source || unreadable.target;
    const TablePlan plan = salvaged ? salvage_plan(table, unreadable, context.options->run_owners_code) : table;
    TableAttemptResult made{fresh_result(table), {}};
    TableResult& result = made.result;
    DifferingKeys differing;
    try {
        const Both<ServerIdentity> seen = with_table_snapshots(
            sessions, plan, *context.observer, table_no, [&](const Both<TableSnapshot>& snapshots) {
                context.observer->begin_snapshots(table_no);
                result.lsn = {snapshots.source.lsn, snapshots.target.lsn};
                result.as_of_us = wall_clock_us();
                if (part) {
                    made.blocks_read = compare_part(context, plan, table_no, *part, sessions, result);
                    return;
                }
                if (table.large_objects) return compare_large_objects(context, table, table_no, sessions, result);
                SalvagedSides sides(context, plan, sessions, unreadable);
                differing = compare_rows_and_values(context, plan, table_no, sessions, result, sides.get());
                sides.store(result);
            });
        made.seen = seen;
        if (!salvaged && !part) look_beside(table, sessions, differing, result);
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

/// Whether a failure is one of a side that was not read around such failures yet. It is then.
bool note_unreadable(const TablePlan& table, const Error& failure, const Both<ServerSession*>& sessions,
                     Both<bool>& unreadable) {
    const Both<bool> failed = unreadable_sides(table, failure);
    if (interrupted() || !sessions.source->alive() || !sessions.target->alive()) return false;
    bool more = false;
    for (Side side : kSides) {
        more = more || (failed[side] && !unreadable[side]);
        unreadable[side] = unreadable[side] || failed[side];
    }
    return more;
}

/// Another attempt after one that failed at something that cannot be read. What was seen to differ stays seen until an
/// attempt that does not fail shows otherwise; which rows that were is not told then.
TableAttemptResult read_around(const RunContext& context, TableAttemptResult failed, std::size_t table_no,
                               const Both<ServerSession*>& sessions, const Both<bool>& unreadable) {
    context.findings->discard(static_cast<int>(table_no));
    context.observer->read_around(table_no, *failed.failure);
    TableAttemptResult made = make_attempt(context, failed.result.plan, table_no, sessions, unreadable, nullptr);
    made.result.elapsed_seconds += failed.result.elapsed_seconds;
    const bool uncleared =
        failed.result.counts.total() > 0 && was_not_cleared(failed.result, made.result, std::string());
    if (uncleared || (made.failure && is_milder(made.result, failed.result))) {
        made.result.ranges_divergent = std::max<std::uint64_t>(failed.result.ranges_divergent, 1);
        set_verdict(made.result);
    }
    if (!made.failure && made.result.dead_letters.empty())
        made.result.notes.push_back(fmt::format(
            "an attempt to read the table failed, and reading it by its places did not: {}", failed.failure->what()));
    return made;
}

}  // namespace

TableAttemptResult compare_table(const RunContext& context, const TablePlan& table, std::size_t table_no,
                                 const Both<ServerSession*>& sessions, const SpanPart* part) {
    if (table.unpopulated) {
        TableAttemptResult made{fresh_result(table), {}};
        set_verdict(made.result);
        return made;
    }
    context.findings->begin_attempt(part ? part->findings_no : static_cast<int>(table_no));
    const ProgressScope progress(*context.observer, table_no, sessions, part);
    TableAttemptResult made = make_attempt(context, table, table_no, sessions, {false, false}, part);
    if (part) return made;
    Both<bool> unreadable{false, false};
    while (made.failure && note_unreadable(table, *made.failure, sessions, unreadable))
        made = read_around(context, std::move(made), table_no, sessions, unreadable);
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

bool was_not_cleared(const TableResult& earlier, const TableResult& attempt, const std::string& left_out) {
    return has_evidence(earlier) && !has_evidence(attempt) && (!left_out.empty() || !attempt.dead_letters.empty());
}

void keep_uncleared(TableResult& earlier, const TableResult& attempt, const std::string& left_out) {
    earlier.error = fmt::format("it differed before, and does not in what is still compared; left out now: {}",
                                left_out.empty() ? "what cannot be read of it" : left_out);
    earlier.sqlstate.clear();
    earlier.dead_letters = attempt.dead_letters;
    earlier.skipped = attempt.skipped;
    earlier.incomplete = true;
}

TableResult failed_table(const TablePlan& table, const std::string& error) {
    TableResult result = fresh_result(table);
    result.error = error.empty() ? "not compared" : error;
    set_verdict(result);
    return result;
}

}  // namespace parity::driver
