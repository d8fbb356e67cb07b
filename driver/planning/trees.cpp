#include "driver/planning/trees.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "driver/text/display_name.h"

namespace parity::driver {
namespace {

using Severity = SchemaDifference::Severity;

constexpr std::size_t kNamedMembers = 3;
constexpr const char* kAsAWhole = "the rows of all are compared as those of one table";

/// "a, b, c and 5 more".
std::string some_of(const std::vector<std::string>& names) {
    const std::size_t shown = std::min(names.size(), kNamedMembers);
    std::string text =
        fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
    if (shown < names.size()) text += fmt::format(" and {} more", names.size() - shown);
    return text;
}

}  // namespace

Trees::Trees(const NameMap& maps, const Both<Inventory>& inventories) : maps_(maps), inventories_(inventories) {
    for (Side side : kSides) {
        const std::vector<RelationDesc>& relations = inventories[side].relations;
        for (std::size_t i = 0; i < relations.size(); ++i) by_oid_[side][relations[i].oid] = i;
        for (std::size_t i = 0; i < relations.size(); ++i)
            for (std::uint32_t parent : relations[i].parents)
                if (const auto found = by_oid_[side].find(parent); found != by_oid_[side].end())
                    children_[side][found->second].push_back(i);
    }
}

const std::vector<std::size_t>& Trees::children(Side side, std::size_t relation) const {
    static const Members kNone;
    const auto found = children_[side].find(relation);
    return found == children_[side].end() ? kNone : found->second;
}

/// The root first. A child of two parents is there once.
Trees::Members Trees::members(Side side, std::size_t root) const {
    Members found{root};
    for (std::size_t next = 0; next < found.size(); ++next)
        for (std::size_t child : children(side, found[next]))
            if (std::find(found.begin(), found.end(), child) == found.end()) found.push_back(child);
    return found;
}

Both<Trees::Members> Trees::without_excluded(const Both<Members>& all, TreeDivision& division) const {
    Both<Members> kept;
    for (Side side : kSides)
        for (std::size_t member : all[side]) {
            const bool excluded = member != all[side].front() && relation(side, member).excluded;
            (excluded ? division.left_out : kept)[side].push_back(member);
        }
    return kept;
}

/// The roots are a pair whatever their names.
std::vector<Both<std::size_t>> Trees::pair_members(const Both<Members>& members, Both<Members>& lone) const {
    std::map<QualifiedName, std::size_t> targets;
    for (std::size_t member : members.target) targets[relation(Side::kTarget, member).name] = member;
    targets.erase(relation(Side::kTarget, members.target.front()).name);
    std::vector<Both<std::size_t>> pairs{{members.source.front(), members.target.front()}};
    for (std::size_t member : members.source) {
        if (member == members.source.front()) continue;
        const auto found = targets.find(maps_.to_target(relation(Side::kSource, member).name));
        if (found == targets.end()) {
            lone.source.push_back(member);
            continue;
        }
        pairs.push_back({member, found->second});
        targets.erase(found);
    }
    for (const auto& [name, member] : targets) lone.target.push_back(member);
    return pairs;
}

bool Trees::is_divided_otherwise(const std::vector<Both<std::size_t>>& pairs, const Both<Members>& lone,
                                 TreeDivision& division) const {
    std::vector<std::string> reasons;
    for (Side side : kSides) {
        std::vector<std::string> names;
        for (std::size_t member : lone[side]) names.push_back(display_name(relation(side, member).name));
        if (!names.empty()) reasons.push_back(fmt::format("{} only on {}", some_of(names), side_name(side)));
    }
    std::vector<std::string> otherwise;
    for (const Both<std::size_t>& pair : pairs)
        if (relation(Side::kSource, pair.source).checks != relation(Side::kTarget, pair.target).checks)
            otherwise.push_back(display_name(relation(Side::kSource, pair.source).name));
    if (!otherwise.empty()) reasons.push_back(fmt::format("{} with other CHECK constraints", some_of(otherwise)));
    if (reasons.empty()) return false;
    division.differences.push_back(
        {Severity::kNote, exact_name(relation(Side::kSource, pairs.front().source).name),
         fmt::format("children that inherit from it differ: {}; {}", fmt::join(reasons, ", "), kAsAWhole)});
    return true;
}

/// What a query of the root shows of its children asks for rights on the root alone, and follows the root's policies.
bool Trees::is_hidden(const std::vector<Both<std::size_t>>& pairs, TreeDivision& division) const {
    for (Side side : kSides) {
        const std::string& elsewhere = relation(side, pairs.front()[side]).why_elsewhere;
        if (elsewhere.empty()) continue;
        division.notes.push_back(fmt::format("{}: on {} {}", kAsAWhole, side_name(side), elsewhere));
        return true;
    }
    for (const Both<std::size_t>& pair : pairs)
        for (Side side : kSides) {
            const RelationDesc& member = relation(side, pair[side]);
            const bool root = pair[side] == pairs.front()[side];
            if (member.row_security_active || (!root && !member.readable_by_itself)) {
                division.notes.push_back(
                    fmt::format("{}: {} on {} {}", kAsAWhole, display_name(member.name), side_name(side),
                                member.row_security_active ? "is under row security" : "cannot be read by itself"));
                return true;
            }
        }
    return false;
}

std::set<QualifiedName> Trees::parents(Side side, std::size_t member) const {
    std::set<QualifiedName> names;
    for (std::uint32_t parent : relation(side, member).parents) {
        const auto found = by_oid_[side].find(parent);
        if (found == by_oid_[side].end()) continue;
        const QualifiedName& name = relation(side, found->second).name;
        names.insert(side == Side::kSource ? maps_.to_target(name) : name);
    }
    return names;
}

void Trees::note_parents(const Both<std::size_t>& pair, TreeDivision& division) const {
    const auto describe = [](const std::set<QualifiedName>& names) {
        std::vector<std::string> shown;
        for (const QualifiedName& name : names) shown.push_back(display_name(name));
        return fmt::format("{}", fmt::join(shown, ", "));
    };
    const std::set<QualifiedName> source = parents(Side::kSource, pair.source);
    const std::set<QualifiedName> target = parents(Side::kTarget, pair.target);
    if (source == target) return;
    division.differences.push_back(
        {Severity::kNote, exact_name(relation(Side::kSource, pair.source).name),
         fmt::format("inherits from {} on source, {} on target", describe(source), describe(target))});
}

TreeDivision Trees::divide(const Both<std::size_t>& roots) const {
    const Both<Members> all{members(Side::kSource, roots.source), members(Side::kTarget, roots.target)};
    TreeDivision division;
    if (all.source.size() == 1 && all.target.size() == 1) {
        division.members.push_back({roots});
        return division;
    }
    const Both<Members> kept = without_excluded(all, division);
    Both<Members> lone;
    const std::vector<Both<std::size_t>> pairs = pair_members(kept, lone);
    const RelationDesc& root = relation(Side::kSource, roots.source);
    const bool conditional = !root.filter.empty() || !root.condition.empty();
    if (conditional || is_divided_otherwise(pairs, lone, division) || is_hidden(pairs, division)) {
        division.left_out = {};
        for (Side side : kSides)
            for (std::size_t member : kept[side])
                if (member != kept[side].front() && relation(side, member).has_own_columns)
                    division.with_own_columns[side].push_back(member);
        return division;
    }
    for (const Both<std::size_t>& pair : pairs) {
        RelationPair member{pair};
        for (Side side : kSides) member.without_children[side] = !children(side, pair[side]).empty();
        if (pair.source != roots.source) {
            member.root = roots;
            note_parents(pair, division);
        }
        division.members.push_back(std::move(member));
    }
    return division;
}

}  // namespace parity::driver
