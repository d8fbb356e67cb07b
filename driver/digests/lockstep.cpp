#include "driver/digests/lockstep.h"

#include <string>

#include <fmt/format.h>

#include "driver/model/error.h"

namespace parity::driver {
namespace {

using core::Digest;
using core::u128;
using core::u64;

u128 truncated(u128 sum, int width) { return width == 64 ? static_cast<u64>(sum) : sum; }

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

RangeTotal total_of(const RangeDigests& range) { return {range.rows, sum_of(range.row)}; }
RangeTotal keys_of(const RangeDigests& range) { return {range.rows, sum_of(range.key)}; }

/// One side's sums of the buckets of one range.
class BucketReader {
  public:
    BucketReader(Side side, const DivergentRange& range, const std::string& sums, int buckets, int width)
        : side_(side), range_(range), sums_(sums), bytes_(static_cast<std::size_t>(width) / 8), width_(width) {
        if (sums.size() != bytes_ * static_cast<std::size_t>(buckets))
            throw_contradiction(fmt::format("{} sent another number of buckets of range {} than was asked for",
                                            side_name(side), range.range_no));
    }
    RangeTotal next() {
        RangeTotal sum;
        sum.add(std::string_view(sums_).substr(at_, bytes_));
        at_ += bytes_;
        sum.rows = 0;
        total_.add(sum, width_);
        return sum;
    }
    /// Only at the end.
    void check() const {
        if (total_.row_sum != range_.total[side_].row_sum)
            throw_contradiction(fmt::format("the buckets of range {} on {} do not add up to its digest",
                                            range_.range_no, side_name(side_)));
    }

  private:
    Side side_;
    const DivergentRange& range_;
    const std::string& sums_;
    std::size_t bytes_;
    int width_;
    std::size_t at_ = 0;
    RangeTotal total_;
};

}  // namespace

std::vector<DivergentRange> differing_buckets(const std::vector<DivergentRange>& divergent,
                                              const Both<BucketSums>& all_sums, int buckets, int width) {
    if (all_sums.source.size() != divergent.size() || all_sums.target.size() != divergent.size())
        throw_contradiction("a server sent the buckets of other ranges than were asked for");
    std::vector<DivergentRange> differing;
    for (std::size_t i = 0; i < divergent.size(); ++i) {
        BucketReader source(Side::kSource, divergent[i], all_sums.source[i], buckets, width);
        BucketReader target(Side::kTarget, divergent[i], all_sums.target[i], buckets, width);
        const std::size_t before = differing.size();
        for (int number = 1; number <= buckets; ++number) {
            const Both<RangeTotal> sums{source.next(), target.next()};
            if (sums.source == sums.target) continue;
            DivergentRange& bucket = differing.emplace_back();
            bucket.range_no = bucket_number(divergent[i].range_no, number, buckets);
            bucket.total = sums;
            bucket.row_differs = true;
        }
        source.check();
        target.check();
        if (differing.size() == before)
            throw_contradiction(fmt::format("range {} is divergent, but its buckets are equal", divergent[i].range_no));
    }
    return differing;
}

void RangeTotal::add(std::string_view row_hash) {
    const core::ByteView bytes = core::as_bytes(row_hash);
    ++rows;
    if (bytes.size() == 8) {
        row_sum = static_cast<u64>(row_sum) + core::load_be<u64>(bytes.data());
        row_sum = static_cast<u64>(row_sum);
    } else {
        row_sum += core::join_halves(core::load_be<u64>(bytes.data() + 8), core::load_be<u64>(bytes.data()));
    }
}

void RangeTotal::add(const RangeTotal& other, int width) {
    rows += other.rows;
    row_sum = truncated(row_sum + other.row_sum, width);
}

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
    for (u128 delta : column_delta_) comparison_.column_sum_differs.push_back(truncated(delta, width_) != 0);
    return std::move(comparison_);
}

}  // namespace parity::driver
