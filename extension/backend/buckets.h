#pragma once

#include "backend/pg.h"

#include "backend/digest_matrix.h"

/// The sums of buckets: what narrows a divergent range down without reading its rows again. They are kept where the
/// digests are made, since they are wanted of few ranges, and only when those are known.
namespace parity::backend {

/// Forgets the buckets of earlier digests. Gives the context for the matrix of the next ones: where the spec has buckets
/// one that lasts to the end of the transaction, else the current one.
MemoryContext begin_buckets(const DigestSpec& spec);

/// Keeps a complete matrix from that context for parity.last_buckets(), if it has buckets.
void keep_buckets(const DigestMatrix& matrix);

}  // namespace parity::backend
