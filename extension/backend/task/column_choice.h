#pragma once

#include "backend/pg.h"

#include <span>

#include "backend/task/task.h"

namespace parity::backend {

struct ChosenColumns {
    std::span<const TaskColumn> key;
    std::span<const TaskColumn> columns;
};

/// Chooses key and columns from SQL arguments that may be null: no key_columns is the relation's key as find_key()
/// gives it (an empty array: keyless); no columns is all that are not in the key, by the bytes of their names in UTF-8.
/// `forms` is an object from column names to form names for what shall not have its default.
/// Errors: 42703, 42701, 22023 or 0A000 naming the column.
ChosenColumns choose_columns(Relation relation, ArrayType* key_columns, ArrayType* columns, Jsonb* forms);

/// The name in UTF-8 of the form that `forms` (may be null) has for a column, or null.
const char* requested_form(Jsonb* forms, const char* column);

}  // namespace parity::backend
