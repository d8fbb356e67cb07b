#pragma once

#include "backend/pg.h"

#include "backend/rows/consumer.h"
#include "backend/task/task.h"

/// Rows with their values, straight from the pages of the task's leaves.
namespace parity::backend {

/// Reads every page of a task, under the active snapshot, in this process. Of a row that the consumer does not want
/// only the key is looked at.
/// Requires: the task has no obstacle.
/// Returns: the number of pages.
std::int64_t read_by_scan(const DigestTask& task, const RowConsumer& consumer);

}  // namespace parity::backend
