#include "driver/planning/extension_tables.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "driver/options/scope.h"
#include "driver/text/display_name.h"

namespace parity::driver {
namespace {

using Tables = std::vector<const ExtensionTable*>;

/// Those of a side that are not compared.
Tables uncompared(const Plan& plan, const Inventory& inventory, Side side) {
    std::set<std::uint32_t> compared;
    for (const TablePlan& table : plan.tables) compared.insert(table.oid[side]);
    for (const auto& [names, reason] : plan.skipped_tables)
        for (const RelationDesc& relation : inventory.relations)
            if (relation.name == names[side]) compared.insert(relation.oid);
    Tables tables;
    for (const ExtensionTable& table : inventory.extension_tables)
        if (!compared.contains(table.oid)) tables.push_back(&table);
    return tables;
}

/// The table of the other side with the same part in the same extension: its namesake, or where an extension is in
/// another schema, the one of the same name.
const ExtensionTable* counterpart(const ExtensionTable& table, const QualifiedName& name, const Tables& others) {
    const ExtensionTable* alike = nullptr;
    std::size_t found = 0;
    for (const ExtensionTable* other : others) {
        if (other->extension != table.extension) continue;
        if (other->name == name) return other;
        if (other->name.name != name.name) continue;
        alike = other;
        ++found;
    }
    return found == 1 ? alike : nullptr;
}

}  // namespace

void plan_extension_tables(Plan& plan, const Request& request, const Both<Inventory>& inventories) {
    const Tables sources = uncompared(plan, inventories.source, Side::kSource);
    Tables targets = uncompared(plan, inventories.target, Side::kTarget);
    for (const ExtensionTable* source : sources) {
        ExtensionTablePlan& table = plan.extension_tables.emplace_back();
        table.extension = source->extension;
        table.sides.source = *source;
        const ExtensionTable* target = counterpart(*source, request.maps.to_target(source->name), targets);
        if (!target) continue;
        table.sides.target = *target;
        std::erase(targets, target);
        if (is_compared_by_default(source->extension, source->name.name))
            table.why_not_compared = "the extension's conditions for its rows of users differ between the sides";
    }
    for (const ExtensionTable* target : targets)
        plan.extension_tables.push_back({target->extension, {{}, *target}, {}});
    if (!request.options.dry_run) return;
    for (const ExtensionTablePlan& table : plan.extension_tables)
        plan.not_compared.push_back(fmt::format("rows of {}, a table of extension {}, would be counted",
                                                display_name(name_of(table, Side::kSource)),
                                                display_name(table.extension)));
}

}  // namespace parity::driver
