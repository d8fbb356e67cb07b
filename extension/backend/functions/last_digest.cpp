#include "backend/pg.h"

#include "backend/task/arguments.h"
#include "backend/task/effort.h"

/// The SQL function last_digest().

extern "C" {
PG_FUNCTION_INFO_V1(parity_last_digest);
}

using namespace parity::backend;

Datum parity_last_digest(PG_FUNCTION_ARGS) {
    TupleDesc descriptor = BlessTupleDesc(result_descriptor(fcinfo, {0, 7}));
    Datum values[7] = {};
    bool nulls[7] = {true, true, true, true, true, true, true};
    auto put = [&](int column, bool known, Datum value) {
        nulls[column] = !known;
        values[column] = value;
    };
    if (const Effort* last = last_effort()) {
        put(0, true, CStringGetTextDatum(last->path));
        put(1, last->workers_requested >= 0, Int32GetDatum(last->workers_requested));
        put(2, last->workers_launched >= 0, Int32GetDatum(last->workers_launched));
        put(3, last->pages >= 0, Int64GetDatum(last->pages));
        put(4, true, Int64GetDatum(static_cast<int64>(last->rows)));
        put(5, true, Float8GetDatum(last->milliseconds));
        if (last->why_not_scanned) put(6, true, CStringGetTextDatum(last->why_not_scanned));
    }
    return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
}
