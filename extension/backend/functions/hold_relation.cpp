#include "backend/pg.h"

#include "backend/pg_compat.h"

/// The SQL function hold_relation(): a lock on what an OID names, and what it is under that lock.

extern "C" {
PG_FUNCTION_INFO_V1(parity_hold_relation);
}

namespace parity::backend {
namespace {

/// Nobody may keep others from a relation that it has nothing to do with.
void check_may_read(Oid id) {
    if (may_select(id, GetUserId())) return;
    if (pg_attribute_aclcheck_all(id, GetUserId(), ACL_SELECT, ACLMASK_ANY) == ACLCHECK_OK) return;
    aclcheck_error(ACLCHECK_NO_PRIV, get_relkind_objtype(get_rel_relkind(id)), get_rel_name(id));
}

}  // namespace
}  // namespace parity::backend

/// A table may become a view, and a query's snapshot would still tell of a table: so what it is comes from the server's
/// cache, which is never older than the lock.
Datum parity_hold_relation(PG_FUNCTION_ARGS) {
    const Oid id = PG_GETARG_OID(0);
    if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(id))) PG_RETURN_NULL();
    parity::backend::check_may_read(id);
    Relation relation = try_relation_open(id, AccessShareLock);
    if (!relation) PG_RETURN_NULL();
    const char kind = relation->rd_rel->relkind;
    relation_close(relation, NoLock);
    PG_RETURN_CHAR(kind);
}
