#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "driver/digests/merge.h"
#include "driver/digests/ranges.h"

/// Rows of which some values could not be read: they stand among the others as if these were NULL.
namespace parity::driver {

/// A row of `columns` columns from one that was read with some of them, whose indexes are `read`, ascending.
RowDigest complete_row(const RowDigest& row, const std::vector<int>& read, std::size_t columns,
                       const DigestSettings& settings);

/// Adds a row to the digests of its range.
void add_row(RangeDigests& range, const RowDigest& row, const DigestSettings& settings);

}  // namespace parity::driver
