#include "driver/descend.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "driver/division.h"
#include "driver/error.h"

namespace parity::driver {
namespace {

/// Fewer rows are read faster than digested again.
constexpr std::uint64_t kManyRows = 100'000;
constexpr double kManyOfTable = 0.05;
/// With more of the ranges divergent, differences are too dense for finer ranges to be equal.
constexpr double kNearlyAll = 0.9;
/// So many ranges must there be for the share of divergent ones to say something.
constexpr std::uint64_t kTellingRanges = 64;

constexpr std::size_t kMaxFinerRanges = 16384;
/// What a finer pass may take in a server: well below parity.max_digest_memory's default, for every process of the
/// scan.
constexpr std::size_t kFinerMemory = std::size_t{48} << 20;
constexpr std::size_t kSliceBytes = 16;
constexpr std::size_t kProcesses = 8;
/// split_keys is asked for no more.
constexpr std::size_t kMaxSplit = 131'072;

std::uint64_t larger_side(const Both<RangeTotal>& total) { return std::max(total.source.rows, total.target.rows); }

/// A finer division of the divergent ranges, or nothing where none is finer.
std::optional<RangeList> finer_division(const std::vector<std::string>& bounds, const Comparison& first,
                                        const std::vector<core::Form>& key_forms, std::size_t slices,
                                        const Descent& servers) {
    const std::size_t room = max_finer_ranges(slices);
    const std::size_t parts = room / (2 * first.divergent.size());
    if (parts < 2) return std::nullopt;
    if (are_hash_bounds(bounds)) return subdivide_by_hash(bounds, first.divergent, static_cast<std::uint32_t>(parts));
    const std::size_t wanted = std::min(kMaxSplit, static_cast<std::size_t>(first.ranges) * parts);
    const std::vector<std::string> candidates = servers.split(static_cast<int>(wanted));
    if (bounds.empty() && are_hash_bounds(candidates))
        return subdivide_by_hash(bounds, first.divergent, static_cast<std::uint32_t>(parts));
    if (are_hash_bounds(candidates)) return std::nullopt;
    return subdivide_by_keys(bounds, first.divergent, candidates, room / 2, key_forms);
}

void check_covered(const std::vector<DivergentRange>& divergent, const Comparison& finer, int width) {
    Both<RangeTotal> total;
    for (const DivergentRange& range : divergent) {
        total.source.add(range.total.source, width);
        total.target.add(range.total.target, width);
    }
    for (Side side : {Side::kSource, Side::kTarget})
        if (total[side] != finer.total[side])
            throw Error(ErrorKind::kInternal,
                        fmt::format("finer ranges on {} do not add up to the ranges they divide", side_name(side)));
}

}  // namespace

bool worth_descending(const Comparison& comparison) {
    std::uint64_t rows = 0;
    for (const DivergentRange& range : comparison.divergent) rows += larger_side(range.total);
    if (rows <= kManyRows ||
        static_cast<double>(rows) <= kManyOfTable * static_cast<double>(larger_side(comparison.total)))
        return false;
    const double divergent = static_cast<double>(comparison.divergent.size());
    return comparison.ranges < kTellingRanges || divergent < kNearlyAll * static_cast<double>(comparison.ranges);
}

std::size_t max_finer_ranges(std::size_t slices) {
    return std::clamp(kFinerMemory / ((slices + 1) * kSliceBytes * kProcesses), std::size_t{1}, kMaxFinerRanges);
}

Located descend(const std::vector<std::string>& bounds, Comparison first, const std::vector<core::Form>& key_forms,
                std::size_t slices, int width, const Descent& servers) {
    if (worth_descending(first)) {
        auto finer = finer_division(bounds, first, key_forms, slices, servers);
        auto second = finer ? servers.compare(*finer) : std::nullopt;
        if (second) {
            check_covered(first.divergent, *second, width);
            if (second->divergent.empty())
                throw Error(ErrorKind::kInternal, "divergent ranges are equal when they are divided further");
            return {std::move(finer->bounds), std::move(second->divergent)};
        }
    }
    return {bounds, std::move(first.divergent)};
}

}  // namespace parity::driver
