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

/// Decides about a described pair. Pure. Error kUsage as ColumnOptions.
TableDecision plan_table(const Options& options, ColumnOptions& column_options, const TableSides& sides);

/// Gives columns the form `jsonb_raw` (or arrays of it) for the first pass, where both sides keep them as such. Means
/// something only between extensions in databases of one encoding. A table without a key has none: its ranges are by
/// the hash of all columns.
void add_prefilters(TablePlan& plan, const RelationDesc& source, const RelationDesc& target);

/// Whether the first pass has other forms.
bool has_prefilter(const TablePlan& plan);

/// The same table under the forms of the first pass.
TablePlan prefiltered(TablePlan plan);

/// See plan.h.
int default_ranges(double estimated_rows, std::int64_t estimated_bytes, std::size_t slices);

}  // namespace parity::driver
