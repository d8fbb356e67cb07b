#pragma once

#include "backend/pg.h"

#include <span>

#include "backend/task/task.h"

/// Whether a query, and the plan that the server made of it, read the rows of a relation from the pages of its leaves
/// and nothing else. Both functions give a phrase for people that says what else is done; null where all is well.
namespace parity::backend {

/// The query, analysed and rewritten, must take `columns` of the task's relation, in this order, and all of its rows.
const char* why_not_plain_query(const DigestTask& task, std::span<const TaskColumn* const> columns, List* queries);

/// The plan must consist of sequential scans without conditions, and of what only puts their rows together. Each leaf
/// with pages is scanned once. The leaves are locked.
const char* why_not_plain_plan(const DigestTask& task, std::span<const TaskColumn* const> columns, PlannedStmt* plan);

}  // namespace parity::backend
