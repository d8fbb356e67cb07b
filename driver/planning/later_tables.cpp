#include "driver/planning/later_tables.h"

#include <algorithm>
#include <vector>

#include "driver/text/display_name.h"

namespace parity::driver {
namespace {

void skip(const ChosenNames& names, const char* reason, Plan& plan) {
    const auto is_it = [&](const Both<QualifiedName>& other) {
        return other.source == names.source && other.target == names.target;
    };
    const bool is_skipped = std::any_of(plan.skipped_tables.begin(), plan.skipped_tables.end(),
                                        [&](const auto& skipped) { return is_it(skipped.first); });
    if (!is_skipped) plan.skipped_tables.emplace_back(names, reason);
}

void forget_difference(const ChosenNames& names, Plan& plan) {
    for (Side side : kSides)
        if (names[other_side(side)].name.empty())
            std::erase_if(plan.differences, [&](const SchemaDifference& difference) {
                return difference.only_on == side && difference.lone_kind == "table" &&
                       difference.object == exact_name(names[side]);
            });
}

}  // namespace

ChosenTables chosen_tables(const Inventories& inventories) {
    ChosenTables tables;
    const Both<Inventory>& sides = inventories.sides;
    const Pairing& pairing = inventories.pairing;
    for (const RelationPair& pair : pairing.pairs) {
        const RelationDesc& source = sides.source.relations[pair.source];
        const RelationDesc& target = sides.target.relations[pair.target];
        tables[{{source.name, target.name}}] = {source.oid, target.oid};
    }
    for (std::size_t i : pairing.only_here.source)
        tables[{{sides.source.relations[i].name, {}}}] = {sides.source.relations[i].oid, 0};
    for (std::size_t i : pairing.only_here.target)
        tables[{{{}, sides.target.relations[i].name}}] = {0, sides.target.relations[i].oid};
    return tables;
}

void note_later_changes(const ChosenTables& began_with, const ChosenTables& now, Plan& plan) {
    for (const auto& [names, oids] : now) {
        const auto before = began_with.find(names);
        if (before == began_with.end()) {
            skip(names, kCreatedLater, plan);
            forget_difference(names, plan);
        } else if (before->second.source != oids.source || before->second.target != oids.target) {
            skip(names, kCreatedAnew, plan);
        }
    }
    for (const auto& [names, oids] : began_with)
        if (!now.contains(names)) skip(names, kGone, plan);
}

}  // namespace parity::driver
