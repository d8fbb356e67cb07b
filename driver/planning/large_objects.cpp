#include "driver/planning/large_objects.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "driver/digests/division.h"
#include "driver/options/scope.h"

namespace parity::driver {
namespace {

ColumnPlan plain_column(const std::string& name, const std::string& form, bool in_key) {
    return {{name, name}, form, in_key};
}

TablePlan catalog_plan(const std::string& name, Both<std::uint32_t> oid, std::vector<std::string> key) {
    TablePlan plan;
    plan.oid = oid;
    plan.name = {{"pg_catalog", name}, {"pg_catalog", name}};
    plan.relkind = {'r', 'r'};
    for (const std::string& column : key) plan.key.push_back(plain_column(column, "int", true));
    plan.key_proven = true;
    return plan;
}

/// What is read of the objects' contents.
TablePlan page_plan(const TablePlan& whole) {
    const auto& [source, target] = whole.large_objects->sides;
    TablePlan plan = catalog_plan("pg_largeobject", {source.pages_oid, target.pages_oid}, {"loid", "pageno"});
    plan.columns = {plain_column("data", "bytes", false)};
    plan.columns_text = {source.page_columns, target.page_columns};
    plan.path = whole.path;
    plan.estimated_rows = std::max(source.pages, target.pages);
    plan.estimated_bytes = std::max(source.bytes, target.bytes);
    plan.ranges = default_ranges(plan.estimated_rows, plan.estimated_bytes, plan.columns.size() + 2);
    return plan;
}

std::string why_unread(const Both<LargeObjects>& sides) {
    for (Side side : kSides)
        if (!sides[side].readable)
            return fmt::format("no SELECT privilege on pg_catalog.pg_largeobject on {}", side_name(side));
    return {};
}

TablePlan whole_plan(const Both<LargeObjects>& sides, const Both<Inventory>& inventories) {
    TablePlan plan = catalog_plan("pg_largeobject_metadata", {sides.source.list_oid, sides.target.list_oid}, {"oid"});
    plan.columns = {plain_column("first_difference", "int", false), plain_column("length", "int", false)};
    plan.columns_text = {sides.source.list_columns, sides.target.list_columns};
    for (Side side : kSides) plan.path[side] = inventories[side].server.is_streamed ? "stream" : "scan";
    plan.estimated_rows = static_cast<double>(std::max(sides.source.count, sides.target.count));
    plan.large_objects = LargeObjectPlan{sides, why_unread(sides), nullptr};
    if (!plan.large_objects->why_unread.empty()) plan.skipped = {"contents: " + plan.large_objects->why_unread};
    if (plan.skipped.empty()) plan.estimated_bytes = std::max(sides.source.bytes, sides.target.bytes);
    plan.ranges = default_ranges(plan.estimated_rows, plan.estimated_bytes, 2);
    plan.large_objects->pages = std::make_shared<const TablePlan>(page_plan(plan));
    return plan;
}

}  // namespace

void plan_large_objects(Plan& plan, const Options& options, const Both<Inventory>& inventories) {
    const Both<LargeObjects> sides{inventories.source.large_objects, inventories.target.large_objects};
    if (!options.large_objects || !covers_whole_database(options)) return;
    for (Side side : kSides) {
        if (sides[side].listed) continue;
        const QualifiedName name{"pg_catalog", "pg_largeobject_metadata"};
        plan.skipped_tables.push_back(
            {{name, name}, fmt::format("large objects: no SELECT privilege on it on {}", side_name(side))});
        return;
    }
    if (sides.source.count == 0 && sides.target.count == 0) return;
    plan.tables.push_back(whole_plan(sides, inventories));
}

}  // namespace parity::driver
