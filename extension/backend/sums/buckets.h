#pragma once

#include "backend/pg.h"

#include <span>

#include "backend/sums/matrix.h"

/// The sums of buckets: what narrows a divergent range down without reading its rows again. They are kept where the
/// digests are made, since they are wanted of few ranges, and only when those are known.
namespace parity::backend {

/// What is kept of one call's buckets.
struct KeptBuckets {
    std::uint32_t ranges;
    std::uint32_t buckets;
    std::uint32_t sum_words;
    const core::u64* sums;                   ///< range by range
    std::span<const std::uint8_t> digested;  ///< one flag a range; empty: all
    Oid user;                                ///< who had them made; nobody else is told

    bool has(std::uint32_t range) const { return digested.empty() || digested[range]; }
};

/// Forgets the buckets of earlier digests.
/// Requires: it is called when other digests begin.
void forget_buckets();

/// Keeps the buckets of a matrix for parity.last_buckets(), if it has any, to the end of the transaction.
/// Requires: the matrix is complete.
void keep_buckets(const DigestSpec& spec, const DigestMatrix& matrix);

/// The buckets that are kept, of this user alone; null: there are none.
const KeptBuckets* kept_buckets();

}  // namespace parity::backend
