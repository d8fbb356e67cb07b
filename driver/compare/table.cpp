#include "driver/compare/table.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "driver/compare/fetch_values.h"
#include "driver/compare/large_objects.h"
#include "driver/compare/snapshots.h"
#include "driver/digests/buckets.h"
#include "driver/digests/descend.h"
#include "driver/digests/division.h"
#include "driver/digests/lockstep.h"
#include "driver/digests/merge.h"
#include "driver/digests/prefilter.h"
#include "driver/engine/table_reader.h"
#include "driver/model/error.h"
#include "driver/model/sqlstates.h"
#include "driver/monitor/observer.h"
#include "driver/text/show.h"
#include "driver/waiting/shared_failure.h"

namespace parity::driver {
namespace {

using Clock = std::chrono::steady_clock;

/// The failure that both sides share in one pass.
class PassFailure {
  public:
    explicit PassFailure(const Both<TableReader*>& readers) : readers_(readers) { set(&failure_); }
    ~PassFailure() { set(nullptr); }
    PassFailure(const PassFailure&) = delete;
    PassFailure& operator=(const PassFailure&) = delete;

  private:
    void set(SharedFailure* failure) {
        for (TableReader* reader : {readers_.source, readers_.target}) reader->set_failure(failure);
    }

    SharedFailure failure_;
    const Both<TableReader*> readers_;
};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// One attempt to compare a table, under one pair of snapshots. Fills a fresh result.
class TableComparison {
  public:
    /// `first_readers` read the table under the forms of the first pass.
    TableComparison(const RunContext& context, const TablePlan& table, int table_no, Both<TableReader*> readers,
                    Both<TableReader*> first_readers, TableResult& result, const FindingSink* sink)
        : context_(context),
          table_(table),
          table_no_(table_no),
          readers_(readers),
          first_readers_(first_readers),
          result_(result),
          sink_(sink),
          key_forms_(forms_of(table.key)) {}

    void run() {
        begin_phase(Phase::kDigests);
        RangeList all{bounds(), {}};
        if (first_readers_.source->has_buckets() && first_readers_.target->has_buckets())
            all.buckets = buckets_for(all.bounds.size() + 1, table_.estimated_rows, key_forms_);
        Comparison first = digest(first_readers_, all);
        if (!first.divergent.empty() && is_conditioned()) first = digest_without_indexes(all, first);
        note_first_pass(first);
        if (first.divergent.empty()) return;
        show_descent(0);
        begin_phase(Phase::kNarrowingDown);
        const Located located = locate(all, first);
        result_.ranges_divergent = count_distinct(located.parents);
        if (located.divergent.empty()) return;
        begin_phase(Phase::kRows);
        find_rows(located);
        if (table_.key.empty() || result_.counts.mismatch == 0 || sink_) return;
        const auto started = Clock::now();
        begin_phase(Phase::kValues);
        fetch_values_or_say_why_not();
        debug("values fetched in {:.3f} s", seconds_since(started));
    }

  private:
    template <typename... Arguments>
    void debug(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
        if (context_.observer->wants_details())
            context_.observer->detail(static_cast<std::size_t>(table_no_),
                                      fmt::format(format, std::forward<Arguments>(arguments)...));
    }

    void show_descent(std::uint64_t differing) {
        context_.observer->found(static_cast<std::size_t>(table_no_), differing);
    }

    void begin_phase(Phase phase) { context_.observer->begin_phase(static_cast<std::size_t>(table_no_), phase); }

    static std::uint64_t count_distinct(std::vector<std::int32_t> ascending) {
        return static_cast<std::uint64_t>(std::unique(ascending.begin(), ascending.end()) - ascending.begin());
    }

    static std::vector<std::int32_t> parents_with_differences(const Located& located, const MergeReport& report) {
        std::vector<std::int32_t> parents;
        for (std::size_t i = 0; i < located.parents.size(); ++i)
            if (report.range_differs[i]) parents.push_back(located.parents[i]);
        return parents;
    }

    /// The division of the first pass.
    std::vector<std::string> bounds() {
        if (table_.ranges < 2) return {};
        Both<std::vector<std::string>> drawn{readers_.source->split(table_.ranges),
                                             readers_.target->split(table_.ranges)};
        better_side_ = better_bounds(drawn);
        return std::move(drawn[better_side_]);
    }

    /// What is equal under the first pass's forms is equal; what differs is digested again under the real ones.
    Located locate(const RangeList& all, const Comparison& first) {
        const bool can_leave_out = readers_.source->can_leave_out_columns() && readers_.target->can_leave_out_columns();
        const auto differing = [&](const std::vector<DivergentRange>& divergent) {
            return buckets_of(divergent, all.buckets);
        };
        const FirstPass pass{all.bounds,    key_forms_,  context_.settings.digest.width, !has_prefilter(table_),
                             can_leave_out, all.buckets, differing(first.divergent)};
        const Descent servers{[&](int ranges) { return split_finely(ranges); },
                              [&](const RangeList& ranges, bool exact) { return digest_if_it_fits(ranges, exact); },
                              differing};
        try {
            return descend(pass, first, servers);
        } catch (const TotalsError& error) {
            mistrust_indexes(error);
            return descend(pass, first, servers);
        }
    }

    Comparison digest(const Both<TableReader*>& readers, const RangeList& ranges) {
        const auto started = Clock::now();
        const PassFailure failure(readers);
        const std::unique_ptr<RangeSource> source = readers.source->digest(ranges);
        const std::unique_ptr<RangeSource> target = readers.target->digest(ranges);
        LockstepComparison comparison(ranges.totals_only ? 0 : table_.columns.size(), context_.settings.digest.width,
                                      ranges.totals_only ? ranges.only.size() : 0);
        Both<RangeDigests> range;
        while (true) {
            const bool more = source->next(range.source);
            if (target->next(range.target) != more)
                throw Error(ErrorKind::kInternal, "the sides sent different numbers of ranges");
            if (!more) break;
            comparison.add(range.source, range.target);
        }
        if (result_.path.source.empty()) result_.path = {source->path(), target->path()};
        Comparison compared = comparison.finish();
        debug("{} ranges digested in {:.3f} s, {} of them divergent; path {} on source, {} on target", compared.ranges,
              seconds_since(started), compared.divergent.size(), source->path(), target->path());
        show_effort(readers);
        return compared;
    }

    /// Of divergent ranges the buckets that differ, as the last pass made them; nothing where it made none, or a server
    /// had no memory for them. Either pair of readers can be asked: a side's share a session.
    std::optional<std::vector<DivergentRange>> buckets_of(const std::vector<DivergentRange>& divergent, int buckets) {
        if (buckets == 1) return std::nullopt;
        const auto started = Clock::now();
        const std::vector<std::int32_t> numbers = range_numbers(divergent);
        std::optional<BucketSums> source = first_readers_.source->bucket_sums(numbers, buckets);
        if (!source) return std::nullopt;
        std::optional<BucketSums> target = first_readers_.target->bucket_sums(numbers, buckets);
        if (!target) return std::nullopt;
        std::vector<DivergentRange> differing = differing_buckets(divergent, {std::move(*source), std::move(*target)},
                                                                  buckets, context_.settings.digest.width);
        debug("{} buckets of each divergent range compared in {:.3f} s, {} of them differ", buckets,
              seconds_since(started), differing.size());
        return differing;
    }

    /// How each side read what it was last asked for.
    void show_effort(const Both<TableReader*>& readers) {
        if (!context_.observer->wants_details()) return;
        for (Side side : kSides)
            if (const std::string effort = readers[side]->effort(); !effort.empty())
                debug("on the {}: {}", side_name(side), effort);
    }

    std::vector<std::string> split_finely(int ranges) {
        const auto started = Clock::now();
        std::vector<std::string> bounds = readers_[better_side_]->split(ranges);
        debug("{} finer bounds read in {:.3f} s", bounds.size(), seconds_since(started));
        return bounds;
    }

    /// A condition is for the server to fulfil, which may take any index for it: one that lacks rows hides them.
    bool is_conditioned() const { return !table_.where.empty() || table_.visible_rows_only; }

    /// What differs under a condition counts only as it is without indexes.
    Comparison digest_without_indexes(const RangeList& ranges, const Comparison& first) {
        avoid_indexes();
        Comparison again = digest(first_readers_, ranges);
        for (Side side : kSides)
            if (again.total[side] != first.total[side])
                result_.notes.push_back(fmt::format(
                    "an index that serves the condition does not agree with the table on {}: it is corrupt; rows were "
                    "read without it",
                    side_name(side)));
        return again;
    }

    void avoid_indexes() {
        for (const Both<TableReader*>& readers : {readers_, first_readers_})
            for (TableReader* reader : {readers.source, readers.target}) reader->avoid_indexes();
        indexes_avoided_ = true;
    }

    /// Nothing where a server has no memory for the digests of so many ranges; the transactions go on.
    std::optional<Comparison> digest_if_it_fits(const RangeList& ranges, bool exact) {
        for (TableReader* reader : {readers_.source, readers_.target}) reader->set_savepoint();
        try {
            return digest(exact ? readers_ : first_readers_, ranges);
        } catch (const Error& error) {
            if (error.sqlstate() != kProgramLimitExceeded) throw;
            debug("no finer ranges: {}", error.what());
            for (TableReader* reader : {readers_.source, readers_.target}) reader->return_to_savepoint();
            return std::nullopt;
        }
    }

    void note_first_pass(const Comparison& first) {
        result_.rows = {first.total.source.rows, first.total.target.rows};
        result_.ranges_compared = first.ranges;
        result_.ranges_divergent = first.divergent.size();
        if (table_.key.empty()) result_.column_divergent = first.column_sum_differs;
    }

    void fetch_listed_values() {
        std::uint64_t fetched = 0;
        fetch_values(*context_.spool, table_no_, readers_, [&] {
            context_.observer->fetched(static_cast<std::size_t>(table_no_), ++fetched, 2 * listed_mismatches_);
        });
        context_.spool->keep(table_no_);
    }

    /// What was found stays found, whether its values can be read again or not.
    void fetch_values_or_say_why_not() {
        try {
            fetch_listed_values();
        } catch (const LostRowError& error) {
            if (indexes_avoided_) {
                context_.spool->keep(table_no_);
                result_.error = error.what();
                return;
            }
            mistrust_indexes(error);
            fetch_values_or_say_why_not();
        }
    }

    /// An index that does not agree with its table (a corrupt one) hides rows that the scan saw: they are read without
    /// indexes from then on.
    void mistrust_indexes(const Error& error) {
        if (table_.key.empty() || indexes_avoided_) throw;
        debug("{}; reading again without indexes", error.what());
        result_.notes.push_back(fmt::format(
            "an index of the key does not agree with the table on {}: it is corrupt; rows were read without it",
            error.server()));
        avoid_indexes();
    }

    void find_rows(const Located& located) {
        try {
            merge_ranges(located);
        } catch (const TotalsError& error) {
            mistrust_indexes(error);
            forget_listed();
            spooled_ = 0;
            listed_mismatches_ = 0;
            merge_ranges(located);
        }
    }

    void forget_listed() {
        if (sink_) return sink_->restart();
        context_.spool->discard(table_no_);
    }

    void merge_ranges(const Located& located) {
        const auto started = Clock::now();
        const MergeSpec spec{.width = context_.settings.digest.width,
                             .columns = table_.columns.size(),
                             .keyless = table_.key.empty(),
                             .proven = table_.key_proven,
                             .exact = located.exact,
                             .buckets = located.buckets,
                             .keys = located.keys,
                             .digested_columns = located.columns,
                             .seed = context_.settings.digest.seed};
        const RangeList ranges{
            .bounds = located.bounds, .only = range_numbers(located.divergent), .buckets = located.buckets};
        const PassFailure failure(readers_);
        const std::unique_ptr<RowSource> source = readers_.source->rows(ranges);
        const std::unique_ptr<RowSource> target = readers_.target->rows(ranges);
        std::uint64_t listed_rows = 0, differing_rows = 0;
        const MergeReport report =
            merge_rows(spec, located.divergent, {source.get(), target.get()}, [&](const RowFinding& finding) {
                if (sink_)
                    sink_->take(finding);
                else
                    listed_rows += spool_finding(finding);
                show_descent(differing_rows += finding.occurrences);
            });
        context_.spool->keep(table_no_);
        result_.counts = report.counts;
        if (!located.exact) result_.ranges_divergent = count_distinct(parents_with_differences(located, report));
        result_.listed = listed_rows;
        if (!table_.key.empty()) result_.column_divergent = report.column_divergent;
        note_oddities(report);
        debug("rows of {} divergent {} merged in {:.3f} s", located.divergent.size(),
              located.buckets > 1 ? "buckets" : "ranges", seconds_since(started));
        show_effort(readers_);
    }

    /// Gives the number of rows that the listed finding stands for.
    std::uint64_t spool_finding(const RowFinding& finding) {
        const std::int64_t cap = context_.options->max_divergences;
        if (cap > 0 && spooled_ >= cap) return 0;
        ++spooled_;
        listed_mismatches_ += finding.kind == FindingKind::kMismatch;
        SpooledFinding entry;
        entry.finding.kind = finding.kind;
        entry.finding.key_bytes = finding.key;
        entry.finding.columns = finding.columns;
        entry.finding.occurrences = finding.occurrences;
        entry.row_hash = {std::string(finding.row_hash.source), std::string(finding.row_hash.target)};
        context_.spool->add(table_no_, entry);
        return finding.occurrences;
    }

    void note_oddities(const MergeReport& report) {
        for (Side side : kSides)
            if (report.duplicate_keys[side] > 0)
                result_.notes.push_back(fmt::format(
                    "the key should be unique, but {} has duplicates of {} keys in divergent ranges (the first is {}): "
                    "its unique index is corrupt, or the table has versions of rows that should be gone",
                    side_name(side), report.duplicate_keys[side], show_key(table_.key, report.first_duplicate_key)));
        if (report.crowded_keys > 0)
            result_.notes.push_back(
                fmt::format("{} keys have so many differing rows that not all could be paired; what was not counts as "
                            "missing on both sides",
                            report.crowded_keys));
    }

    const RunContext& context_;
    const TablePlan& table_;
    const int table_no_;
    const Both<TableReader*> readers_;
    const Both<TableReader*> first_readers_;
    TableResult& result_;
    const FindingSink* const sink_;
    const std::vector<core::Form> key_forms_;
    Side better_side_ = Side::kSource;
    bool indexes_avoided_ = false;
    std::int64_t spooled_ = 0;
    std::uint64_t listed_mismatches_ = 0;
};

/// Both sides' engines.
class Readers {
  public:
    Readers(const RunContext& context, const TablePlan& table, const Both<ServerSession*>& sessions)
        : readers_{sessions.source->read_table(table, context.settings),
                   sessions.target->read_table(table, context.settings)} {}

    Both<TableReader*> get() const { return {readers_.source.get(), readers_.target.get()}; }
    void append_notes(std::vector<std::string>& notes) const {
        for (Side side : kSides)
            for (std::string& note : readers_[side]->notes()) notes.push_back(std::move(note));
    }

  private:
    Both<std::unique_ptr<TableReader>> readers_;
};

TableResult fresh_result(const TablePlan& table) {
    TableResult result;
    result.plan = table;
    result.skipped = table.skipped;
    result.notes = table.notes;
    result.column_divergent.resize(table.columns.size());
    if (table.visible_rows_only) result.notes.push_back("row security applies: visible rows only");
    return result;
}

/// What is not listed is not read from the spool.
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

void note_failure(const Error& error, TableResult& result) {
    if (shows_nothing(error)) result = fresh_result(result.plan);
    if (result.counts.total() == 0) forget_findings(result);
    result.sqlstate = error.sqlstate();
    result.error = error.hint().empty() ? error.what() : fmt::format("{}; hint: {}", error.what(), error.hint());
}

void settle_verdict(TableResult& result) {
    result.incomplete = !result.error.empty() || !result.skipped.empty();
    if (result.ranges_divergent > 0 || result.counts.total() > 0)
        result.verdict = Verdict::kDivergent;
    else if (!result.error.empty())
        result.verdict = Verdict::kError;
    else
        result.verdict = result.skipped.empty() ? Verdict::kIdentical : Verdict::kIncomplete;
}

/// Tells the observer how far both sides are with this table, until it ends.
class ProgressScope {
  public:
    ProgressScope(Observer& observer, std::size_t table_no, const Both<ServerSession*>& sessions)
        : sessions_(sessions) {
        for (Side side : kSides)
            sessions_[side]->set_progress([&observer, table_no, side](std::uint64_t done, std::uint64_t total) {
                observer.progress(table_no, side, done, total);
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

}  // namespace

void compare_rows(const RunContext& context, const TablePlan& table, int table_no, const Both<ServerSession*>& sessions,
                  TableResult& result, const FindingSink* sink) {
    const TablePlan first = prefiltered(table);
    const Readers readers(context, table, sessions);
    const std::optional<Readers> first_readers =
        has_prefilter(table) ? std::optional<Readers>(std::in_place, context, first, sessions) : std::nullopt;
    TableComparison(context, table, table_no, readers.get(), (first_readers ? *first_readers : readers).get(), result,
                    sink)
        .run();
    readers.append_notes(result.notes);
}

TableResult compare_table(const RunContext& context, const TablePlan& table, int table_no,
                          const Both<ServerSession*>& sessions) {
    const auto started = Clock::now();
    TableResult result = fresh_result(table);
    if (table.unpopulated) {
        settle_verdict(result);
        return result;
    }
    const ProgressScope progress(*context.observer, static_cast<std::size_t>(table_no), sessions);
    try {
        with_table_snapshots(sessions, table, [&](const Both<TableSnapshot>& snapshots) {
            context.spool->discard(table_no);
            context.observer->begin_snapshots(static_cast<std::size_t>(table_no));
            result = fresh_result(table);
            result.lsn = {snapshots.source.lsn, snapshots.target.lsn};
            if (table.large_objects)
                compare_large_objects(context, table, table_no, sessions, result);
            else
                compare_rows(context, table, table_no, sessions, result);
        });
        for (ServerSession* session : {sessions.source, sessions.target})
            if (std::optional<std::string> note = session->note_about(table)) result.notes.push_back(std::move(*note));
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::kOtherServer) throw;
        note_failure(error, result);
    } catch (const std::exception& error) {
        note_failure(as_error(error), result);
    }
    settle_verdict(result);
    result.elapsed_seconds = seconds_since(started);
    return result;
}

TableResult failed_table(const TablePlan& table, const std::string& error) {
    TableResult result = fresh_result(table);
    result.error = error.empty() ? "not compared" : error;
    settle_verdict(result);
    return result;
}

}  // namespace parity::driver
