#include "driver/planning/pairing.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "driver/model/error.h"
#include "driver/options/name_map.h"
#include "driver/options/scope.h"
#include "driver/planning/hints.h"
#include "driver/planning/trees.h"
#include "driver/text/display_name.h"

namespace parity::driver {

namespace {

bool only_when_named(const RelationDesc& relation) { return relation.relkind == 'v' || relation.relkind == 'f'; }

std::string_view kinds_of(const RelationDesc& relation) { return relation.relkind == 'v' ? "views" : "foreign tables"; }

/// The relations of a side by name and oid.
class SideIndex {
  public:
    explicit SideIndex(const Inventory& inventory) : relations_(inventory.relations) {
        for (std::size_t i = 0; i < relations_.size(); ++i) {
            const RelationDesc& relation = relations_[i];
            by_name_[relation.name] = i;
            by_oid_[relation.oid] = i;
            if (relation.is_partition && for_its_own_sake(relation))
                with_selected_parts_.insert(relation.ancestors.begin(), relation.ancestors.end());
        }
    }

    std::size_t size() const { return relations_.size(); }
    const RelationDesc& operator[](std::size_t index) const { return relations_[index]; }

    std::optional<std::size_t> find(const QualifiedName& name) const {
        const auto found = by_name_.find(name);
        return found == by_name_.end() ? std::nullopt : std::optional(found->second);
    }

    /// The table that a table of an extension is paired with: the same one of the same extension, in whatever schema
    /// that is, under the same condition.
    std::optional<std::size_t> find_of_extension(const RelationDesc& relation) const {
        for (std::size_t i = 0; i < relations_.size(); ++i)
            if (relations_[i].extension == relation.extension && relations_[i].name.name == relation.name.name &&
                relations_[i].condition == relation.condition)
                return i;
        return std::nullopt;
    }

    /// The ancestor that is chosen, through which a partition or child is compared; null where there is none.
    const RelationDesc* chosen_ancestor(const RelationDesc& relation) const {
        for (std::uint32_t oid : relation.ancestors) {
            const auto found = by_oid_.find(oid);
            if (found != by_oid_.end() && for_its_own_sake(relations_[found->second]))
                return &relations_[found->second];
        }
        return nullptr;
    }

    /// Whether an exclusion leaves it out as a table. A partition counts as a part of its table, and a table whose
    /// partitions are chosen by themselves is not left out.
    bool is_left_out(const RelationDesc& relation) const {
        if (!is_excluded_whole(relation) || (only_when_named(relation) && !relation.named)) return false;
        return !relation.is_partition ||
               std::none_of(relation.ancestors.begin(), relation.ancestors.end(), [&](std::uint32_t oid) {
                   const auto found = by_oid_.find(oid);
                   return found != by_oid_.end() && is_excluded_whole(relations_[found->second]);
               });
    }

    /// Whether it is compared for its own sake.
    bool wanted(const RelationDesc& relation) const { return for_its_own_sake(relation) && !chosen_ancestor(relation); }

  private:
    static bool for_its_own_sake(const RelationDesc& relation) {
        return relation.selected && (relation.named || !only_when_named(relation));
    }

    bool is_excluded_whole(const RelationDesc& relation) const {
        return relation.excluded && !with_selected_parts_.contains(relation.oid);
    }

    const std::vector<RelationDesc>& relations_;
    std::map<QualifiedName, std::size_t> by_name_;
    std::map<std::uint32_t, std::size_t> by_oid_;
    std::set<std::uint32_t> with_selected_parts_;  ///< relations with partitions that are selected by themselves
};

class Pairer {
  public:
    Pairer(const Request& request, const Both<Inventory>& inventories)
        : options_(request.options),
          maps_(request.maps),
          sides_{SideIndex(inventories.source), SideIndex(inventories.target)},
          trees_(maps_, inventories),
          names_(inventories.source.all_names) {}

    Pairing run() {
        check_maps();
        pair_source(true);
        pair_source(false);
        pair_target();
        pair_extension_tables();
        note_excluded(Side::kSource);
        note_excluded(Side::kTarget);
        std::sort(pairing_.pairs.begin(), pairing_.pairs.end(),
                  [](const auto& a, const auto& b) { return a.source < b.source; });
        for (Side side : kSides) std::sort(pairing_.only_here[side].begin(), pairing_.only_here[side].end());
        return std::move(pairing_);
    }

  private:
    void check_maps() const {
        for (const NameMap::Entry& entry : maps_.entries()) {
            if (!matches_a_table(entry))
                throw Error(ErrorKind::kUsage, fmt::format("no table matches --map \"{}\"", entry.text),
                            hint_about_map(entry, names_));
        }
    }

    bool matches_a_table(const NameMap::Entry& entry) const {
        for (std::size_t i = 0; i < sides_.source.size(); ++i) {
            const RelationDesc& relation = sides_.source[i];
            const bool chosen = relation.selected || sides_.source.chosen_ancestor(relation);
            if (chosen && maps_.entry_for(relation.name) == &entry) return true;
        }
        return false;
    }

    /// A table that --map names must be there; of a whole schema, some may be missing.
    void require_unmapped(const RelationDesc& relation) const {
        const NameMap::Entry* entry = maps_.entry_for(relation.name);
        if (!entry || entry->source.name.empty()) return;
        throw Error(ErrorKind::kUsage, fmt::format("table {} of --map \"{}\" does not exist on the target",
                                                   display_name(maps_.to_target(relation.name)), entry->text));
    }

    /// A name that --map gives goes before the same name that a table of the source has by itself.
    void pair_source(bool mapped) {
        for (std::size_t i = 0; i < sides_.source.size(); ++i) {
            const RelationDesc& relation = sides_.source[i];
            if (!sides_.source.wanted(relation) || !relation.extension.empty() ||
                (maps_.entry_for(relation.name) != nullptr) != mapped)
                continue;
            place_source(i);
        }
    }

    void place_source(std::size_t i) {
        const RelationDesc& relation = sides_.source[i];
        if (taken_.source.contains(i)) return;
        const std::optional<std::size_t> other = sides_.target.find(maps_.to_target(relation.name));
        if (!other) require_unmapped(relation);
        if (!other || taken_.target.contains(*other)) {
            add_only_here(Side::kSource, i);
        } else {
            pair(i, *other);
        }
    }

    /// The children of what the other side lacks may be there.
    void add_only_here(Side side, std::size_t i) {
        taken_[side].insert(i);
        pairing_.only_here[side].push_back(i);
        place_children(side, i);
    }

    void place_children(Side side, std::size_t parent) {
        for (std::size_t child : trees_.children(side, parent))
            if (sides_[side][child].selected) place(side, child);
    }

    void place(Side side, std::size_t i) { side == Side::kSource ? place_source(i) : place_target(i); }

    void pair_target() {
        for (std::size_t i = 0; i < sides_.target.size(); ++i) {
            const RelationDesc& relation = sides_.target[i];
            if (sides_.target.wanted(relation) && relation.extension.empty()) place_target(i);
        }
    }

    void place_target(std::size_t i) {
        const RelationDesc& relation = sides_.target[i];
        if (taken_.target.contains(i)) return;
        const QualifiedName name = maps_.to_source(relation.name);
        const bool name_is_mapped_away = maps_.to_target(name) != relation.name;
        if (name_is_mapped_away && !options_.tables.empty()) return;
        const std::optional<std::size_t> other = name_is_mapped_away ? std::nullopt : sides_.source.find(name);
        if (!other || taken_.source.contains(*other)) {
            add_only_here(Side::kTarget, i);
        } else if (!sides_.source[*other].excluded) {
            pair(*other, i);
        }
    }

    /// Those without a counterpart are counted.
    void pair_extension_tables() {
        for (std::size_t i = 0; i < sides_.source.size(); ++i) {
            const RelationDesc& relation = sides_.source[i];
            if (relation.extension.empty()) continue;
            const std::optional<std::size_t> other = sides_.target.find_of_extension(relation);
            if (other) pair(i, *other);
        }
    }

    /// A pair of roots with what belongs to them.
    void pair(std::size_t source, std::size_t target) {
        const Both<std::size_t> roots{source, target};
        if (is_refused(roots, roots)) {
            for (Side side : kSides) place_children(side, roots[side]);
            return;
        }
        TreeDivision tree = trees_.divide(roots);
        std::move(tree.differences.begin(), tree.differences.end(), std::back_inserter(pairing_.notes));
        for (Side side : kSides) left_out_[side].insert(tree.left_out[side].begin(), tree.left_out[side].end());
        if (tree.members.empty()) tree.members.push_back({roots});
        tree.members.front().notes = std::move(tree.notes);
        for (RelationPair& member : tree.members) add_member(std::move(member), roots);
        for (Side side : kSides)
            for (std::size_t member : tree.with_own_columns[side]) place(side, member);
    }

    /// A child of two parents may be there already.
    void add_member(RelationPair member, const Both<std::size_t>& roots) {
        const bool known = taken_.source.contains(member.source) && taken_.target.contains(member.target);
        if (member.root && (known || is_refused(member, roots))) return;
        pairing_.pairs.push_back(std::move(member));
    }

    /// Takes the pair; whether it is of a kind that must be named, by its own name or that of its tree's root.
    bool is_refused(const Both<std::size_t>& pair, const Both<std::size_t>& roots) {
        taken_.source.insert(pair.source);
        taken_.target.insert(pair.target);
        for (Side side : kSides) {
            const RelationDesc& relation = sides_[side][pair[side]];
            if (!only_when_named(relation) || relation.named || sides_[side][roots[side]].named) continue;
            const std::string_view kinds = kinds_of(relation);
            pairing_.refused.push_back(
                {{sides_.source[pair.source].name, sides_.target[pair.target].name},
                 fmt::format("it is a {} on {}; {} are compared only when --table names them without wildcards",
                             kinds.substr(0, kinds.size() - 1), side_name(side), kinds)});
            return true;
        }
        return false;
    }

    /// An excluded relation is compared nonetheless as a part of one that is compared, unless it is a member of a tree.
    void note_excluded(Side side) {
        std::set<const RelationDesc*> paired;
        for (const RelationPair& pair : pairing_.pairs) paired.insert(&sides_[side][pair[side]]);
        for (std::size_t i = 0; i < sides_[side].size(); ++i) {
            const RelationDesc& relation = sides_[side][i];
            if (!relation.excluded) continue;
            const RelationDesc* ancestor = sides_[side].chosen_ancestor(relation);
            if (paired.contains(ancestor) && !left_out_[side].contains(i))
                pairing_.notes.push_back({SchemaDifference::Severity::kNote, exact_name(relation.name),
                                          fmt::format("excluded, but compared on {} as a part of {}", side_name(side),
                                                      display_name(ancestor->name))});
            else if (sides_[side].is_left_out(relation))
                ++pairing_.left_out[side];
        }
    }

    const Options& options_;
    const NameMap& maps_;
    Both<SideIndex> sides_;
    Trees trees_;
    const std::vector<QualifiedName>& names_;  ///< of the source's tables, where there is a map
    Both<std::set<std::size_t>> taken_;
    Both<std::set<std::size_t>> left_out_;  ///< excluded members of trees
    Pairing pairing_;
};

/// A pattern must match a table of one side at least.
void check_patterns(const std::vector<std::string>& patterns, const Both<Inventory>& inventories,
                    std::vector<bool> Inventory::*matched, std::string_view option) {
    const std::vector<bool>&source = inventories.source.*matched, &target = inventories.target.*matched;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        if ((i < source.size() && source[i]) || (i < target.size() && target[i])) continue;
        throw Error(ErrorKind::kUsage, fmt::format("no table matches {} \"{}\"", option, patterns[i]),
                    hint_about_pattern(patterns[i], option == "--schema", inventories));
    }
}

/// Which a run may be about, without any table.
bool has_large_objects(const Options& options, const Both<const Inventory*>& inventories) {
    return options.large_objects && covers_whole_database(options) &&
           (inventories.source->large_objects.count > 0 || inventories.target->large_objects.count > 0);
}

}  // namespace

Pairing pair_relations(const Request& request, const Both<Inventory>& inventories) {
    const Options& options = request.options;
    check_patterns(options.tables, inventories, &Inventory::table_patterns_matched, "--table");
    check_patterns(options.schemas, inventories, &Inventory::schema_patterns_matched, "--schema");
    check_patterns(options.exclude_tables, inventories, &Inventory::exclusions_matched, "--exclude-table");
    return Pairer(request, inventories).run();
}

void require_something(const Options& options, const Pairing& pairing, const Both<const Inventory*>& inventories) {
    if (!pairing.pairs.empty() || !pairing.only_here.source.empty() || !pairing.only_here.target.empty() ||
        !pairing.refused.empty() || has_large_objects(options, inventories))
        return;
    for (Side side : kSides)
        for (const SequenceDesc& sequence : inventories[side]->sequences)
            if (options.sequences && covers_sequence(options, sequence, {})) return;
    const bool narrower = !options.tables.empty() || !options.exclude_tables.empty() || !options.schemas.empty();
    throw Error(
        ErrorKind::kUsage,
        fmt::format("no table to compare: the source is {}, the target {}",
                    describe_database(inventories.source->server), describe_database(inventories.target->server)),
        fmt::format("{}views and foreign tables are compared only when --table names them without wildcards",
                    narrower ? "" : "dbname in --source and --target tells the database; "));
}

std::set<std::uint32_t> chosen_oids(const Pairing& pairing, const Both<Inventory>& inventories, Side side) {
    std::set<std::uint32_t> oids;
    for (const RelationPair& pair : pairing.pairs) oids.insert(inventories[side].relations[pair[side]].oid);
    for (std::size_t index : pairing.only_here[side]) oids.insert(inventories[side].relations[index].oid);
    std::set<std::uint32_t> parts;
    for (const RelationDesc& relation : inventories[side].relations) {
        const bool reached = std::any_of(relation.ancestors.begin(), relation.ancestors.end(),
                                         [&](std::uint32_t oid) { return oids.contains(oid); });
        if (reached) parts.insert(relation.oid);
    }
    oids.merge(parts);
    return oids;
}

bool covers_sequence(const Options& options, const SequenceDesc& sequence, const std::set<std::uint32_t>& tables) {
    const bool used = std::any_of(sequence.users.begin(), sequence.users.end(),
                                  [&](std::uint32_t oid) { return tables.contains(oid); });
    if (!options.tables.empty()) return used;
    return sequence.selected && (used || sequence.users.empty());
}

}  // namespace parity::driver
