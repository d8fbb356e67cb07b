#include "driver/compare_table.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "driver/descend.h"
#include "driver/digest_reader.h"
#include "driver/display_name.h"
#include "driver/division.h"
#include "driver/error.h"
#include "driver/key_values.h"
#include "driver/row_merge.h"
#include "driver/values.h"

namespace parity::driver {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kProgramLimitExceeded = "54000";

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// The columns of split_keys_call's and row_digests_call's results.
enum SplitColumn { kBoundNo, kBound };
enum RowColumn { kRangeNo, kKey, kRowHash, kCellHashes };

/// Rows of row_digests as they arrive.
class StreamedRows : public RowSource {
  public:
    explicit StreamedRows(RowStream stream) : stream_(std::move(stream)) {}
    bool next(RowDigest& row) override {
        const std::optional<Row> next = stream_.next();
        if (!next) return false;
        row.range_no = next->int32(kRangeNo);
        row.key = next->bytes(kKey);
        row.row_hash = next->bytes(kRowHash);
        row.cell_hashes = next->bytes(kCellHashes);
        return true;
    }

  private:
    RowStream stream_;
};

/// One attempt to compare a table, under one pair of snapshots. Fills a fresh result.
class TableComparison {
  public:
    TableComparison(const RunContext& context, const TablePlan& table, int table_no, const Both<Session*>& sessions,
                    TableResult& result)
        : context_(context),
          table_(table),
          table_no_(table_no),
          sessions_(sessions),
          result_(result),
          key_forms_(forms_of(table.key)) {}

    void run() {
        const RangeList all{bounds(), {}};
        Comparison first = digest(all);
        note_first_pass(first);
        if (first.divergent.empty()) return;
        show_descent(0);
        const Located located = descend(all.bounds, std::move(first), key_forms_, slices(), context_.settings.width,
                                        {[&](int ranges) { return split(better_side_, ranges); },
                                         [&](const RangeList& ranges) { return digest_if_it_fits(ranges); }});
        find_rows(located);
        if (table_.key.empty() || result_.counts.mismatch == 0) return;
        const auto started = Clock::now();
        fetch_values(*context_.spool, table_no_, table_, context_.settings, sessions_);
        debug("values fetched in {:.3f} s", seconds_since(started));
    }

  private:
    template <typename... Arguments>
    void debug(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
        context_.log->debug("{}: {}", display_name(table_.name),
                            fmt::format(format, std::forward<Arguments>(arguments)...));
    }

    void show_descent(std::uint64_t differing) {
        context_.progress->descend(static_cast<std::size_t>(table_no_), differing);
    }

    std::size_t slices() const { return table_.columns.size() + 2; }

    /// The division of the first pass.
    std::vector<std::string> bounds() {
        if (table_.ranges < 2) return {};
        Both<std::vector<std::string>> drawn{split(Side::kSource, table_.ranges), split(Side::kTarget, table_.ranges)};
        better_side_ = better_bounds(drawn);
        return std::move(drawn[better_side_]);
    }

    /// Where there is no key, or its index may not be looked at (row security), the division is by hash.
    std::vector<std::string> split(Side side, int ranges) {
        if (table_.key.empty() || table_.visible_rows_only) return even_hash_bounds(static_cast<std::uint32_t>(ranges));
        const Query query = split_keys_call(table_, side, ranges);
        RowStream rows = sessions_[side]->connection().stream(query.sql, query.parameters);
        std::vector<std::string> bounds;
        while (const std::optional<Row> row = rows.next()) bounds.emplace_back(row->bytes(kBound));
        check_bounds(bounds, key_forms_);
        return bounds;
    }

    RowStream digest_stream(Side side, const RangeList& ranges) {
        const Query query = range_digests_call(table_, side, context_.settings, ranges);
        return sessions_[side]->connection().stream(query.sql, query.parameters);
    }

    Comparison digest(const RangeList& ranges) {
        const auto started = Clock::now();
        const std::vector<std::int32_t> requested = requested_ranges(ranges);
        DigestReader source(Side::kSource, digest_stream(Side::kSource, ranges), requested);
        DigestReader target(Side::kTarget, digest_stream(Side::kTarget, ranges), requested);
        LockstepComparison comparison(table_.columns.size(), context_.settings.width);
        Both<RangeDigests> range;
        while (true) {
            const bool more = source.next(range.source);
            if (target.next(range.target) != more)
                throw Error(ErrorKind::kInternal, "the sides sent different numbers of ranges");
            if (!more) break;
            comparison.add(range.source, range.target);
        }
        if (result_.path.source.empty()) result_.path = {source.path(), target.path()};
        Comparison compared = comparison.finish();
        debug("{} ranges digested in {:.3f} s, {} of them divergent; path {} on source, {} on target", compared.ranges,
              seconds_since(started), compared.divergent.size(), source.path(), target.path());
        return compared;
    }

    /// Nothing where a server has no memory for the digests of so many ranges; the transactions go on.
    std::optional<Comparison> digest_if_it_fits(const RangeList& ranges) {
        on_both_sides(savepoint_statement());
        try {
            return digest(ranges);
        } catch (const Error& error) {
            if (error.sqlstate() != kProgramLimitExceeded) throw;
            debug("no finer ranges: {}", error.what());
            on_both_sides(rollback_to_savepoint_statement());
            return std::nullopt;
        }
    }

    void on_both_sides(const std::string& statements) {
        for (Side side : {Side::kSource, Side::kTarget}) sessions_[side]->connection().query(statements);
    }

    void note_first_pass(const Comparison& first) {
        result_.rows = {first.total.source.rows, first.total.target.rows};
        result_.ranges_compared = first.ranges;
        result_.ranges_divergent = first.divergent.size();
        if (table_.key.empty()) result_.column_divergent = first.column_sum_differs;
    }

    /// An index that does not agree with its table (a corrupt one) hides rows that the scan saw: the rows are read
    /// again without indexes then.
    void find_rows(const Located& located) {
        try {
            merge_ranges(located);
        } catch (const TotalsError& error) {
            if (table_.key.empty()) throw;
            debug("{}; reading the rows again without indexes", error.what());
            result_.notes.push_back(fmt::format(
                "an index of the key does not agree with the table on {}: it is corrupt; rows were read without it",
                error.server()));
            on_both_sides(avoid_indexes_statements());
            context_.spool->discard(table_no_);
            spooled_ = 0;
            merge_ranges(located);
        }
    }

    void merge_ranges(const Located& located) {
        const auto started = Clock::now();
        const MergeSpec spec{context_.settings.width, table_.columns.size(), table_.key.empty(), table_.key_proven};
        const RangeList ranges{located.bounds, range_numbers(located.divergent)};
        StreamedRows source(row_stream(Side::kSource, ranges));
        StreamedRows target(row_stream(Side::kTarget, ranges));
        std::uint64_t listed_rows = 0, differing_rows = 0;
        const MergeReport report =
            merge_rows(spec, located.divergent, {&source, &target}, [&](const RowFinding& finding) {
                listed_rows += spool_finding(finding);
                show_descent(differing_rows += finding.occurrences);
            });
        result_.counts = report.counts;
        result_.listed = listed_rows;
        if (!table_.key.empty()) result_.column_divergent = report.column_divergent;
        note_oddities(report);
        debug("rows of {} divergent ranges merged in {:.3f} s", located.divergent.size(), seconds_since(started));
    }

    RowStream row_stream(Side side, const RangeList& ranges) {
        const Query query = row_digests_call(table_, side, context_.settings, ranges);
        return sessions_[side]->connection().stream(query.sql, query.parameters);
    }

    /// Gives the number of rows that the listed finding stands for.
    std::uint64_t spool_finding(const RowFinding& finding) {
        const std::int64_t cap = context_.options->max_divergences;
        if (cap > 0 && spooled_ >= cap) return 0;
        ++spooled_;
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
        for (Side side : {Side::kSource, Side::kTarget})
            if (report.duplicate_keys[side] > 0)
                result_.notes.push_back(fmt::format(
                    "the key should be unique, but {} has duplicates of {} keys in divergent ranges (the first is {}): "
                    "its unique index is corrupt",
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
    const Both<Session*> sessions_;
    TableResult& result_;
    const std::vector<core::Form> key_forms_;
    Side better_side_ = Side::kSource;
    std::int64_t spooled_ = 0;
};

TableResult fresh_result(const TablePlan& table) {
    TableResult result;
    result.plan = table;
    result.skipped = table.skipped;
    result.column_divergent.resize(table.columns.size());
    if (table.visible_rows_only) result.notes.push_back("row security applies: visible rows only");
    return result;
}

void forget_findings(const RunContext& context, int table_no, TableResult& result) {
    result.counts = {};
    result.listed = 0;
    context.spool->discard(table_no);
}

/// An answer that contradicts itself, and one under a snapshot that was given up, shows nothing at all.
bool shows_nothing(const Error& error) { return error.kind() == ErrorKind::kInternal || is_snapshot_failure(error); }

void note_failure(const RunContext& context, int table_no, const Error& error, TableResult& result) {
    if (shows_nothing(error)) result = fresh_result(result.plan);
    if (result.counts.total() == 0) forget_findings(context, table_no, result);
    result.error = error.hint().empty() ? error.what() : fmt::format("{}; hint: {}", error.what(), error.hint());
}

void settle_verdict(TableResult& result) {
    result.incomplete = !result.error.empty() || !result.skipped.empty();
    if (result.ranges_divergent > 0)
        result.verdict = Verdict::kDivergent;
    else if (!result.error.empty())
        result.verdict = Verdict::kError;
    else
        result.verdict = result.skipped.empty() ? Verdict::kIdentical : Verdict::kIncomplete;
}

/// Shows the extension's progress notices as this table's, and takes the handlers away again.
class ProgressScope {
  public:
    ProgressScope(const RunContext& context, std::size_t table_no, const Both<Session*>& sessions)
        : sessions_(sessions) {
        for (Side side : {Side::kSource, Side::kTarget})
            sessions_[side]->connection().set_progress_handler(
                [progress = context.progress, table_no, side](std::uint64_t done, std::uint64_t total) {
                    progress->update(table_no, side, done, total);
                });
    }
    ~ProgressScope() {
        for (Side side : {Side::kSource, Side::kTarget}) sessions_[side]->connection().set_progress_handler(nullptr);
    }
    ProgressScope(const ProgressScope&) = delete;
    ProgressScope& operator=(const ProgressScope&) = delete;

  private:
    const Both<Session*> sessions_;
};

}  // namespace

TableResult compare_table(const RunContext& context, const TablePlan& table, int table_no,
                          const Both<Session*>& sessions) {
    const auto started = Clock::now();
    TableResult result = fresh_result(table);
    const ProgressScope progress(context, static_cast<std::size_t>(table_no), sessions);
    try {
        with_table_snapshots(sessions, table, [&](const Both<TableSnapshot>& snapshots) {
            context.spool->discard(table_no);
            result = fresh_result(table);
            result.lsn = {snapshots.source.lsn, snapshots.target.lsn};
            TableComparison(context, table, table_no, sessions, result).run();
        });
    } catch (const Error& error) {
        note_failure(context, table_no, error, result);
    } catch (const std::exception& error) {
        note_failure(context, table_no, Error(ErrorKind::kInternal, error.what()), result);
    }
    settle_verdict(result);
    result.elapsed_seconds = seconds_since(started);
    return result;
}

TableResult failed_table(const TablePlan& table, const std::string& error) {
    TableResult result = fresh_result(table);
    result.error = error;
    settle_verdict(result);
    return result;
}

}  // namespace parity::driver
