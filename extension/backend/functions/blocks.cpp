#include "backend/pg.h"

#include "backend/index/other_blocks.h"
#include "backend/index/span_obstacle.h"
#include "backend/index/span_reading.h"
#include "backend/memory.h"
#include "backend/task/arguments.h"
#include "backend/task/task.h"

/// The SQL functions why_not_by_blocks(), read_by_blocks(), last_blocks() and check_other_blocks().

extern "C" {
PG_FUNCTION_INFO_V1(parity_why_not_by_blocks);
PG_FUNCTION_INFO_V1(parity_read_by_blocks);
PG_FUNCTION_INFO_V1(parity_last_blocks);
PG_FUNCTION_INFO_V1(parity_check_other_blocks);
}

namespace parity::backend {
namespace {

core::ByteView set_argument(FunctionCallInfo fcinfo, int argument) {
    if (PG_ARGISNULL(argument)) return {};
    bytea* bytes = PG_GETARG_BYTEA_PP(argument);
    return {reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(bytes)), VARSIZE_ANY_EXHDR(bytes)};
}

/// The key of a relation. Arguments: relation, key_columns, forms, without_children.
DigestTask open_key_task(FunctionCallInfo fcinfo) {
    if (PG_ARGISNULL(0) || PG_ARGISNULL(3))
        ereport(ERROR,
                (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("relation and without_children must not be NULL")));
    return open_task({PG_GETARG_OID(0), optional_array(fcinfo, 1), construct_empty_array(TEXTOID),
                      PG_ARGISNULL(2) ? nullptr : PG_GETARG_JSONB_P(2), nullptr, 0, 64, true, PG_GETARG_BOOL(3)});
}

}  // namespace
}  // namespace parity::backend

using namespace parity::backend;

Datum parity_why_not_by_blocks(PG_FUNCTION_ARGS) {
    DigestTask task = open_key_task(fcinfo);
    const char* why = why_not_by_blocks(task);
    if (!why) why = why_not_worth_blocks(task);
    close_task(task);
    if (!why) PG_RETURN_NULL();
    return CStringGetTextDatum(why);
}

Datum parity_read_by_blocks(PG_FUNCTION_ARGS) {
    begin_reading_by_blocks(set_argument(fcinfo, 0));
    PG_RETURN_VOID();
}

Datum parity_last_blocks(PG_FUNCTION_ARGS) {
    (void)fcinfo;
    PG_RETURN_BYTEA_P(make_bytea(blocks_read()));
}

/// The fifth argument: blocks_read.
Datum parity_check_other_blocks(PG_FUNCTION_ARGS) {
    Tuplestorestate* store;
    TupleDesc descriptor = begin_result(fcinfo, {5, 2}, &store);
    DigestTask task = open_key_task(fcinfo);
    require_by_blocks(task);
    const OtherBlocks seen = check_other_blocks(task, set_argument(fcinfo, 4));
    Datum values[2] = {Int64GetDatum(seen.blocks), Int64GetDatum(seen.rows)};
    bool nulls[2] = {};
    tuplestore_putvalues(store, descriptor, values, nulls);
    close_task(task);
    return 0;
}
