#pragma once

#include "backend/pg.h"

#include <span>

#include "backend/task/task.h"

/// Whether a query, and the plan that the server made of it, read the rows of a relation from the pages of its leaves
/// and nothing else.
/// Returns: from both functions, a phrase for people that says what else is done; null where all is well.
namespace parity::backend {

/// Whether the query takes `columns` of the task's relation, in this order, and all of its rows.
/// Requires: the query is analysed and rewritten.
const char* why_not_plain_query(const DigestTask& task, std::span<const TaskColumn* const> columns, List* queries);

/// Whether the plan consists of sequential scans without conditions, and of what only puts their rows together, and
/// scans each leaf with pages once.
/// Requires: the leaves are locked.
const char* why_not_plain_plan(const DigestTask& task, std::span<const TaskColumn* const> columns, PlannedStmt* plan);

}  // namespace parity::backend
