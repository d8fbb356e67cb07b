#pragma once

#include <functional>
#include <memory>

#include <spdlog/logger.h>

#include "driver/compare/context.h"
#include "driver/engine/server.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// Compares one table: takes both sides' snapshots, digests, descends, merges rows, and leaves the findings in the
/// store under `table_no`, the table's position in the plan. Sessions' connections may be broken afterwards.
/// Requires: each session is used by the calling thread alone.
/// Returns: the result. What goes wrong stands in its `error`. A failure after divergent ranges were seen leaves the
/// verdict at "divergent", with what was found until then where that is complete in itself.
/// Throws: Error{kOtherServer} alone, with which the run ends.
TableResult compare_table(const RunContext& context, const TablePlan& table, std::size_t table_no,
                          const Both<ServerSession*>& sessions);

/// The result of a table that was not even tried.
TableResult failed_table(const TablePlan& table, const std::string& error);

}  // namespace parity::driver
