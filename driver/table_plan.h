#pragma once

#include <string>
#include <variant>
#include <vector>

#include "driver/column_options.h"
#include "driver/model.h"

namespace parity::driver {

/// How one pair of relations is compared; or why it cannot be.
struct TableDecision {
    std::variant<TablePlan, std::string> plan;
    std::vector<SchemaDifference> differences;
};

/// Decides about a described pair. Pure. Error kUsage as ColumnOptions.
TableDecision plan_table(const Options& options, ColumnOptions& column_options, const RelationDesc& source,
                         const RelationDesc& target);

/// See plan.h.
int default_ranges(double estimated_rows, std::int64_t estimated_bytes, std::size_t slices);

}  // namespace parity::driver
