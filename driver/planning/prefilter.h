#pragma once

#include "driver/model/inventory.h"
#include "driver/model/plan.h"

/// The first pass may take forms that are cheaper and tell more values apart than those that count.
namespace parity::driver {

/// Gives columns the form `jsonb_raw` (or arrays of it) for the first pass, where both sides keep them as such. Means
/// something only between extensions in databases of one encoding. A table without a key has none: its ranges are by
/// the hash of all columns.
void add_prefilters(TablePlan& plan, const RelationDesc& source, const RelationDesc& target);

}  // namespace parity::driver
