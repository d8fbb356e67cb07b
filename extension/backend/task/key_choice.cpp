#include "backend/task/key_choice.h"

#include "backend/memory.h"
#include "backend/pg_compat.h"
#include "backend/values/type_forms.h"

namespace parity::backend {
namespace {

bool is_identifying_column(Relation relation, AttrNumber column) {
    if (column <= 0) return false;
    TupleDesc descriptor = RelationGetDescr(relation);
    return is_never_null(descriptor, column - 1) &&
           default_reader(TupleDescAttr(descriptor, column - 1)->atttypid).has_value();
}

/// Whether it holds some rows only, or expressions. The server's caches of these are not asked, as they evaluate
/// functions that whoever made the index may have written.
bool has_predicate(Relation index) { return !heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr); }
bool has_expressions(Relation index) { return !heap_attisnull(index->rd_indextuple, Anum_pg_index_indexprs, nullptr); }

/// Whether an index is over whole columns that identify rows, at least where it holds.
bool is_candidate(Relation relation, Relation index) {
    Form_pg_index form = index->rd_index;
    if (!form->indisunique || !form->indisvalid || !form->indisready || !form->indislive) return false;
    if (has_predicate(index) || has_expressions(index)) return false;
    for (int i = 0; i < form->indnkeyatts; ++i)
        if (!is_identifying_column(relation, form->indkey.values[i])) return false;
    return true;
}

/// Whether an index is a better proof than the best so far.
bool is_better(Form_pg_index candidate, Form_pg_index best) {
    if (best->indisprimary || candidate->indisprimary) return candidate->indisprimary && !best->indisprimary;
    return candidate->indnkeyatts < best->indnkeyatts;
}

/// An index proves nothing about the children of an inheritance parent; an index of a partitioned table covers all.
bool has_plain_children(Relation relation) {
    return relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE && relation->rd_rel->relhassubclass &&
           find_inheritance_children(RelationGetRelid(relation), NoLock) != NIL;
}

}  // namespace

RelationKey find_key(Relation relation) {
    RelationKey key{{}, false, InvalidOid};
    bool provable = !has_plain_children(relation);
    AttrNumber* columns = allocate_array<AttrNumber>(CurrentMemoryContext, INDEX_MAX_KEYS);
    FormData_pg_index best{};
    ListCell* cell;
    foreach (cell, RelationGetIndexList(relation)) {
        Relation index = index_open(lfirst_oid(cell), AccessShareLock);
        Form_pg_index form = index->rd_index;
        bool proves = provable && form->indimmediate;
        bool better = proves ? !key.proven || is_better(form, &best) : form->indisprimary && !key.proven;
        if ((proves || form->indisprimary) && better && is_candidate(relation, index)) {
            std::size_t count = static_cast<std::size_t>(form->indnkeyatts);
            for (std::size_t i = 0; i < count; ++i) columns[i] = form->indkey.values[i];
            key = {{columns, count}, proves, RelationGetRelid(index)};
            memcpy(&best, form, offsetof(FormData_pg_index, indkey));
        }
        index_close(index, AccessShareLock);
    }
    return key;
}

Oid find_btree(Relation relation, std::span<const AttrNumber> columns,
               bool (*serves)(const void* state, Relation index), const void* state) {
    ListCell* cell;
    foreach (cell, RelationGetIndexList(relation)) {
        Relation index = index_open(lfirst_oid(cell), AccessShareLock);
        Form_pg_index form = index->rd_index;
        bool fits = index->rd_rel->relam == BTREE_AM_OID && form->indisvalid && form->indislive &&
                    static_cast<std::size_t>(form->indnkeyatts) >= columns.size() && !has_predicate(index);
        for (std::size_t i = 0; fits && i < columns.size(); ++i) fits = form->indkey.values[i] == columns[i];
        fits = fits && (!serves || serves(state, index));
        Oid id = RelationGetRelid(index);
        index_close(index, AccessShareLock);
        if (fits) return id;
    }
    return InvalidOid;
}

}  // namespace parity::backend
