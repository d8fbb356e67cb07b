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

/// The same of the leading columns that a bound by key has.
std::string show_bound(const std::vector<ColumnPlan>& columns, std::string_view bound);

/// A value for people, as SQL reads it: NULL bare; texts (by their form), and what else SQL needs to have quoted, in
/// single quotes with quotes in them doubled. Backslashes are doubled, and characters that are not printable or not
/// seen are escaped, behind an E before the quotes. A long value is cut, with its length told.
std::string show_value(core::Form form, const std::optional<ShownValue>& value);

/// Both values of a cell, so that one sees why they differ: characters that look alike are escaped where the values
/// differ in nothing else, and what is shown of long values has the first difference.
Both<std::string> show_values(core::Form form, const Both<std::optional<ShownValue>>& values);

/// What a mismatch tells of one object.
struct LargeObjectFinding {
    std::string first_difference;  ///< in bytes from the start
    Both<std::string> length;
};
LargeObjectFinding large_object_finding(const Finding& finding);

}  // namespace parity::driver
