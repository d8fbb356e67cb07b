#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace parity::driver {

/// Which rows of an extension's table users put there: an expression, empty for all of them; or why it is not
/// evaluated.
struct ExtensionCondition {
    std::string expression;
    std::string why_not_evaluated;
};

/// Reads the text that an extension registered for its table `table` (pg_extension.extcondition), a WHERE clause that
/// pg_dump appends to its query. It is somebody else's text, so that less is taken of it than of the user's own: beside
/// being one expression (postgres/queries/filter_check.h) it must hold no subquery, call none but some well-known
/// functions, name no object of a schema but pg_catalog, and use none of the columns `of_other_types`, whose types may
/// bring code of their owners. Whether it is an expression at all, the server says.
ExtensionCondition read_extension_condition(std::string_view text, const std::string& table,
                                            const std::vector<std::string>& of_other_types);

}  // namespace parity::driver
