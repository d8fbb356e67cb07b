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

/// The form that both columns are hashed as: the first of the source's that the target has too. Never `jsonb_raw`.
/// Empty where there is none. `real` and `double precision` share a form but not their values, so they have none in
/// common.
std::string common_form(const ColumnDesc& source, const ColumnDesc& target);

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
