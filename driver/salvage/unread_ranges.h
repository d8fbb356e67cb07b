#pragma once

#include <string>
#include <vector>

#include "driver/digests/ranges.h"
#include "driver/engine/heap.h"
#include "driver/model/plan.h"
#include "driver/salvage/damage.h"

namespace parity::driver {

/// Finds out in which of these divergent ranges the rows may be that could not be read, and puts it into
/// Damage::unread(): the key's index is asked for the rows of the ranges, and leads to the damage where it has such a
/// row. Rows that no index can be asked about may be anywhere.
void find_unread_ranges(HeapReader& heap, const TablePlan& table, const std::vector<std::string>& bounds,
                        const std::vector<DivergentRange>& divergent, Damage& damage);

}  // namespace parity::driver
