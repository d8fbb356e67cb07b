#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "driver/digests/ranges.h"
#include "driver/postgres/queries/feed.h"
#include "driver/postgres/queries/range_condition.h"

/// Which statements read the rows of ranges: arithmetic, without a server.
namespace parity::driver {

/// What the division of the work depends on besides the ranges.
struct StreamDivision {
    std::size_t threads = 1;
    bool by_blocks = true;  ///< the server reads a range of blocks without reading the others
    bool by_index = false;  ///< every part has an index whose first column is the key's first
    bool in_span = false;   ///< through it, whatever share of the table the ranges are
};

/// Conditions on the key's first column, one of which is true for every row of the ranges that a list asks for, and no
/// two for any row.
/// Returns: none where all ranges are asked for, or one of them cannot be said.
std::vector<std::string> range_conditions(const ConditionColumn& leading, const RangeList& ranges);

/// What to read so that no row of the list's ranges is missed and none is read twice.
/// Requires: `conditions` are range_conditions() of the list.
std::vector<StreamItem> stream_items(const std::vector<StreamPart>& parts, const std::vector<std::string>& conditions,
                                     const RangeList& ranges, const StreamDivision& division);

}  // namespace parity::driver
