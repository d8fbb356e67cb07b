#pragma once

#include <string>
#include <vector>

#include "driver/model/inventory.h"
#include "driver/options/name_map.h"
#include "driver/planning/pairing.h"

/// What a user may do about what is not as expected.
namespace parity::driver {

/// For a pattern that matches no table, or of --schema no schema with tables: which one may have been meant.
/// Returns: an empty text where none is near.
std::string hint_about_pattern(const std::string& pattern, bool of_schemas, const Both<Inventory>& inventories);

/// For a map whose left side names no table: the same, or how a whole schema is mapped. `names` are the source's
/// tables.
std::string hint_about_map(const NameMap::Entry& entry, const std::vector<QualifiedName>& names);

/// Sentences about the whole run: no table has a counterpart, a schema seems to have another name on the target, the
/// role lacks rights. `plan` is complete but for these.
std::vector<std::string> hints_about(const Plan& plan, const Pairing& pairing, const Both<Inventory>& inventories);

}  // namespace parity::driver
