#pragma once

#include "backend/pg.h"

#include "backend/batch_hasher.h"
#include "backend/digest_task.h"
#include "backend/row_consumer.h"

/// Rows straight from the pages of the task's leaves.
namespace parity::backend {

/// Reads every page of a task without obstacles, under the active snapshot, in this process. Of a row that the consumer
/// does not want only the key is looked at.
void read_by_scan(const DigestTask& task, const RowConsumer& consumer);

/// The same for whom the hashes of the rows of kept ranges are enough, which takes much less.
void read_hashes_by_scan(const DigestTask& task, const HashedRowConsumer& consumer);

}  // namespace parity::backend
