#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/options/request.h"

namespace parity::driver {

/// Two relations that are compared with each other; indexes into Inventory::relations.
struct RelationPair : Both<std::size_t> {
    Both<bool> without_children{false, false};  ///< of an inheritance parent its own rows alone
    /// Of a descendant that is compared as a member of a tree of inheritance: the tree's root.
    std::optional<Both<std::size_t>> root{};
    std::vector<std::string> notes{};  ///< for TablePlan::notes
};

/// Which relation of one side is compared with which of the other; indexes into Inventory::relations.
struct Pairing {
    std::vector<RelationPair> pairs;           ///< in the order of the source's names
    Both<std::vector<std::size_t>> only_here;  ///< only this side has it: divergence
    /// Chosen, but not to be compared (a view on one side that was not named …), with the reason.
    std::vector<std::pair<Both<QualifiedName>, std::string>> refused;
    std::vector<SchemaDifference> notes;
    Both<std::size_t> left_out{0, 0};  ///< tables that --exclude-table leaves out, none of whose rows are compared
};

/// Pairs the chosen relations by name and map. Needs no columns. A partition is reached through its parent; it is
/// paired on its own only where a side does not compare an ancestor of it. A tree of inheritance is paired member by
/// member, or as its root (trees.h).
/// Throws: Error{kUsage} as make_plan() does about patterns and --map.
Pairing pair_relations(const Request& request, const Both<Inventory>& inventories);

/// Refuses a run that would compare nothing.
/// Requires: the inventories have their sequences, where these are wanted.
/// Throws: Error{kUsage}.
void require_something(const Options& options, const Pairing& pairing, const Both<const Inventory*>& inventories);

/// Whether a run covers a sequence: with --table those that the chosen tables (oids of this side) own or use, else
/// those that the schema patterns choose, without those that only tables use which are not chosen.
bool covers_sequence(const Options& options, const SequenceDesc& sequence, const std::set<std::uint32_t>& tables);

/// The oids of the relations of a side that a pairing chooses, paired or only there, and of their partitions.
std::set<std::uint32_t> chosen_oids(const Pairing& pairing, const Both<Inventory>& inventories, Side side);

}  // namespace parity::driver
