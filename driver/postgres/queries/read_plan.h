#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/model/sides.h"

/// The server's planner as the judge of where a table's rows are: pure, without a server.
namespace parity::driver {

/// A relation that is to hold rows of the table: the table itself, a partition, a child.
struct PlanLeaf {
    QualifiedName name;
    bool has_blocks = true;  ///< an empty one may be left out of a plan
};

/// What a plan of `SELECT columns FROM table` is held against.
struct PlanQuestion {
    std::vector<std::string> columns;  ///< the select list
    std::vector<PlanLeaf> leaves;
};

/// Why the rows that a server shows of a table are not simply those of its leaves. `plan` is what EXPLAIN (VERBOSE,
/// COSTS OFF, FORMAT JSON) gives of the statement under plan_settings_statements().
///
/// They are if the plan scans every leaf that has blocks exactly once, and nothing else, without a condition, for its
/// plain columns. What is not known to mean that counts as a reason: another node, another member of a node, a text
/// that is no plan.
/// Returns: nothing where they are those of its leaves.
std::optional<std::string> why_not_plain(std::string_view plan, const PlanQuestion& question);

}  // namespace parity::driver
