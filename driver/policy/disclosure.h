#pragma once

#include "driver/model/plan.h"
#include "driver/model/results.h"

/// What of the data that was compared may leave the process, and where to. Whatever writes findings to a place that
/// outlives the run asks here.
namespace parity::driver {

/// A finding without values: its key, or without a key the hash of its row, and the columns that differ. Where it
/// stands among the findings of its table tells no value either. Offsets and lengths of large objects are no values.
StoredFinding without_values(const TablePlan& table, StoredFinding finding);

}  // namespace parity::driver
