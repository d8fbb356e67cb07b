#include "backend/pg.h"

#include "backend/index/rows.h"
#include "backend/memory.h"
#include "backend/pg_compat.h"
#include "backend/rows/row_hasher.h"
#include "backend/scan/row_scan.h"
#include "backend/task/arguments.h"
#include "backend/task/task.h"

/// The SQL functions row_versions() and fresh_rows(): which versions of rows there are under the active snapshot. Rows
/// are found by the bytes of their keys: what is shown of a key may be what another one is written as.

extern "C" {
PG_FUNCTION_INFO_V1(parity_row_versions);
PG_FUNCTION_INFO_V1(parity_fresh_rows);
}

namespace parity::backend {
namespace {

/// Headers are those of the pages: where rows come from elsewhere, there are none.
void require_pages(const DigestTask& task) {
    if (task.obstacle == ScanObstacle::kNone) return;
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
             errmsg("cannot tell the versions of the rows of relation \"%s\"", RelationGetRelationName(task.relation)),
             errdetail("The relation cannot be read directly: %s.", describe_obstacle(task))));
}

Jsonb* optional_jsonb(FunctionCallInfo fcinfo, int argument) {
    return PG_ARGISNULL(argument) ? nullptr : PG_GETARG_JSONB_P(argument);
}

/// Takes the versions of the rows with some keys.
struct VersionCollector {
    RowHasher* hasher;
    bool keyless;
    std::span<const core::ByteView> keys;  ///< sorted; those that are wanted now
    core::ByteView key;                    ///< the one that was framed last
    HeapTupleHeader header;                ///< of the row that is looked at
    TupleDesc descriptor;
    Tuplestorestate* store;
};
static_assert(std::is_trivially_destructible_v<VersionCollector>);

bool store_header(void* state, HeapTupleHeader header) {
    static_cast<VersionCollector*>(state)->header = header;
    return true;
}

bool has_wanted_key(void* state, const Datum* values, const bool* nulls) {
    auto& self = *static_cast<VersionCollector*>(state);
    self.key = self.hasher->frame_key(values, nulls);
    return is_among(self.keys, self.key);
}

/// As the system columns xmin and xmax: what stands in the header, whatever became of those transactions.
void put_version(void* state, const Datum* values, const bool* nulls) {
    auto& self = *static_cast<VersionCollector*>(state);
    if (self.keyless && !has_wanted_key(state, values, nulls)) return;
    Datum version[] = {PointerGetDatum(make_bytea(self.key)),
                       TransactionIdGetDatum(HeapTupleHeaderGetRawXmin(self.header)),
                       TransactionIdGetDatum(HeapTupleHeaderGetRawXmax(self.header))};
    bool absent[lengthof(version)] = {};
    tuplestore_putvalues(self.store, self.descriptor, version, absent);
}

/// Transactions from one on. Their numbers stand in headers without their upper halves, so that those of long ago look
/// as if they were to come.
struct FreshTransactions {
    TransactionId next;  ///< none that has ended has this number
    uint32 span;         ///< how many there are before it

    bool hold(TransactionId xid) const {
        return TransactionIdIsNormal(xid) && xid != next && static_cast<uint32>(next - xid) <= span;
    }
};

FreshTransactions transactions_from(core::u64 first) {
    const FullTransactionId next = ReadNextFullTransactionId();
    const core::u64 span = U64FromFullTransactionId(next) - first;
    if (span > PG_INT32_MAX)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("transaction %llu is too old or has not begun",
                                                                         static_cast<unsigned long long>(first))));
    return {XidFromFullTransactionId(next), static_cast<uint32>(span)};
}

/// Counts the rows of ranges that such transactions wrote.
struct FreshCounter {
    const DigestTask* task;
    RowHasher* hasher;
    FreshTransactions fresh;
    RangeWindow window;  ///< only rows of these ranges are counted now
    int64* counts;       ///< one a range
};
static_assert(std::is_trivially_destructible_v<FreshCounter>);

bool is_fresh(void* state, HeapTupleHeader header) {
    return static_cast<FreshCounter*>(state)->fresh.hold(HeapTupleHeaderGetRawXmin(header));
}

bool wants_any(void*, const Datum*, const bool*) { return true; }

void count_row(void* state, const Datum* values, const bool* nulls) {
    auto& self = *static_cast<FreshCounter*>(state);
    self.hasher->frame_key(values, nulls);
    const std::uint32_t range = self.hasher->range_of_framed_key();
    if (self.window.holds(range) && self.task->spec.keeps(range)) ++self.counts[range];
}

}  // namespace
}  // namespace parity::backend

using namespace parity::backend;

Datum parity_row_versions(PG_FUNCTION_ARGS) {
    enum { kRelation, kKeys, kKeyColumns, kColumns, kForms, kArguments };
    Tuplestorestate* store;
    TupleDesc descriptor = begin_result(fcinfo, {kArguments, 3}, &store);
    if (PG_ARGISNULL(kRelation) || PG_ARGISNULL(kKeys))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("relation and keys must not be NULL")));
    DigestTask task =
        open_task({PG_GETARG_OID(kRelation), optional_array(fcinfo, kKeyColumns), optional_array(fcinfo, kColumns),
                   optional_jsonb(fcinfo, kForms), nullptr, 0, 64, true});
    require_pages(task);
    set_bounds(task, {});
    RowHasher hasher = make_row_hasher(task);
    VersionCollector collector{&hasher, task.key.empty(), sorted_bytea_array(PG_GETARG_ARRAYTYPE_P(kKeys), "keys"),
                               {},      nullptr,          descriptor,
                               store};
    const RowConsumer consumer{has_wanted_key, put_version, &collector, store_header};
    if (!collector.keys.empty() && !read_keys_by_index(task, &collector.keys, consumer)) read_by_scan(task, consumer);
    close_task(task);
    return 0;
}

Datum parity_fresh_rows(PG_FUNCTION_ARGS) {
    enum { kRelation, kSince, kBounds, kOnlyRanges, kKeyColumns, kColumns, kForms, kArguments };
    Tuplestorestate* store;
    TupleDesc descriptor = begin_result(fcinfo, {kArguments, 2}, &store);
    if (PG_ARGISNULL(kRelation) || PG_ARGISNULL(kSince))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("relation and since must not be NULL")));
    DigestTask task =
        open_task({PG_GETARG_OID(kRelation), optional_array(fcinfo, kKeyColumns), optional_array(fcinfo, kColumns),
                   optional_jsonb(fcinfo, kForms), nullptr, 0, 64, true});
    require_pages(task);
    set_bounds(task, PG_ARGISNULL(kBounds) ? std::span<const parity::core::ByteView>{}
                                           : bytea_array(PG_GETARG_ARRAYTYPE_P(kBounds), "bounds"));
    keep_only(task, optional_array(fcinfo, kOnlyRanges));
    const std::uint32_t ranges = task.spec.ranges();
    RowHasher hasher = make_row_hasher(task);
    FreshCounter counter{&task,
                         &hasher,
                         transactions_from(static_cast<parity::core::u64>(PG_GETARG_INT64(kSince))),
                         {0, ranges - 1},
                         allocate_array<int64>(CurrentMemoryContext, ranges)};
    const RowConsumer consumer{wants_any, count_row, &counter, is_fresh};
    if (groups_worth_an_index(task, 1) == 0 || !read_by_index_alone(task, &counter.window, consumer)) {
        counter.window = {0, ranges - 1};
        read_by_scan(task, consumer);
    }
    for (std::uint32_t range = 0; range < ranges; ++range) {
        if (counter.counts[range] == 0) continue;
        Datum values[] = {Int32GetDatum(static_cast<int32>(range + 1)), Int64GetDatum(counter.counts[range])};
        bool nulls[lengthof(values)] = {};
        tuplestore_putvalues(store, descriptor, values, nulls);
    }
    close_task(task);
    return 0;
}
