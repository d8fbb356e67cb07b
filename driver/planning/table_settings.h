#pragma once

#include "driver/model/inventory.h"
#include "driver/options/request.h"
#include "driver/planning/pairing.h"

namespace parity::driver {

/// Sets the condition and the number of ranges of each relation of the source: what the configuration file says of it,
/// else of what it inherits from or is a partition of, else what the options say of all.
void apply_table_settings(const Request& request, Inventory& source);

/// Gives the target's relations the condition and the number of ranges of what they are paired with. A pair has one
/// condition, whatever either side's relation is called or inherits from.
void share_table_settings(const Pairing& pairing, const Inventory& source, Inventory& target);

/// Checks that each setting of the configuration file that no option stands for means something.
/// Throws: Error{kUsage} naming the first one that would be ignored: of a table that the source does not have, of a
/// table that is compared as a part of another, or of an extension's table, which has its own condition.
void require_table_settings_used(const Request& request, const Pairing& pairing, const Inventory& source);

}  // namespace parity::driver
