#include "backend/effort.h"

#include <optional>

#include "backend/sql_arguments.h"

/// The SQL function last_digest().

extern "C" {
PG_FUNCTION_INFO_V1(parity_last_digest);
}

namespace parity::backend {
namespace {

std::optional<Effort> last;

}  // namespace

void remember_effort(const Effort& effort) { last = effort; }

}  // namespace parity::backend

using namespace parity::backend;

Datum parity_last_digest(PG_FUNCTION_ARGS) {
    TupleDesc descriptor = BlessTupleDesc(result_descriptor(fcinfo, {0, 6}));
    Datum values[6] = {};
    bool nulls[6] = {true, true, true, true, true, true};
    auto put = [&](int column, bool known, Datum value) {
        nulls[column] = !known;
        values[column] = value;
    };
    if (last) {
        put(0, true, CStringGetTextDatum(last->path));
        put(1, last->workers_requested >= 0, Int32GetDatum(last->workers_requested));
        put(2, last->workers_launched >= 0, Int32GetDatum(last->workers_launched));
        put(3, last->pages >= 0, Int64GetDatum(last->pages));
        put(4, true, Int64GetDatum(static_cast<int64>(last->rows)));
        put(5, true, Float8GetDatum(last->milliseconds));
    }
    return HeapTupleGetDatum(heap_form_tuple(descriptor, values, nulls));
}
