#pragma once

#include "backend/pg.h"

#include "backend/sums/matrix.h"

/// Sums on their way from parallel workers to their leader: through a small queue each. Shared memory for all sums
/// would have to be found, zeroed, and touched by two processes.
/// Requires: `shape` and `sums` have the leader's shape everywhere.
namespace parity::backend {

/// Bytes of shared memory that the workers' queues take.
std::size_t estimate_shared_sums(const DigestMatrix& shape, int workers);

/// Makes the queues in `room`. The current process is to receive.
/// Requires: `room` is that memory.
void set_up_shared_sums(void* room, const DigestMatrix& shape, int workers);

/// Adds the sums of all workers that were launched. Workers with more sums than a queue holds wait until this is
/// called, and it waits for them.
/// Errors: what made one of them fail, or that one did not start.
void receive_sums(void* room, ParallelContext* parallel, const DigestMatrix& total);

/// Sends a worker's sums.
void send_sums(void* room, dsm_segment* segment, const DigestMatrix& sums);

}  // namespace parity::backend
