#include "backend/pg.h"

#include "backend/memory.h"
#include "backend/task/arguments.h"
#include "backend/task/key_choice.h"
#include "backend/values/type_forms.h"
#include "core/form.h"

/// The SQL functions that tell how a relation would be digested: forms() and key().

extern "C" {
PG_FUNCTION_INFO_V1(parity_forms);
PG_FUNCTION_INFO_V1(parity_key);
}

namespace parity::backend {
namespace {

Datum form_text(const char* name) { return PointerGetDatum(make_text(core::as_bytes(name))); }

/// The names [first, end) of a type's forms.
Datum form_array(const TypeForms& forms, int first, int end) {
    Datum names[kMaxForms];
    int count = 0;
    for (int i = first; i < end; ++i) names[count++] = form_text(forms.names[i]);
    return PointerGetDatum(construct_array(names, count, TEXTOID, -1, false, TYPALIGN_INT));
}

void put_column(Form_pg_attribute attribute, TupleDesc descriptor, Tuplestorestate* store) {
    TypeForms forms = forms_of_type(attribute->atttypid);
    bool comparable = forms.count > 0;
    char* type = format_type_with_typemod(attribute->atttypid, attribute->atttypmod);
    Datum values[6] = {NameGetDatum(&attribute->attname), CStringGetTextDatum(type)};
    bool nulls[6] = {};
    nulls[2] = !comparable;
    if (comparable) values[2] = form_text(forms.names[0]);
    values[3] = form_array(forms, 1, forms.first_lossy);
    values[4] = form_array(forms, forms.first_lossy, forms.count);
    nulls[5] = comparable;
    if (!comparable) values[5] = CStringGetTextDatum(psprintf("type %s has no form", type));
    tuplestore_putvalues(store, descriptor, values, nulls);
}

void require_columns(Relation relation) {
    char kind = relation->rd_rel->relkind;
    if (kind == RELKIND_INDEX || kind == RELKIND_PARTITIONED_INDEX || kind == RELKIND_SEQUENCE ||
        kind == RELKIND_TOASTVALUE || kind == RELKIND_COMPOSITE_TYPE)
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                        errmsg("\"%s\" is not a table, materialized view, view or foreign table",
                               RelationGetRelationName(relation))));
}

}  // namespace
}  // namespace parity::backend

using namespace parity::backend;

Datum parity_forms(PG_FUNCTION_ARGS) {
    Tuplestorestate* store;
    TupleDesc descriptor = begin_result(fcinfo, {1, 6}, &store);
    Relation relation = open_argument(PG_GETARG_OID(0));
    require_columns(relation);
    for (int i = 0; i < RelationGetDescr(relation)->natts; ++i) {
        Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), i);
        if (!attribute->attisdropped) put_column(attribute, descriptor, store);
    }
    relation_close(relation, AccessShareLock);
    return 0;
}

Datum parity_key(PG_FUNCTION_ARGS) {
    TupleDesc descriptor = result_descriptor(fcinfo, {1, 3});
    Relation relation = open_argument(PG_GETARG_OID(0));
    require_columns(relation);
    RelationKey key = find_key(relation);
    Datum names[INDEX_MAX_KEYS];
    for (std::size_t i = 0; i < key.columns.size(); ++i)
        names[i] = NameGetDatum(&TupleDescAttr(RelationGetDescr(relation), key.columns[i] - 1)->attname);
    ArrayType* columns =
        construct_array(names, static_cast<int>(key.columns.size()), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR);
    relation_close(relation, AccessShareLock);
    bool none = key.columns.empty();
    Datum values[3] = {PointerGetDatum(columns), BoolGetDatum(key.proven), ObjectIdGetDatum(key.index)};
    bool nulls[3] = {false, false, none};
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls)));
}
