#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/digest.h"
#include "driver/digests/ranges.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// What a pass over all ranges, or over chosen ones, gave.
struct Comparison {
    std::uint64_t ranges = 0;
    Both<HashTotal> total;
    Both<HashTotal> keys;
    std::vector<DivergentRange> divergent;  ///< ascending
    /// Whether a column's sums over all compared ranges differ. Says something for keyless tables alone: there a
    /// changed row goes to another range, and within a range every column differs.
    std::vector<bool> column_sum_differs;
};

/// Compares the two sides' ranges one after the other and keeps only what differs.
///
/// Two ranges are equal only if the counts, key sums, row sums and every column's sums are.
/// Throws: Error{kInternal}, and reports no divergence, for digests that must not be mixed, for ranges that are not the
/// same or come out of order, and for counts that contradict each other within a side.
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
