#include "driver/compare/passes.h"

#include <chrono>
#include <memory>

#include "driver/digests/buckets.h"
#include "driver/digests/division.h"
#include "driver/model/error.h"
#include "driver/model/sqlstates.h"
#include "driver/waiting/stopwatch.h"

namespace parity::driver {

KeyDivision draw_bounds(int ranges, const Both<TableReader*>& readers) {
    if (ranges < 2) return {};
    Both<std::vector<std::string>> drawn{readers.source->split(ranges), readers.target->split(ranges)};
    const Side better = better_bounds(drawn);
    return {std::move(drawn[better]), better};
}

std::vector<std::string> Passes::use(KeyDivision division) {
    better_side_ = division.by;
    return std::move(division.bounds);
}

std::vector<std::string> Passes::finer_bounds(int ranges) {
    const Stopwatch watch;
    std::vector<std::string> bounds = readers_[better_side_]->split(ranges);
    observer_.detail("{} finer bounds read in {:.3f} s", bounds.size(), watch.seconds());
    return bounds;
}

Comparison Passes::digest(const RangeList& ranges, bool exact) {
    const Both<TableReader*>& readers = exact ? readers_ : first_readers_;
    const Stopwatch watch;
    const PassFailure failure(readers);
    Both<Clock::time_point> began;
    Both<std::unique_ptr<RangeSource>> sources;
    for (Side side : kSides) {
        began[side] = Clock::now();
        sources[side] = readers[side]->digest(ranges);
    }
    const auto& [source, target] = sources;
    LockstepComparison comparison(ranges.totals_only ? 0 : table_.columns.size(), width_,
                                  ranges.totals_only ? ranges.only.size() : 0);
    Both<RangeDigests> range;
    while (true) {
        const bool more = source->next(range.source);
        if (target->next(range.target) != more) throw_contradiction("the sides sent different numbers of ranges");
        if (!more) break;
        comparison.add(range.source, range.target);
    }
    if (path_.source.empty()) path_ = {source->path(), target->path()};
    Comparison compared = comparison.finish();
    if (ranges.only.empty()) tell_readings(began, sources, compared);
    observer_.detail("{} ranges digested in {:.3f} s, {} of them divergent; path {} on source, {} on target",
                     compared.ranges, watch.seconds(), compared.divergent.size(), source->path(), target->path());
    tell_effort(readers);
    return compared;
}

void Passes::tell_readings(const Both<Clock::time_point>& began, const Both<std::unique_ptr<RangeSource>>& sources,
                           const Comparison& compared) const {
    const Clock::time_point now = Clock::now();
    for (Side side : kSides) {
        const ReadingEnd end = sources[side]->reading_end();
        observer_.read(side, {began[side], end.at.value_or(now), compared.total[side].rows, end.bytes});
    }
}

std::optional<Comparison> Passes::digest_if_it_fits(const RangeList& ranges, bool exact) {
    for (TableReader* reader : {readers_.source, readers_.target}) reader->set_savepoint();
    try {
        return digest(ranges, exact);
    } catch (const Error& error) {
        if (error.sqlstate() != kProgramLimitExceeded) throw;
        observer_.detail("no finer ranges: {}", error.what());
        for (TableReader* reader : {readers_.source, readers_.target}) reader->return_to_savepoint();
        return std::nullopt;
    }
}

std::optional<std::vector<DivergentRange>> Passes::differing_buckets_of(const std::vector<DivergentRange>& divergent,
                                                                        int buckets) {
    if (buckets == 1) return std::nullopt;
    const Stopwatch watch;
    const std::vector<std::int32_t> numbers = range_numbers(divergent);
    std::optional<BucketSums> source = first_readers_.source->bucket_sums(numbers, buckets);
    if (!source) return std::nullopt;
    std::optional<BucketSums> target = first_readers_.target->bucket_sums(numbers, buckets);
    if (!target) return std::nullopt;
    std::vector<DivergentRange> differing =
        differing_buckets(divergent, {std::move(*source), std::move(*target)}, buckets, width_);
    observer_.detail("{} buckets of each divergent range compared in {:.3f} s, {} of them differ", buckets,
                     watch.seconds(), differing.size());
    return differing;
}

void Passes::avoid_indexes() {
    for (const Both<TableReader*>& readers : {readers_, first_readers_})
        for (TableReader* reader : {readers.source, readers.target}) reader->avoid_indexes();
    indexes_avoided_ = true;
}

void Passes::tell_effort(const Both<TableReader*>& readers) const {
    if (!observer_.wants_details()) return;
    for (Side side : kSides)
        if (const std::string effort = readers[side]->effort(); !effort.empty())
            observer_.detail("on the {}: {}", side_name(side), effort);
}

}  // namespace parity::driver
