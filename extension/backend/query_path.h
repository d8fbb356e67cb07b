#pragma once

#include "backend/pg.h"

#include "backend/digest_matrix.h"
#include "backend/digest_task.h"
#include "backend/key_condition.h"

/// The way through the executor: for views, foreign tables, filters, row security and whatever else cannot be scanned
/// directly.
namespace parity::backend {

/// Gives the filter back where it is exactly one SQL expression, on its own and between parentheses; else raises 42601.
/// A text such as `true) --` would otherwise swallow what follows it.
char* check_filter(char* filter);

/// The parallel-safe aggregate over the task's relation, under the active snapshot, as the caller. `workers` limits the
/// planner's parallel workers; below 0: the server's setting. The matrix is in the current context.
DigestMatrix digest_by_query(const DigestTask& task, int workers);

/// Receives the rows of a query: values and nulls of the key's columns, then of the others. A function and its state
/// instead of a virtual class: a vtable would need the C++ runtime.
struct RowConsumer {
    void (*consume)(void* state, const Datum* values, const bool* nulls);
    void* state;
};

/// Reads the task's key and columns row by row, under the active snapshot, as the caller, narrowed down by `condition`.
/// `consumer` is called in a context that is reset after each row.
void read_by_query(const DigestTask& task, const KeyCondition& condition, const RowConsumer& consumer);

}  // namespace parity::backend
