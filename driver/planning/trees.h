#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "driver/model/inventory.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/options/name_map.h"
#include "driver/planning/pairing.h"

/// Trees of inheritance: a table, its children, theirs, and so on. A query of the root shows the rows of all of them.
namespace parity::driver {

/// How a pair of roots is compared.
struct TreeDivision {
    /// The root and its descendants, each by its own rows, which is the whole and tells in which member a row is.
    /// Empty: the root as a whole, because the sides divide their rows otherwise.
    std::vector<RelationPair> members;
    /// Where the root is compared as a whole: descendants with columns that a query of it does not show.
    Both<std::vector<std::size_t>> with_own_columns;
    /// Excluded descendants that are left out.
    Both<std::vector<std::size_t>> left_out;
    std::vector<SchemaDifference> differences;
    std::vector<std::string> notes;  ///< for the root's TablePlan::notes
};

/// The trees of both sides.
class Trees {
  public:
    Trees(const NameMap& maps, const Both<Inventory>& inventories);

    /// The children that are listed: those of other sessions' temporary tables are not.
    const std::vector<std::size_t>& children(Side side, std::size_t relation) const;

    /// A pair of roots, as indexes into Inventory::relations. By members only where both sides have the same ones under
    /// the same CHECK constraints, the role may read each by itself, and there is no condition that names the root.
    TreeDivision divide(const Both<std::size_t>& roots) const;

  private:
    using Members = std::vector<std::size_t>;

    const RelationDesc& relation(Side side, std::size_t index) const { return inventories_[side].relations[index]; }
    Members members(Side side, std::size_t root) const;
    Both<Members> without_excluded(const Both<Members>& all, TreeDivision& division) const;
    std::vector<Both<std::size_t>> pair_members(const Both<Members>& members, Both<Members>& lone) const;
    bool is_divided_otherwise(const std::vector<Both<std::size_t>>& pairs, const Both<Members>& lone,
                              TreeDivision& division) const;
    bool is_hidden(const std::vector<Both<std::size_t>>& pairs, TreeDivision& division) const;
    void note_parents(const Both<std::size_t>& pair, TreeDivision& division) const;
    std::set<QualifiedName> parents(Side side, std::size_t member) const;

    const NameMap& maps_;
    const Both<Inventory>& inventories_;
    Both<std::map<std::uint32_t, std::size_t>> by_oid_;
    Both<std::map<std::size_t, Members>> children_;
};

}  // namespace parity::driver
