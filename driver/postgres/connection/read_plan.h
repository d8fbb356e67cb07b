#pragma once

#include <optional>
#include <string>

#include "driver/postgres/queries/read_plan.h"

namespace parity::driver {

class Connection;

/// Has the server plan a query, under plan_settings_statements(), and holds the plan against the question.
/// Returns: as why_not_plain(); "the server shows no plan" where EXPLAIN gives no row.
/// Throws: Error where the server refuses or fails; the transaction has failed then.
std::optional<std::string> why_not_planned_plain(Connection& connection, const std::string& query,
                                                 const PlanQuestion& question);

}  // namespace parity::driver
