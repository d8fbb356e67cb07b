#pragma once

#include <vector>

#include "driver/digests/ranges.h"
#include "driver/model/sides.h"

/// Buckets of ranges: a finer division by the keys' hashes.
namespace parity::driver {

/// The buckets of divergent ranges that differ, as ranges with the numbers of buckets (bucket_number()), of which only
/// the sums of rows are known.
/// Requires: `sums` are parallel to the ranges.
/// Throws: Error{kInternal} where a range's buckets are not so many, do not add up to the range, or are all equal.
std::vector<DivergentRange> differing_buckets(const std::vector<DivergentRange>& divergent,
                                              const Both<BucketSums>& sums, int buckets, int width);

}  // namespace parity::driver
