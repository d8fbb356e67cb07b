#pragma once

#include "backend/pg.h"

#include "backend/sums/matrix.h"

/// The sums of buckets: what narrows a divergent range down without reading its rows again. They are kept where the
/// digests are made, since they are wanted of few ranges, and only when those are known.
namespace parity::backend {

/// Forgets the buckets of earlier digests.
/// Requires: it is called when other digests begin.
void forget_buckets();

/// Keeps the buckets of a matrix for parity.last_buckets(), if it has any, to the end of the transaction.
/// Requires: the matrix is complete.
void keep_buckets(const DigestSpec& spec, const DigestMatrix& matrix);

}  // namespace parity::backend
