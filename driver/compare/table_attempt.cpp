#include "driver/compare/table_attempt.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "driver/compare/fetch_values.h"
#include "driver/compare/passes.h"
#include "driver/digests/concentration.h"
#include "driver/digests/descend.h"
#include "driver/digests/division.h"
#include "driver/digests/lockstep.h"
#include "driver/digests/merge.h"
#include "driver/digests/ranges.h"
#include "driver/digests/unread_rows.h"
#include "driver/engine/span_reader.h"
#include "driver/engine/table_reader.h"
#include "driver/model/error.h"
#include "driver/model/sqlstates.h"
#include "driver/monitor/observer.h"
#include "driver/salvage/salvage.h"
#include "driver/state/findings.h"
#include "driver/text/show.h"
#include "driver/waiting/stopwatch.h"

namespace parity::driver {
namespace {

/// Both sides' engines.
class Readers {
  public:
    /// `part`: what of the table is read; none: all.
    Readers(const RunContext& context, const TablePlan& table, const Both<ServerSession*>& sessions,
            const Both<Salvage*>& salvage, const SpanPart* part) {
        for (Side side : kSides) {
            readers_[side] =
                salvage[side] ? salvage[side]->reader() : sessions[side]->read_table(table, context.settings);
            if (part)
                readers_[side] =
                    make_span_reader(std::move(readers_[side]), part->span, part->spans, forms_of(table.key));
        }
    }

    Both<TableReader*> get() const { return {readers_.source.get(), readers_.target.get()}; }
    void append_notes(std::vector<std::string>& notes) const {
        for (Side side : kSides)
            for (std::string& note : readers_[side]->notes()) notes.push_back(std::move(note));
    }

  private:
    Both<std::unique_ptr<TableReader>> readers_;
};

/// One attempt to compare a table, under one pair of snapshots. Fills a fresh result.
class TableAttempt {
  public:
    TableAttempt(const RunContext& context, const TablePlan& table, std::size_t table_no,
                 const Both<ServerSession*>& sessions, const Both<Salvage*>& salvage, FindingSink& sink,
                 TableResult& result, const SpanPart* part = nullptr)
        : context_(context),
          table_(table),
          part_(part),
          first_table_(prefiltered(table)),
          observer_(*context.observer, table_no),
          salvage_(salvage),
          readers_(context, table, sessions, salvage, part),
          passes_(table, context.settings.digest.width, readers_.get(), first_readers(sessions), observer_),
          sink_(sink),
          result_(result),
          key_forms_(forms_of(table.key)) {}

    /// Whether rows that differ were merged.
    bool compare() {
        observer_.begin_phase(Phase::kDigests);
        if (part_)
            for (Side side : kSides) readers_.get()[side]->begin_span(part_->blocks_read_before[side]);
        RangeList all{part_ ? passes_.use(part_->ranges) : passes_.bounds(), {}};
        if (is_salvaged() && all.bounds.empty() && table_.ranges > 1)
            all.bounds = even_hash_bounds(static_cast<std::uint32_t>(table_.ranges));
        in_key_order_ = !all.bounds.empty() && !are_hash_bounds(all.bounds);
        if (passes_.has_buckets()) all.buckets = buckets_for(all.bounds.size() + 1, table_.estimated_rows, key_forms_);
        Comparison first = passes_.digest(all, false);
        if (!first.divergent.empty() && is_conditioned()) first = digest_without_indexes(all, first);
        store_first_pass(first);
        if (first.divergent.empty()) return false;
        observer_.found(0);
        observer_.begin_phase(Phase::kNarrowingDown);
        const DivergentRanges located = locate(all, first);
        if (!is_salvaged()) result_.ranges_divergent = count_distinct(located.parents);
        if (located.divergent.empty()) return false;
        observer_.begin_phase(Phase::kRows);
        find_rows(located);
        return true;
    }

    /// What was found stays found, whether its values can be read again or not.
    void fetch_values(FindingStore& findings, int table_no) {
        observer_.begin_phase(Phase::kValues);
        const Stopwatch watch;
        try {
            fetch_listed_values(findings, table_no);
        } catch (const LostRowError& error) {
            if (passes_.indexes_avoided()) {
                findings.commit(table_no);
                result_.error = error.what();
                return;
            }
            mistrust_indexes(error);
            return fetch_values(findings, table_no);
        }
        observer_.detail("values fetched in {:.3f} s", watch.seconds());
    }

    void append_notes() const { readers_.append_notes(result_.notes); }

    /// Of a part.
    Both<std::string> blocks_read() const {
        return {readers_.get().source->blocks_read(), readers_.get().target->blocks_read()};
    }

    DifferingKeys take_differing_keys() { return std::move(differing_keys_); }

  private:
    Both<TableReader*> first_readers(const Both<ServerSession*>& sessions) {
        if (!has_prefilter(table_)) return readers_.get();
        return first_readers_.emplace(context_, first_table_, sessions, salvage_, part_).get();
    }

    /// What a side lacks may be what could not be read of it: only rows tell then whether anything differs.
    bool is_salvaged() const { return salvage_.source || salvage_.target; }

    static std::uint64_t count_distinct(std::vector<std::int32_t> ascending) {
        return static_cast<std::uint64_t>(std::unique(ascending.begin(), ascending.end()) - ascending.begin());
    }

    static std::vector<std::int32_t> parents_with_differences(const DivergentRanges& located,
                                                              const MergeReport& report) {
        std::vector<std::int32_t> parents;
        for (std::size_t i = 0; i < located.parents.size(); ++i)
            if (report.range_differs[i]) parents.push_back(located.parents[i]);
        return parents;
    }

    // ---- narrowing down ----

    /// A condition is for the server to fulfil, which may take any index for it: one that lacks rows hides them.
    bool is_conditioned() const { return !table_.where.empty() || table_.visible_rows_only; }

    /// What differs under a condition counts only as it is without indexes.
    Comparison digest_without_indexes(const RangeList& ranges, const Comparison& first) {
        passes_.avoid_indexes();
        Comparison again = passes_.digest(ranges, false);
        for (Side side : kSides)
            if (again.total[side] != first.total[side])
                result_.notes.push_back(fmt::format(
                    "an index that serves the condition does not agree with the table on {}: it is corrupt; rows were "
                    "read without it",
                    side_name(side)));
        return again;
    }

    void store_first_pass(const Comparison& first) {
        result_.path = passes_.path();
        result_.rows = {first.total.source.rows, first.total.target.rows};
        if (!table_.where.empty() && result_.rows.source + result_.rows.target == 0)
            result_.notes.push_back("no row of either side fulfils the condition");
        result_.ranges_compared = first.ranges;
        if (is_salvaged()) return;
        result_.ranges_divergent = first.divergent.size();
        if (table_.key.empty()) result_.column_divergent = first.column_sum_differs;
    }

    /// What is equal under the first pass's forms is equal; what differs is digested again under the real ones.
    DivergentRanges locate(const RangeList& all, const Comparison& first) {
        if (is_salvaged()) {
            DivergentRanges located{.bounds = all.bounds, .divergent = first.divergent, .parents = {}};
            located.parents = range_numbers(located.divergent);
            return located;
        }
        const auto differing = [&](const std::vector<DivergentRange>& divergent) {
            return passes_.differing_buckets_of(divergent, all.buckets);
        };
        const FirstPass pass{all.bounds,
                             key_forms_,
                             context_.settings.digest.width,
                             !has_prefilter(table_),
                             passes_.can_leave_out_columns(),
                             all.buckets,
                             differing(first.divergent)};
        const DescentCalls calls{
            [&](int ranges) { return passes_.finer_bounds(ranges); },
            [&](const RangeList& ranges, bool exact) { return passes_.digest_if_it_fits(ranges, exact); }, differing};
        try {
            return descend(pass, first, calls);
        } catch (const TotalsError& error) {
            mistrust_indexes(error);
            return descend(pass, first, calls);
        }
    }

    /// An index that does not agree with its table (a corrupt one) hides rows that the scan saw: they are read without
    /// indexes from then on. Rethrows where that would change nothing.
    void mistrust_indexes(const Error& error) {
        if (table_.key.empty() || passes_.indexes_avoided()) throw;
        if (part_)  // without its index there are no parts
            throw Error(error.kind(), error.what(), error.hint(), error.server(), std::string(kIndexLacksRows));
        observer_.detail("{}; reading again without indexes", error.what());
        result_.notes.push_back(fmt::format(
            "an index of the key does not agree with the table on {}: it is corrupt; rows were read without it",
            error.server()));
        passes_.avoid_indexes();
    }

    // ---- rows ----

    void find_rows(const DivergentRanges& located) {
        try {
            merge_ranges(located);
        } catch (const TotalsError& error) {
            mistrust_indexes(error);
            sink_.restart();
            merge_ranges(located);
        }
    }

    /// Only a proven key is sure to have an index, and only partitions are asked for.
    bool may_ask_partitions() const {
        return table_.key_proven && (table_.relkind.source == 'p' || table_.relkind.target == 'p');
    }

    Both<const UnreadRows*> unread(const DivergentRanges& located) const {
        Both<const UnreadRows*> unread{nullptr, nullptr};
        for (Side side : kSides) {
            if (!salvage_[side]) continue;
            salvage_[side]->find_unread(located.bounds, located.divergent);
            unread[side] = &salvage_[side]->unread();
        }
        return unread;
    }

    void merge_ranges(const DivergentRanges& located) {
        const Stopwatch watch;
        const MergeSpec spec{.width = context_.settings.digest.width,
                             .columns = table_.columns.size(),
                             .keyless = table_.key.empty(),
                             .proven = table_.key_proven,
                             .exact = located.exact,
                             .buckets = located.buckets,
                             .keys = located.keys,
                             .digested_columns = located.columns,
                             .seed = context_.settings.digest.seed,
                             .unread = unread(located)};
        const RangeList ranges{
            .bounds = located.bounds, .only = range_numbers(located.divergent), .buckets = located.buckets};
        const Both<TableReader*>& readers = passes_.readers();
        const PassFailure failure(readers);
        const std::unique_ptr<RowSource> source = readers.source->rows(ranges);
        const std::unique_ptr<RowSource> target = readers.target->rows(ranges);
        std::uint64_t differing_rows = 0;
        ConcentrationCounter where(key_forms_, table_.columns.size(), result_.ranges_compared, in_key_order_,
                                   may_ask_partitions());
        const MergeReport report =
            merge_rows(spec, located.divergent, {source.get(), target.get()}, [&](const RowFinding& finding) {
                if (is_unresolved(finding.kind)) return;
                sink_.take(finding);
                where.add(finding, located.parents.at(finding.range_index));
                observer_.found(differing_rows += finding.occurrences);
            });
        sink_.commit();
        store_merged(located, report);
        if (!table_.key.empty()) result_.concentration = where.result();
        differing_keys_ = where.differing_keys();
        observer_.detail("rows of {} divergent {} merged in {:.3f} s", located.divergent.size(),
                         located.buckets > 1 ? "buckets" : "ranges", watch.seconds());
        passes_.tell_effort(readers);
    }

    void store_merged(const DivergentRanges& located, const MergeReport& report) {
        result_.counts = report.counts;
        result_.listed = sink_.listed_rows();
        if (!located.exact || is_salvaged())
            result_.ranges_divergent = count_distinct(parents_with_differences(located, report));
        if (is_salvaged()) count_unexplained(report.counts);
        note_hidden_damage(report.counts);
        if (!table_.key.empty()) {
            result_.column_divergent = report.column_divergent;
            result_.column_counts = report.column_counts;
        }
        note_oddities(report);
    }

    /// A page that cannot be read looks empty then.
    void note_hidden_damage(const FindingCounts& counts) {
        for (Side side : kSides) {
            const std::uint64_t missing = side == Side::kSource ? counts.missing_on_source : counts.missing_on_target;
            if (missing > 0 && !table_.hides_damage[side].empty())
                result_.notes.push_back(
                    fmt::format("rows that are missing on {} may stand on pages that are damaged: {} "
                                "is on there, which hides that",
                                side_name(side), table_.hides_damage[side]));
        }
    }

    /// More rows may lack a counterpart than what could not be read can hold.
    void count_unexplained(const FindingCounts& counts) {
        for (Side side : kSides) {
            if (!salvage_[side]) continue;
            const std::uint64_t rows =
                side == Side::kSource ? counts.unresolved_on_source : counts.unresolved_on_target;
            const std::uint64_t most = salvage_[side]->unread().most_rows();
            if (rows <= most) continue;
            result_.ranges_divergent = std::max<std::uint64_t>(result_.ranges_divergent, 1);
            result_.notes.push_back(
                fmt::format("{} rows of {} match nothing that could be read on {}, and what could not be read there "
                            "are {} rows at most: {} rows or more are missing",
                            rows, side_name(other_side(side)), side_name(side), most, rows - most));
        }
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

    // ---- values ----

    void fetch_listed_values(FindingStore& findings, int table_no) {
        std::uint64_t fetched = 0;
        driver::fetch_values(findings, table_no, passes_.readers(),
                             [&] { observer_.fetched(++fetched, 2 * sink_.listed_mismatches()); });
        findings.commit(table_no);
    }

    const RunContext& context_;
    const TablePlan& table_;
    const SpanPart* const part_;   ///< none: all of the table
    const TablePlan first_table_;  ///< under the forms of the first pass
    const TableObserver observer_;
    const Both<Salvage*> salvage_;  ///< of a side that is read around what cannot be read; else nullptr
    const Readers readers_;
    std::optional<Readers> first_readers_;
    Passes passes_;
    FindingSink& sink_;
    TableResult& result_;
    const std::vector<core::Form> key_forms_;
    DifferingKeys differing_keys_;
    bool in_key_order_ = false;  ///< the ranges of the first pass are
};

}  // namespace

void compare_rows(const RunContext& context, const TablePlan& table, std::size_t table_no,
                  const Both<ServerSession*>& sessions, FindingSink& sink, TableResult& result) {
    TableAttempt attempt(context, table, table_no, sessions, {nullptr, nullptr}, sink, result);
    attempt.compare();
    attempt.append_notes();
}

Both<std::string> compare_part(const RunContext& context, const TablePlan& table, std::size_t table_no,
                               const SpanPart& part, const Both<ServerSession*>& sessions, TableResult& result) {
    StoreSink sink(*context.findings, part.findings_no, context.options->max_divergences,
                   forms_of(framed_columns(table)));
    TableAttempt attempt(context, table, table_no, sessions, {}, sink, result, &part);
    if (attempt.compare() && result.counts.mismatch > 0) attempt.fetch_values(*context.findings, part.findings_no);
    attempt.append_notes();
    return attempt.blocks_read();
}

DifferingKeys compare_rows_and_values(const RunContext& context, const TablePlan& table, std::size_t table_no,
                                      const Both<ServerSession*>& sessions, TableResult& result,
                                      const Both<Salvage*>& salvage) {
    const int number = static_cast<int>(table_no);
    StoreSink sink(*context.findings, number, context.options->max_divergences, forms_of(framed_columns(table)));
    TableAttempt attempt(context, table, table_no, sessions, salvage, sink, result);
    if (attempt.compare() && !table.key.empty() && result.counts.mismatch > 0)
        attempt.fetch_values(*context.findings, number);
    attempt.append_notes();
    return attempt.take_differing_keys();
}

}  // namespace parity::driver
