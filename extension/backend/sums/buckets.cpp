#include "backend/sums/buckets.h"

#include <algorithm>

#include "backend/memory.h"

namespace parity::backend {
namespace {

MemoryContext context = nullptr;  ///< of what is kept; null: nothing is
KeptBuckets kept;

/// The transaction takes its context away.
void forget_context(void*) { context = nullptr; }

}  // namespace

void forget_buckets() {
    if (context) MemoryContextDelete(context);
}

void keep_buckets(const DigestSpec& spec, const DigestMatrix& matrix) {
    forget_buckets();  // what the digests called may have made others
    if (matrix.buckets == 1) return;
    MemoryContext made = AllocSetContextCreate(TopTransactionContext, "parity buckets", ALLOCSET_SMALL_SIZES);
    auto* callback = allocate_array<MemoryContextCallback>(made, 1);
    callback->func = forget_context;
    MemoryContextRegisterResetCallback(made, callback);
    auto* sums = static_cast<core::u64*>(allocate_large(made, matrix.bucket_words() * sizeof(core::u64)));
    std::copy_n(matrix.bucket(0), matrix.bucket_words(), sums);
    auto* digested = allocate_array<std::uint8_t>(made, spec.kept.size() + 1);
    std::copy(spec.kept.begin(), spec.kept.end(), digested);
    kept = {matrix.ranges, matrix.buckets, matrix.sum_words, sums, {digested, spec.kept.size()}, GetUserId()};
    context = made;
}

const KeptBuckets* kept_buckets() { return context && kept.user == GetUserId() ? &kept : nullptr; }

}  // namespace parity::backend
