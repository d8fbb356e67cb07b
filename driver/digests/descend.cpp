#include "driver/digests/descend.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "driver/digests/division.h"
#include "driver/digests/merge.h"
#include "driver/model/error.h"

namespace parity::driver {
namespace {

/// Fewer rows are read faster than digested again.
constexpr std::uint64_t kManyRows = 100'000;
constexpr double kManyOfTable = 0.05;
/// Reading a row costs what digesting so many does.
constexpr std::uint64_t kCostOfRow = 4;
/// The totals of so many ranges take a server 3 to 5 MB for each process of a scan.
constexpr std::size_t kMaxFinerRanges = 131'072;
/// What more of them cost a pass, and save afterwards: docs/architecture.md, "Descending".
constexpr std::size_t kBucketsOfTable = 65'536;
/// Where the rows of a range follow one another in the table, its sums are in the processor's cache. So it is mostly
/// for integers. In very many rows there are many in each bucket.
constexpr std::size_t kMaxBucketsOfTable = 131'072;
constexpr double kVeryManyRows = 20e6;
constexpr int kMaxBucketsOfRange = 64;
/// Buckets are there already, finer ranges take a pass.
constexpr std::size_t kMuchFiner = 4;
/// split_keys is asked for no more.
constexpr std::size_t kMaxSplit = 262'144;

std::uint64_t larger_side(const Both<HashTotal>& total) { return std::max(total.source.rows, total.target.rows); }

std::uint64_t rows_in(const std::vector<DivergentRange>& divergent) {
    std::uint64_t rows = 0;
    for (const DivergentRange& range : divergent) rows += larger_side(range.total);
    return rows;
}

/// About how many rows there are in located buckets: those of one range have about the same number.
std::uint64_t rows_in_buckets(const Comparison& first, const DivergentRanges& located) {
    std::uint64_t rows = 0;
    auto range = first.divergent.begin();
    for (const std::int32_t parent : located.parents) {
        while (range->range_no < parent) ++range;
        rows += larger_side(range->total);
    }
    return rows / static_cast<std::uint64_t>(located.buckets);
}

/// A finer division of the divergent ranges, or nothing where none is finer.
std::optional<Subdivision> finer_division(const FirstPass& pass, const Comparison& first, const DescentCalls& calls) {
    const std::size_t wanted = finer_ranges(first);
    const std::size_t parts = wanted / first.divergent.size();
    if (parts < 2) return std::nullopt;
    const auto by_hash = [&] {
        return subdivide_by_hash(pass.bounds, first.divergent, static_cast<std::uint32_t>(parts));
    };
    if (are_hash_bounds(pass.bounds)) return by_hash();
    const std::size_t asked = std::min(kMaxSplit, static_cast<std::size_t>(first.ranges) * parts);
    const std::vector<std::string> candidates = calls.split(static_cast<int>(asked));
    if (are_hash_bounds(candidates)) return pass.bounds.empty() ? by_hash() : std::nullopt;
    return subdivide_by_keys(pass.bounds, first.divergent, candidates, wanted, pass.key_forms);
}

/// A pass must cover exactly the rows of the ranges it looks at again: by their hashes, or under other forms or without
/// some columns by their keys'.
void check_covered(const FirstPass& pass, const std::vector<DivergentRange>& divergent, const Comparison& second,
                   bool same_rows) {
    Both<HashTotal> expected;
    for (const DivergentRange& range : divergent)
        for (Side side : kSides) expected[side].add((same_rows ? range.total : range.keys)[side], pass.width);
    const Both<HashTotal>& found = same_rows ? second.total : second.keys;
    for (Side side : kSides)
        if (expected[side] != found[side])
            throw TotalsError(
                ErrorKind::kInternal,
                fmt::format("two digests of the same ranges on {} contradict each other", side_name(side)), {},
                std::string(side_name(side)), {});
}

/// Divergent ranges as those of their buckets that differ.
DivergentRanges in_buckets(const FirstPass& pass, const std::vector<DivergentRange>& divergent,
                           std::vector<DivergentRange> differing, bool exact) {
    std::vector<std::int32_t> parents = range_numbers(differing);
    for (std::int32_t& number : parents) number = range_of_bucket(number, pass.buckets);
    Both<HashTotal> keys;
    for (const DivergentRange& range : divergent)
        for (Side side : kSides) keys[side].add(range.keys[side], pass.width);
    return {pass.bounds, std::move(differing), std::move(parents), exact, {}, pass.buckets, keys};
}

std::vector<std::int32_t> parents_of(const Subdivision& finer, const std::vector<DivergentRange>& divergent) {
    std::vector<std::int32_t> parents;
    auto number = finer.only.begin();
    for (const DivergentRange& range : divergent) {
        number = std::lower_bound(number, finer.only.end(), range.range_no);
        parents.push_back(finer.parents[static_cast<std::size_t>(number - finer.only.begin())]);
    }
    return parents;
}

bool are_many_rows(const Comparison& comparison, std::uint64_t rows) {
    return rows > kManyRows &&
           static_cast<double>(rows) > kManyOfTable * static_cast<double>(larger_side(comparison.total));
}

/// The divergent ranges of the first pass, digested once more under the forms that count.
DivergentRanges repeat_in_buckets(const FirstPass& pass, const Comparison& first, DivergentRanges inexact,
                                  const DescentCalls& calls) {
    std::optional<Comparison> second = calls.compare(
        {.bounds = pass.bounds, .only = range_numbers(first.divergent), .totals_only = true, .buckets = pass.buckets},
        true);
    if (!second) return inexact;
    check_covered(pass, first.divergent, *second, false);
    std::vector<std::int32_t> numbers = range_numbers(second->divergent);
    if (numbers.empty()) return {pass.bounds, {}, {}, true};
    if (std::optional<std::vector<DivergentRange>> differing = calls.differing_buckets(second->divergent))
        return in_buckets(pass, second->divergent, std::move(*differing), true);
    return {pass.bounds, std::move(second->divergent), std::move(numbers), true};
}

/// Whether so many buckets of few large ranges differ that a finer pass saves more than it takes.
bool are_buckets_coarse(const FirstPass& pass, const Comparison& first, std::uint64_t rows) {
    const std::size_t buckets = first.divergent.size() * static_cast<std::size_t>(pass.buckets);
    return are_many_rows(first, rows) && finer_ranges(first) >= kMuchFiner * buckets;
}

/// The first pass's divergent ranges, narrowed down to their buckets.
DivergentRanges descend_in_buckets(const FirstPass& pass, const Comparison& first, DivergentRanges located,
                                   const DescentCalls& calls) {
    const std::uint64_t rows = rows_in_buckets(first, located);
    const bool again = !pass.exact && rows > kManyRows && rows * kCostOfRow > rows_in(first.divergent);
    return again ? repeat_in_buckets(pass, first, std::move(located), calls) : located;
}

/// The divergent ranges, digested once more under the forms that count.
DivergentRanges repeat_exactly(const FirstPass& pass, DivergentRanges located, const DescentCalls& calls) {
    std::optional<Comparison> second = calls.compare({located.bounds, range_numbers(located.divergent), true}, true);
    if (!second) return located;
    check_covered(pass, located.divergent, *second, false);
    std::vector<std::int32_t> parents;
    auto old = located.divergent.begin();
    for (const DivergentRange& range : second->divergent) {
        while (old->range_no < range.range_no) ++old;
        parents.push_back(located.parents[static_cast<std::size_t>(old - located.divergent.begin())]);
    }
    return {std::move(located.bounds), std::move(second->divergent), std::move(parents), true, {}};
}

/// The columns that the finer pass looks at: those that differ somewhere; empty: all. A keyless table's keys are its
/// columns, and where a row's digest alone differs, equal cells stand in other rows.
std::vector<int> differing_columns(const FirstPass& pass, const Comparison& first) {
    if (!pass.can_leave_out || pass.key_forms.empty()) return {};
    std::vector<bool> differs(first.divergent.front().column_differs.size());
    for (const DivergentRange& range : first.divergent) {
        bool explained = range.key_differs;
        for (std::size_t i = 0; i < differs.size(); ++i) {
            if (!range.column_differs[i]) continue;
            differs[i] = true;
            explained = true;
        }
        if (!explained) return {};
    }
    std::vector<int> columns;
    for (std::size_t i = 0; i < differs.size(); ++i)
        if (differs[i]) columns.push_back(static_cast<int>(i));
    if (columns.size() == differs.size()) columns.clear();
    return columns;
}

/// The divergent ranges after a finer pass where there is one to be had; else as they are.
DivergentRanges narrow(const FirstPass& pass, const Comparison& first, const DescentCalls& calls) {
    auto finer = worth_descending(first) ? finer_division(pass, first, calls) : std::nullopt;
    if (finer) {
        finer->totals_only = true;
        finer->columns = differing_columns(pass, first);
    }
    auto second = finer ? calls.compare(*finer, pass.exact) : std::nullopt;
    if (!second) return {pass.bounds, first.divergent, range_numbers(first.divergent), pass.exact, {}};
    check_covered(pass, first.divergent, *second, finer->columns.empty());
    if (second->divergent.empty())
        throw Error(ErrorKind::kInternal, "divergent ranges are equal when they are divided further");
    std::vector<std::int32_t> parents = parents_of(*finer, second->divergent);
    return {std::move(finer->bounds), std::move(second->divergent), std::move(parents), pass.exact,
            std::move(finer->columns)};
}

}  // namespace

int buckets_for(std::size_t ranges, double rows, const std::vector<core::Form>& key_forms) {
    const bool more = rows > kVeryManyRows || (key_forms.size() == 1 && key_forms.front() == core::Form::kInt);
    const std::size_t most = more ? kMaxBucketsOfTable : kBucketsOfTable;
    int buckets = kMaxBucketsOfRange;
    while (buckets > 1 && static_cast<std::size_t>(buckets) * ranges > most) buckets /= 2;
    return buckets;
}

bool worth_descending(const Comparison& comparison) { return are_many_rows(comparison, rows_in(comparison.divergent)); }

/// With D differences among R rows in F even ranges, F ranges are digested and about D * R / F rows read: F = sqrt(D *
/// R) is best if a row costs as much as a range's digests, which it does within a factor of two.
std::size_t finer_ranges(const Comparison& comparison) {
    const double ranges = static_cast<double>(comparison.ranges);
    const double equal = std::max(ranges - static_cast<double>(comparison.divergent.size()), 0.5);
    const double differences = std::max(-ranges * std::log(equal / ranges), 1.0);
    const double best = std::sqrt(differences * static_cast<double>(rows_in(comparison.divergent)));
    const double fewest = 2.0 * static_cast<double>(comparison.divergent.size());
    return static_cast<std::size_t>(std::min(std::max(best, fewest), static_cast<double>(kMaxFinerRanges)));
}

DivergentRanges descend(const FirstPass& pass, const Comparison& first, const DescentCalls& calls) {
    if (pass.differing_buckets) {
        DivergentRanges buckets = in_buckets(pass, first.divergent, *pass.differing_buckets, pass.exact);
        if (!are_buckets_coarse(pass, first, rows_in_buckets(first, buckets)))
            return descend_in_buckets(pass, first, std::move(buckets), calls);
    }
    DivergentRanges located = narrow(pass, first, calls);
    const bool again = !located.exact && are_many_rows(first, rows_in(located.divergent));
    return again ? repeat_exactly(pass, std::move(located), calls) : located;
}

}  // namespace parity::driver
