#pragma once

#include <optional>
#include <string>

#include "driver/model/inventory.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// Amounts of money are compared as the stored numbers, which are of a currency's smallest unit. Where lc_monetary
/// gives the sides other currencies, the note that says what equal numbers then mean.
/// Returns: nothing where the currencies are the same, or no column is of that form.
std::optional<std::string> note_money(const TablePlan& table, const Both<ServerInfo>& servers);

}  // namespace parity::driver
