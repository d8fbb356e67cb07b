#pragma once

#include "backend/pg.h"

#include "backend/rows/batch_hasher.h"
#include "backend/sums/hash_total.h"
#include "backend/sums/matrix.h"
#include "backend/task/task.h"

/// The scan: the leader and parallel workers read the pages of a relation's leaves, each into sums of its own
/// or for rows of its own.
namespace parity::backend {

/// What a scan took.
struct ScanEffort {
    int workers_requested;
    int workers_launched;
    std::int64_t pages;
    KeysRead keys_read{};                       ///< of rows, by bucket
    ParallelContext* ending_workers = nullptr;  ///< of workers whose processes have not ended yet
};

/// Parallel workers that the server's own rule would give a sequential scan of the task's relation (a worker for
/// min_parallel_table_scan_size, one more for each factor of three, at most max_parallel_workers_per_gather). Leaves
/// that have parallel_workers set are left out of that, and get so many.
/// Returns: 0 for temporary tables.
int default_workers(const DigestTask& task);

/// Scans all leaves with up to `workers` parallel workers, under the active snapshot. Adds to `matrix`. The sums are
/// complete when this returns, while workers may take some milliseconds to end.
/// Requires: the task has no obstacle, and `matrix` is of the task's shape and zeroed. The caller calls await_exit()
/// after what else there is to do.
/// Returns: what that took.
/// Errors: XX000 if not exactly all pages were read.
ScanEffort digest_by_scan(const DigestTask& task, int workers, const DigestMatrix& matrix);

/// Waits for the processes of such workers, if there are any, and leaves parallel mode.
void await_exit(ParallelContext* ending_workers);

/// Scans all leaves and hands the hashes of the rows of kept ranges to `consumer`, in any order. Uses no workers where
/// many rows are kept.
ScanEffort read_hashes_by_scan(const DigestTask& task, int workers, const HashedRowConsumer& consumer);

}  // namespace parity::backend
