#pragma once

#include "backend/pg.h"

#include <optional>
#include <span>

#include "backend/task/task.h"

namespace parity::backend {

/// A part of a WHERE clause that lets the planner use an index. It may keep more rows than are wanted, never fewer:
/// which rows count is decided on canonical bytes.
struct KeyCondition {
    const char* sql = "";  ///< begins with " AND ", or is empty
    int parameters = 0;
    Oid types[INDEX_MAX_KEYS] = {};
    Datum values[INDEX_MAX_KEYS] = {};
};

/// Rows whose key columns are among those of these framed keys: `column = ANY (values)` for each key column whose type
/// allows it. In the current context.
KeyCondition condition_of_keys(const DigestTask& task, std::span<const core::ByteView> keys);

/// The types of values_of_key(), one a key column.
/// Returns: an empty span where the values of some column cannot be given to SQL.
std::span<const Oid> key_value_types(const DigestTask& task);

/// The values of a framed key's columns, of these types. In the current context.
/// Returns: null where one of them is NULL, or can be no value of its column.
const Datum* values_of_key(const DigestTask& task, std::span<const Oid> types, core::ByteView framed);

/// Rows between two bounds (empty: open), by the first key column.
/// Returns: an empty condition unless that column is NOT NULL and its index order is the form's.
KeyCondition condition_of_range(const DigestTask& task, core::ByteView lower, core::ByteView upper);

/// The values of the first key column at two bounds, for an index scan: nothing where a bound is open.
struct KeyInterval {
    Oid type;  ///< of the values
    std::optional<Datum> lower;
    std::optional<Datum> upper;
};
KeyInterval interval_of_range(const DigestTask& task, core::ByteView lower, core::ByteView upper);

/// Whether condition_of_range() can narrow anything down: the first key column allows it and each leaf has a B-tree on
/// the key.
bool has_ordered_index(const DigestTask& task);

}  // namespace parity::backend
