#include "backend/task/arguments.h"

#include <algorithm>

#include "backend/memory.h"
#include "backend/pg_compat.h"

namespace parity::backend {
namespace {

/// What of a result is kept in memory; the rest goes to a temporary file. Where the first touch of small pages takes
/// long, writing and reading a file is faster, and huge pages are faster still (16384 ranges: 30, 10 and 4 ms).
constexpr std::size_t kKeptInSmallPages = std::size_t{1} << 20;
constexpr std::size_t kKeptInHugePages = std::size_t{16} << 20;

/// Their context stays until the query ends, so that a call which is repeated within it gets one only once.
bool is_for_huge_pages(FmgrInfo* call, std::size_t bytes) {
    if (!kStoresUseTheirContext || bytes <= kKeptInSmallPages || bytes > kKeptInHugePages) return false;
    if (call->fn_extra || !has_huge_pages()) return false;
    call->fn_extra = call;
    return true;
}

/// A result of about so many bytes, in the query's context.
Tuplestorestate* make_store(FmgrInfo* call, bool random_access, MemoryContext query, std::size_t bytes) {
    if (!is_for_huge_pages(call, bytes))
        return tuplestore_begin_heap(random_access, false,
                                     std::min(work_mem, static_cast<int>(kKeptInSmallPages / 1024)));
    const std::size_t room = 2 * bytes;  // sizes are rounded up to powers of two
    MemoryContext caller = MemoryContextSwitchTo(make_large_context(query, room));
    Tuplestorestate* store = tuplestore_begin_heap(random_access, false, static_cast<int>(room / 1024));
    MemoryContextSwitchTo(caller);
    return store;
}

std::span<const Datum> elements(ArrayType* array, const char* what) {
    if (ARR_NDIM(array) > 1)
        ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("%s must be a one-dimensional array", what)));
    int16 length;
    bool by_value;
    char align;
    get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
    Datum* values;
    bool* nulls;
    int count;
    deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align, &values, &nulls, &count);
    for (int i = 0; i < count; ++i)
        if (nulls[i])
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not contain NULL", what)));
    return {values, static_cast<std::size_t>(count)};
}

bool is_less(core::ByteView a, core::ByteView b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
}

/// Converts each element.
template <typename T, typename Convert>
std::span<const T> converted(ArrayType* array, const char* what, Convert convert) {
    std::span<const Datum> values = elements(array, what);
    T* result = allocate_array<T>(CurrentMemoryContext, values.size() + 1);
    for (std::size_t i = 0; i < values.size(); ++i) result[i] = convert(values[i]);
    return {result, values.size()};
}

}  // namespace

std::span<char* const> text_array(ArrayType* array, const char* what) {
    return converted<char*>(array, what, [](Datum value) { return TextDatumGetCString(value); });
}

std::span<const core::ByteView> bytea_array(ArrayType* array, const char* what) {
    return converted<core::ByteView>(array, what, [](Datum value) {
        bytea* bytes = DatumGetByteaPP(value);
        return core::ByteView(reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(bytes)), VARSIZE_ANY_EXHDR(bytes));
    });
}

std::span<const core::ByteView> sorted_bytea_array(ArrayType* array, const char* what) {
    std::span<const core::ByteView> elements = bytea_array(array, what);
    auto* sorted = allocate_array<core::ByteView>(CurrentMemoryContext, elements.size() + 1);
    std::copy(elements.begin(), elements.end(), sorted);
    std::sort(sorted, sorted + elements.size(), is_less);
    return {sorted, elements.size()};
}

bool is_among(std::span<const core::ByteView> sorted, core::ByteView bytes) {
    return std::binary_search(sorted.begin(), sorted.end(), bytes, is_less);
}

std::span<const int32> int_array(ArrayType* array, const char* what) {
    return converted<int32>(array, what, [](Datum value) { return DatumGetInt32(value); });
}

int workers_argument(FunctionCallInfo fcinfo, int argument) {
    if (PG_ARGISNULL(argument)) return -1;
    const int workers = PG_GETARG_INT32(argument);
    if (workers < 0 || workers > MAX_PARALLEL_WORKER_LIMIT)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("workers must be between 0 and %d, not %d", MAX_PARALLEL_WORKER_LIMIT, workers)));
    return workers;
}

Relation open_argument(Oid id) {
    Relation relation = try_relation_open(id, AccessShareLock);
    if (!relation)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", id)));
    return relation;
}

TupleDesc result_descriptor(FunctionCallInfo fcinfo, FunctionShape shape) {
    TupleDesc descriptor;
    if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE ||
        descriptor->natts != shape.columns || PG_NARGS() != shape.arguments)
        ereport(ERROR,
                (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                 errmsg("function \"%s\" is not of the version of its library", get_func_name(fcinfo->flinfo->fn_oid)),
                 errhint("Run ALTER EXTENSION pg_parity UPDATE, in a new session where the library was "
                         "replaced.")));
    return descriptor;
}

TupleDesc begin_result(FunctionCallInfo fcinfo, FunctionShape shape, Tuplestorestate** store, std::size_t bytes) {
    auto* info = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    if (!info || !IsA(info, ReturnSetInfo) || !(info->allowedModes & SFRM_Materialize))
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("set-valued function called in context that cannot accept a set")));
    MemoryContext query = info->econtext->ecxt_per_query_memory;
    MemoryContext caller = MemoryContextSwitchTo(query);
    TupleDesc descriptor = result_descriptor(fcinfo, shape);
    *store = make_store(fcinfo->flinfo, (info->allowedModes & SFRM_Materialize_Random) != 0, query, bytes);
    info->returnMode = SFRM_Materialize;
    info->setResult = *store;
    info->setDesc = descriptor;
    MemoryContextSwitchTo(caller);
    return descriptor;
}

}  // namespace parity::backend
