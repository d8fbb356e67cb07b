#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/digest.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// How many rows a side has somewhere and the sum of their row hashes, modulo 2^64 or 2^128.
struct RangeTotal {
    std::uint64_t rows = 0;
    core::u128 row_sum = 0;

    /// Adds one row by its hash: big endian, 8 or 16 bytes for a width of 64 or 128.
    void add(std::string_view row_hash);
    void add(const RangeTotal& other, int width);
    bool operator==(const RangeTotal&) const = default;
};

/// One row of range_digests.
struct RangeDigests {
    int range_no = 0;
    std::uint64_t rows = 0;
    core::Digest key{};
    core::Digest row{};
    std::vector<core::Digest> columns;
};

struct DivergentRange {
    int range_no = 0;
    Both<RangeTotal> total;
    bool key_differs = false;
    bool row_differs = false;
    std::vector<bool> column_differs;
    Both<RangeTotal> keys{};  ///< the same with key hashes in the place of row hashes
};

/// The sums of the row hashes of the buckets of some ranges, one text a range: one after the other, big endian, 8 or 16
/// bytes each for a width of 64 or 128.
using BucketSums = std::vector<std::string>;

/// The number of a bucket when those of all ranges are counted through; all count from 1.
inline std::int32_t bucket_number(std::int32_t range_no, int bucket, int buckets) {
    return (range_no - 1) * buckets + bucket;
}
inline std::int32_t range_of_bucket(std::int32_t number, int buckets) { return (number - 1) / buckets + 1; }

/// The buckets of divergent ranges that differ, as ranges with the numbers of buckets (bucket_number()), of which only
/// the sums of rows are known. `sums` are parallel to the ranges. Throws Error{kInternal} where a range's buckets are
/// not so many, do not add up to the range, or are all equal.
std::vector<DivergentRange> differing_buckets(const std::vector<DivergentRange>& divergent,
                                              const Both<BucketSums>& sums, int buckets, int width);

/// What a pass over all ranges, or over chosen ones, gave.
struct Comparison {
    std::uint64_t ranges = 0;
    Both<RangeTotal> total;
    Both<RangeTotal> keys;
    std::vector<DivergentRange> divergent;  ///< ascending
    /// Whether a column's sums over all compared ranges differ. Says something for keyless tables alone: there a
    /// changed row goes to another range, and within a range every column differs.
    std::vector<bool> column_sum_differs;
};

/// Compares the two sides' ranges one after the other and keeps only what differs.
///
/// Two ranges are equal only if the counts, key sums, row sums and every column's sums are. Digests that must not be
/// mixed, ranges that are not the same or come out of order, and counts that contradict each other within a side are
/// Error{kInternal}, never a divergence.
class LockstepComparison {
  public:
    /// `many` divergent ranges are to be kept without a moment in which they take twice the memory.
    LockstepComparison(std::size_t columns, int width, std::size_t many = 0);

    void add(const RangeDigests& source, const RangeDigests& target);

    /// Ends the comparison.
    Comparison finish();

  private:
    Comparison comparison_;
    std::vector<core::u128> column_delta_;
    int width_;
    int last_range_no_ = 0;
};

}  // namespace parity::driver
