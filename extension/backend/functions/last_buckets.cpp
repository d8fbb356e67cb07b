#include "backend/pg.h"

#include <span>
#include <type_traits>

#include "backend/memory.h"
#include "backend/sums/buckets.h"
#include "backend/task/arguments.h"

/// The SQL function last_buckets().

extern "C" {
PG_FUNCTION_INFO_V1(parity_last_buckets);
}

namespace parity::backend {
namespace {

/// Raises 22023 unless the range was digested.
std::uint32_t checked_range(const KeptBuckets& kept, int32 number) {
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

    void put(const KeptBuckets& kept, std::uint32_t range) {
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
}  // namespace parity::backend

using namespace parity::backend;

Datum parity_last_buckets(PG_FUNCTION_ARGS) {
    BucketResult result(fcinfo);
    const KeptBuckets* kept = kept_buckets();
    if (!kept) return 0;
    if (PG_ARGISNULL(0)) {
        for (std::uint32_t range = 0; range < kept->ranges; ++range)
            if (kept->has(range)) result.put(*kept, range);
    } else {
        for (int32 number : int_array(PG_GETARG_ARRAYTYPE_P(0), "only_ranges"))
            result.put(*kept, checked_range(*kept, number));
    }
    return 0;
}
