#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/form.h"
#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"

namespace parity::driver {

/// The forms of columns by their names.
/// Throws: Error{kInternal} for a name that is none.
std::vector<core::Form> forms_of(const std::vector<ColumnPlan>& columns);

/// The columns that a table's framed keys hold: the key's, or all compared ones of a table without a key.
const std::vector<ColumnPlan>& framed_columns(const TablePlan& table);

/// A canonical value as text for people.
std::string render_canonical(core::Form form, core::ByteView canonical);

/// A framed key as "(id, day)=(17, 2020-01-01)", values as in show_value.
std::string show_key(const std::vector<ColumnPlan>& columns, std::string_view framed);

/// A value for people: NULL bare, texts (by their form) in single quotes with their quotes and backslashes doubled,
/// long ones cut with their length told. What of it is not printable is left to what prints it (printable.h).
std::string show_value(core::Form form, const std::optional<ShownValue>& value);

/// What a mismatch tells of one object.
struct LargeObjectFinding {
    std::string first_difference;  ///< in bytes from the start
    Both<std::string> length;
};
LargeObjectFinding large_object_finding(const Finding& finding);

}  // namespace parity::driver
