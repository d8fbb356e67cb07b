#pragma once

#include <string>
#include <string_view>

#include <spdlog/logger.h>

#include "driver/model/inventory.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/options/request.h"

/// Tables of extensions that hold rows of users: those that an extension registered for pg_dump, with a condition that
/// tells such rows from its own. Some are compared; of the others the rows are counted, so that no run passes over them
/// in silence. What belongs to pg_parity never takes part.
namespace parity::driver {

/// Adds to the plan which tables' rows are to be counted: those that `inventories` have and no pair of relations is.
void plan_extension_tables(Plan& plan, const Request& request, const Both<Inventory>& inventories);

}  // namespace parity::driver
