#include "backend/task/owners_code.h"

#include "backend/memory.h"
#include "backend/pg_compat.h"

namespace parity::backend {
namespace {

bool is_outside_catalog(Oid function, void* found) {
    if (get_func_namespace(function) == PG_CATALOG_NAMESPACE) return false;
    *static_cast<Oid*>(found) = function;
    return true;
}

/// A domain's constraints may call functions of whoever made it. They are not listed here: the domain stands for them.
bool is_outside_domain(Node* node, Oid* found) {
    if (!IsA(node, CoerceToDomain)) return false;
    const Oid type = reinterpret_cast<CoerceToDomain*>(node)->resulttype;
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    if (!HeapTupleIsValid(tuple)) return false;
    auto* form = reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple));
    const bool outside = form->typnamespace != PG_CATALOG_NAMESPACE;
    ReleaseSysCache(tuple);
    if (outside) *found = F_DOMAIN_IN;
    return outside;
}

bool find_call(Node* node, void* found) {
    if (!node) return false;
    if (is_outside_domain(node, static_cast<Oid*>(found))) return true;
    if (check_functions_in_node(node, is_outside_catalog, found)) return true;
    return walk_expression(node, find_call, found);
}

/// A function that an expression of a catalog calls; InvalidOid for none. The text is read as it is: the server's own
/// caches of expressions hold them evaluated.
Oid call_in(const char* expression) {
    Oid found = InvalidOid;
    find_call(static_cast<Node*>(stringToNode(expression)), &found);
    return found;
}

Oid call_in_column(int cache, HeapTuple tuple, AttrNumber column) {
    bool null;
    Datum expression = SysCacheGetAttr(cache, tuple, column, &null);
    return null ? InvalidOid : call_in(TextDatumGetCString(expression));
}

Oid call_in_index(Oid index) {
    HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
    if (!HeapTupleIsValid(tuple)) return InvalidOid;
    Oid found = call_in_column(INDEXRELID, tuple, Anum_pg_index_indexprs);
    if (!OidIsValid(found)) found = call_in_column(INDEXRELID, tuple, Anum_pg_index_indpred);
    ReleaseSysCache(tuple);
    return found;
}

Oid call_in_indexes(Relation relation) {
    Oid found = InvalidOid;
    ListCell* cell;
    foreach (cell, RelationGetIndexList(relation))
        if (OidIsValid(found = call_in_index(lfirst_oid(cell)))) break;
    return found;
}

Oid call_in_statistics(Relation relation) {
    Oid found = InvalidOid;
    if constexpr (kStatisticsExpressions == InvalidAttrNumber) return found;
    ListCell* cell;
    foreach (cell, RelationGetStatExtList(relation)) {
        HeapTuple tuple = SearchSysCache1(STATEXTOID, ObjectIdGetDatum(lfirst_oid(cell)));
        if (!HeapTupleIsValid(tuple)) continue;
        found = call_in_column(STATEXTOID, tuple, kStatisticsExpressions);
        ReleaseSysCache(tuple);
        if (OidIsValid(found)) break;
    }
    return found;
}

Oid call_in_checks(Relation relation) {
    const TupleConstr* constraints = RelationGetDescr(relation)->constr;
    Oid found = InvalidOid;
    for (int i = 0; constraints && i < constraints->num_check && !OidIsValid(found); ++i)
        found = call_in(constraints->check[i].ccbin);
    return found;
}

Oid call_in_partition_key(Oid relation) {
    HeapTuple tuple = SearchSysCache1(PARTRELID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple)) return InvalidOid;
    const Oid found = call_in_column(PARTRELID, tuple, Anum_pg_partitioned_table_partexprs);
    ReleaseSysCache(tuple);
    return found;
}

Oid owner_of(Oid relation) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for relation %u", relation);
    const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
    ReleaseSysCache(tuple);
    return owner;
}

bool is_trusted(Oid owner) { return owner == GetUserId() || superuser_arg(owner); }

/// Collects what is found.
class Search {
  public:
    void look_at(Oid id) {
        Relation relation = relation_open(id, NoLock);
        const Oid owner = relation->rd_rel->relowner;
        if (!is_trusted(owner)) {
            Oid found = call_in_indexes(relation);
            if (!OidIsValid(found)) found = call_in_checks(relation);
            if (!OidIsValid(found)) found = call_in_statistics(relation);
            if (!OidIsValid(found)) found = call_in_partition_key(id);
            store(found, id, owner);
        }
        relation_close(relation, NoLock);
    }
    void look_at_parents(Oid partition) {
        if (!get_rel_relispartition(partition)) return;
        ListCell* cell;
        foreach (cell, get_partition_ancestors(partition)) {
            const Oid owner = owner_of(lfirst_oid(cell));
            if (!is_trusted(owner)) store(call_in_partition_key(lfirst_oid(cell)), lfirst_oid(cell), owner);
        }
    }
    const OwnersCode* result() const { return found_; }

  private:
    void store(Oid function, Oid relation, Oid owner) {
        if (!OidIsValid(function)) return;
        if (found_) {
            found_->several_owners |= found_->owner != owner;
            return;
        }
        found_ = allocate_array<OwnersCode>(CurrentMemoryContext, 1);
        *found_ = {function, relation, owner, false};
    }

    OwnersCode* found_ = nullptr;
};
static_assert(std::is_trivially_destructible_v<Search>);

}  // namespace

const OwnersCode* find_owners_code(std::span<const Oid> family) {
    Search search;
    for (Oid relation : family) search.look_at(relation);
    search.look_at_parents(family[0]);
    return search.result();
}

Oid find_other_owner(std::span<const Oid> family) {
    for (Oid relation : family)
        if (const Oid owner = owner_of(relation); !is_trusted(owner)) return owner;
    return InvalidOid;
}

}  // namespace parity::backend
