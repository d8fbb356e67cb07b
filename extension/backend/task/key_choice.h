#pragma once

#include "backend/pg.h"

#include <span>

namespace parity::backend {

/// The columns that identify a relation's rows.
struct RelationKey {
    std::span<const AttrNumber> columns;  ///< empty: there is no key
    bool proven;
    Oid index;  ///< what proves it, or the primary key that does not
};

/// The primary key, else the proven unique index with the fewest columns (the oldest of these). Proven is: unique,
/// valid, ready, immediate, without predicate and expressions, over NOT NULL columns of comparable types, on a relation
/// without inheritance children. Where nothing is proven, a primary key that is deferrable, or whose table has
/// children, serves unproven. In the current context.
RelationKey find_key(Relation relation);

/// A valid B-tree of `relation` (a leaf) whose first columns are `columns` in this order, in any order of their values:
/// the first for which `serves(state, index)` is true, or the first where `serves` is null.
/// Returns: InvalidOid where there is none.
Oid find_btree(Relation relation, std::span<const AttrNumber> columns,
               bool (*serves)(const void* state, Relation index) = nullptr, const void* state = nullptr);

}  // namespace parity::backend
