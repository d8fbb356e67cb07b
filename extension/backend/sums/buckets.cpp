#include "backend/sums/buckets.h"

#include <algorithm>
#include <span>
#include <type_traits>

#include "backend/memory.h"
#include "backend/task/arguments.h"

/// The SQL function last_buckets().

extern "C" {
PG_FUNCTION_INFO_V1(parity_last_buckets);
}

namespace parity::backend {
namespace {

struct KeptBuckets {
    std::uint32_t ranges;
    std::uint32_t buckets;
    std::uint32_t sum_words;
    const core::u64* sums;                   ///< range by range
    std::span<const std::uint8_t> digested;  ///< one flag a range; empty: all
    Oid user;                                ///< who had them made; nobody else is told

    bool has(std::uint32_t range) const { return digested.empty() || digested[range]; }
};

MemoryContext context = nullptr;  ///< of what is kept; null: nothing is
KeptBuckets kept;

/// The transaction takes its context away.
void note_end(void*) { context = nullptr; }

/// Raises 22023 unless the range was digested.
std::uint32_t checked_range(int32 number) {
    const std::uint32_t range = static_cast<std::uint32_t>(number) - 1;
    if (number < 1 || range >= kept.ranges)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("range %d does not exist: there are %u ranges", number, kept.ranges)));
    if (!kept.has(range))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("range %d was not digested", number)));
    return range;
}

/// A sum in the byte order in which the digest's text form writes it.
void append_sum(core::ByteSink& sink, const core::u64* words, std::size_t count) {
    while (count-- > 0) {
        std::uint8_t bytes[sizeof(core::u64)];
        core::store_be(bytes, words[count]);
        sink.append(bytes, sizeof bytes);
    }
}

/// Hands ranges over, one a row.
class BucketResult {
  public:
    explicit BucketResult(FunctionCallInfo fcinfo)
        : descriptor_(begin_result(fcinfo, {1, kColumns}, &store_)), sums_(make_sink(CurrentMemoryContext)) {}

    void put(std::uint32_t range) {
        CHECK_FOR_INTERRUPTS();
        const std::size_t words = std::size_t{kept.buckets} * kept.sum_words;
        sums_.clear();
        for (std::size_t at = 0; at < words; at += kept.sum_words)
            append_sum(sums_, kept.sums + range * words + at, kept.sum_words);
        bytea* sums = make_bytea(sums_.view());
        Datum values[kColumns] = {Int32GetDatum(static_cast<int32>(range + 1)),
                                  Int32GetDatum(static_cast<int32>(kept.buckets)), PointerGetDatum(sums)};
        bool nulls[kColumns] = {};
        tuplestore_putvalues(store_, descriptor_, values, nulls);
        pfree(sums);
    }

  private:
    static constexpr int kColumns = 3;
    Tuplestorestate* store_;
    TupleDesc descriptor_;
    core::ByteSink sums_;
};
static_assert(std::is_trivially_destructible_v<BucketResult>);

}  // namespace

void forget_buckets() {
    if (context) MemoryContextDelete(context);
}

void keep_buckets(const DigestSpec& spec, const DigestMatrix& matrix) {
    forget_buckets();  // what the digests called may have made others
    if (matrix.buckets == 1) return;
    MemoryContext made = AllocSetContextCreate(TopTransactionContext, "parity buckets", ALLOCSET_SMALL_SIZES);
    auto* callback = allocate_array<MemoryContextCallback>(made, 1);
    callback->func = note_end;
    MemoryContextRegisterResetCallback(made, callback);
    auto* sums = static_cast<core::u64*>(allocate_large(made, matrix.bucket_words() * sizeof(core::u64)));
    std::copy_n(matrix.bucket(0), matrix.bucket_words(), sums);
    auto* digested = allocate_array<std::uint8_t>(made, spec.kept.size() + 1);
    std::copy(spec.kept.begin(), spec.kept.end(), digested);
    kept = {matrix.ranges, matrix.buckets, matrix.sum_words, sums, {digested, spec.kept.size()}, GetUserId()};
    context = made;
}

}  // namespace parity::backend

using namespace parity::backend;

Datum parity_last_buckets(PG_FUNCTION_ARGS) {
    BucketResult result(fcinfo);
    if (!context || kept.user != GetUserId()) return 0;
    if (PG_ARGISNULL(0)) {
        for (std::uint32_t range = 0; range < kept.ranges; ++range)
            if (kept.has(range)) result.put(range);
    } else {
        for (int32 number : int_array(PG_GETARG_ARRAYTYPE_P(0), "only_ranges")) result.put(checked_range(number));
    }
    return 0;
}
