#include "driver/digests/lockstep.h"

#include <string>

#include <fmt/format.h>

#include "driver/model/error.h"

namespace parity::driver {
namespace {

using core::Digest;
using core::u128;
using core::u64;

u128 sum_of(const Digest& digest) { return core::join_halves(digest.sum_low, digest.sum_high); }

void check_side(Side side, const RangeDigests& range, std::size_t columns, int width) {
    if (range.columns.size() != columns)
        throw_contradiction(fmt::format("{} sent digests of {} columns where {} were expected", side_name(side),
                                        range.columns.size(), columns));
    const auto check_slice = [&](const Digest& slice) {
        if (slice.width != width)
            throw_contradiction(
                fmt::format("{} sent a digest of width {} where {} was expected", side_name(side), slice.width, width));
        if (slice.count != range.rows)
            throw_contradiction(fmt::format("digests of range {} on {} contradict each other: {} and {} rows",
                                            range.range_no, side_name(side), range.rows, slice.count));
    };
    check_slice(range.key);
    check_slice(range.row);
    for (const Digest& slice : range.columns) check_slice(slice);
}

/// Whether one slice differs between the sides.
bool slice_differs(int range_no, const Digest& source, const Digest& target) {
    const core::DigestStatus status = core::check_compatible(source, target);
    if (status != core::DigestStatus::kOk)
        throw_contradiction(
            fmt::format("digests of range {} cannot be compared: {}", range_no, core::describe(status)));
    return !core::same_content(source, target);
}

HashTotal total_of(const RangeDigests& range) { return {range.rows, sum_of(range.row)}; }
HashTotal keys_of(const RangeDigests& range) { return {range.rows, sum_of(range.key)}; }

}  // namespace

LockstepComparison::LockstepComparison(std::size_t columns, int width, std::size_t many)
    : column_delta_(columns), width_(width) {
    comparison_.divergent.reserve(many);
}

void LockstepComparison::add(const RangeDigests& source, const RangeDigests& target) {
    if (source.range_no != target.range_no || source.range_no <= last_range_no_)
        throw_contradiction(fmt::format("ranges came out of order: {} on source and {} on target after {}",
                                        source.range_no, target.range_no, last_range_no_));
    last_range_no_ = source.range_no;
    check_side(Side::kSource, source, column_delta_.size(), width_);
    check_side(Side::kTarget, target, column_delta_.size(), width_);

    DivergentRange range;
    range.range_no = source.range_no;
    range.total = {total_of(source), total_of(target)};
    range.keys = {keys_of(source), keys_of(target)};
    range.key_differs = slice_differs(range.range_no, source.key, target.key);
    range.row_differs = slice_differs(range.range_no, source.row, target.row);
    bool differs = source.rows != target.rows || range.key_differs || range.row_differs;
    range.column_differs.resize(column_delta_.size());
    for (std::size_t i = 0; i < column_delta_.size(); ++i) {
        range.column_differs[i] = slice_differs(range.range_no, source.columns[i], target.columns[i]);
        differs |= range.column_differs[i];
        column_delta_[i] += sum_of(source.columns[i]) - sum_of(target.columns[i]);
    }
    ++comparison_.ranges;
    comparison_.total.source.add(range.total.source, width_);
    comparison_.total.target.add(range.total.target, width_);
    comparison_.keys.source.add(range.keys.source, width_);
    comparison_.keys.target.add(range.keys.target, width_);
    if (differs) comparison_.divergent.push_back(std::move(range));
}

Comparison LockstepComparison::finish() {
    comparison_.column_sum_differs.reserve(column_delta_.size());
    for (u128 delta : column_delta_) comparison_.column_sum_differs.push_back(truncated_to(delta, width_) != 0);
    return std::move(comparison_);
}

}  // namespace parity::driver
