#pragma once

#include "backend/pg.h"

#include <span>

/// Functions that planning a query on a relation may call: the planner evaluates calls of immutable functions with
/// constants, in the expressions and predicates of indexes, in CHECK constraints, in extended statistics and in
/// partition keys. It does so with the rights of whoever has the query planned.
namespace parity::backend {

/// Such a function outside pg_catalog, of a relation whose owner is neither the caller nor a superuser.
struct OwnersCode {
    Oid function;
    Oid relation;         ///< whose expression calls it
    Oid owner;            ///< of the relation
    bool several_owners;  ///< there are relations with such functions of other owners, too
};

/// Looks at a relation, the first one, with all its partitions or children, and at what the first one is a partition
/// of. Evaluates nothing.
/// Requires: the relations are locked.
/// Returns: null where there is no such function; otherwise what was found, in the current context.
const OwnersCode* find_owners_code(std::span<const Oid> family);

/// The first owner of one of them who is neither the caller nor a superuser.
/// Returns: InvalidOid for none.
Oid find_other_owner(std::span<const Oid> family);

}  // namespace parity::backend
