#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/form.h"

namespace parity::driver {

/// The first column of a key, as conditions on it need it.
struct ConditionColumn {
    std::string expression;  ///< the column in SQL
    std::string type;        ///< its base type's name in pg_catalog; empty for types of others
    core::Form form = core::Form::kNone;
    bool not_null = false;
    bool utf8 = false;  ///< the database's encoding is UTF8
};

/// Whether SQL can compare the column in the order of its form, so that range_condition ever says something.
bool has_conditions(const ConditionColumn& column);

/// Conditions, each row fulfilling exactly one of them, that divide a table into about `shares` even parts by bounds
/// that divide it evenly.
/// Returns: none where that cannot be said in SQL.
std::vector<std::string> share_conditions(const ConditionColumn& column, const std::vector<std::string>& bounds,
                                          std::size_t shares);

/// Whether a B-tree on the column can serve such conditions; `in_c`: its collation is "C".
bool is_served_by_index(const ConditionColumn& column, bool in_c);

/// A condition in SQL that is true for every row whose key lies in [lower, upper), and for some more: bounds are on
/// whole keys, the condition is on the first column. The hasher decides about each row. Empty bounds are minus and plus
/// infinity.
/// Returns: nothing where the order of the form cannot be said in SQL, or every row would be chosen.
std::optional<std::string> range_condition(const ConditionColumn& column, std::string_view lower,
                                           std::string_view upper);

/// Whether the condition of a range below `upper` and that of one from `lower` on choose no row in common.
bool are_apart(const ConditionColumn& column, std::string_view upper, std::string_view lower);

}  // namespace parity::driver
