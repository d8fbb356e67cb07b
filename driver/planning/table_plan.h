#pragma once

#include <string>
#include <variant>
#include <vector>

#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/options/column_options.h"

namespace parity::driver {

/// How one pair of relations is compared; or why it cannot be.
struct TableDecision {
    std::variant<TablePlan, std::string> plan;
    std::vector<SchemaDifference> differences;
};

/// A pair of relations, and what of them is compared.
struct TableSides {
    Both<const RelationDesc*> relation;
    Both<const RelationDesc*> root{nullptr, nullptr};  ///< of a member of a tree of inheritance; none: null
    Both<bool> without_children{false, false};
    std::vector<std::string> notes{};
};

/// Decides about a pair. Pure.
/// Requires: both relations are described.
/// Throws: Error{kUsage} as ColumnOptions does.
TableDecision plan_table(const Options& options, ColumnOptions& column_options, const TableSides& sides);

}  // namespace parity::driver
