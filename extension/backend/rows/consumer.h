#pragma once

#include "backend/pg.h"

#include "backend/rows/row_hasher.h"
#include "backend/task/task.h"

/// Who takes rows, whichever way they are read.
namespace parity::backend {

/// Receives rows: values and nulls of the key's columns, then of the others. It is called in a context that is reset
/// after each row. Functions and their state instead of a virtual class: a vtable would need the C++ runtime.
struct RowConsumer {
    /// Whether a row is wanted, by its key's values alone. For readers to whom the rest costs more; the others may
    /// leave it to consume().
    bool (*wants)(void* state, const Datum* key_values, const bool* key_nulls);
    void (*consume)(void* state, const Datum* values, const bool* nulls);
    void* state;
    /// Where it is set, asked first, with the header of a stored row: whether the row is looked at at all.
    bool (*admits)(void* state, HeapTupleHeader header) = nullptr;
};

/// A hasher of the rows that a consumer receives. Its memory is in the current context.
/// Requires: the task outlives it.
RowHasher make_row_hasher(const DigestTask& task);

}  // namespace parity::backend
