#include "backend/buckets.h"

#include <optional>
#include <type_traits>

#include "backend/memory.h"
#include "backend/sql_arguments.h"

/// The SQL function last_buckets().

extern "C" {
PG_FUNCTION_INFO_V1(parity_last_buckets);
}

namespace parity::backend {
namespace {

struct KeptBuckets {
    DigestMatrix matrix;
    Oid user;  ///< who had them made; nobody else is told
};

MemoryContext context = nullptr;  ///< of the matrix; null: there is none
std::optional<KeptBuckets> kept;

/// The transaction takes its context away.
void forget(void*) {
    context = nullptr;
    kept.reset();
}

/// Raises 22023 unless there is such a range.
std::uint32_t checked_range(int32 number) {
    if (number < 1 || static_cast<std::uint32_t>(number) > kept->matrix.ranges)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("range %d does not exist: there are %u ranges", number, kept->matrix.ranges)));
    return static_cast<std::uint32_t>(number) - 1;
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
        const DigestMatrix& matrix = kept->matrix;
        const std::size_t first = std::size_t{range} * matrix.buckets;
        sums_.clear();
        for (std::size_t place = first; place < first + matrix.buckets; ++place)
            append_sum(sums_, matrix.bucket(place), matrix.sum_words);
        bytea* sums = make_bytea(sums_.view());
        Datum values[kColumns] = {Int32GetDatum(static_cast<int32>(range + 1)),
                                  Int32GetDatum(static_cast<int32>(matrix.buckets)), PointerGetDatum(sums)};
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

MemoryContext begin_buckets(const DigestSpec& spec) {
    if (context) MemoryContextDelete(context);
    if (spec.buckets == 1) return CurrentMemoryContext;
    context = AllocSetContextCreate(TopTransactionContext, "parity buckets", ALLOCSET_SMALL_SIZES);
    auto* callback = allocate_array<MemoryContextCallback>(context, 1);
    callback->func = forget;
    MemoryContextRegisterResetCallback(context, callback);
    return context;
}

void keep_buckets(const DigestMatrix& matrix) {
    if (matrix.buckets > 1) kept = {matrix, GetUserId()};
}

}  // namespace parity::backend

using namespace parity::backend;

Datum parity_last_buckets(PG_FUNCTION_ARGS) {
    BucketResult result(fcinfo);
    if (!kept || kept->user != GetUserId()) return 0;
    if (PG_ARGISNULL(0)) {
        for (std::uint32_t range = 0; range < kept->matrix.ranges; ++range) result.put(range);
    } else {
        for (int32 number : int_array(PG_GETARG_ARRAYTYPE_P(0), "only_ranges")) result.put(checked_range(number));
    }
    return 0;
}
