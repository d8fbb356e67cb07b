#include "backend/values/object_names.h"

#include "backend/pg_compat.h"
#include "backend/values/text.h"

namespace parity::backend {
namespace {

/// A name in a schema; null where there is no such object.
const char* qualified(const char* name, Oid schema) {
    return name ? quote_qualified_identifier(get_namespace_name(schema), name) : nullptr;
}

/// The qualified name of what a system cache has under an OID; null where it has nothing.
template <typename Row>
const char* name_in_cache(int cache, Oid id, NameData Row::*name, Oid Row::*schema) {
    HeapTuple tuple = SearchSysCache1(cache, ObjectIdGetDatum(id));
    if (!HeapTupleIsValid(tuple)) return nullptr;
    auto* row = reinterpret_cast<Row*>(GETSTRUCT(tuple));
    const char* found = qualified(pstrdup(NameStr(row->*name)), row->*schema);
    ReleaseSysCache(tuple);
    return found;
}

const char* type_name(Oid id) {
    return name_in_cache(TYPEOID, id, &FormData_pg_type::typname, &FormData_pg_type::typnamespace);
}

/// The name of an argument's type; NONE for an operand that an operator does not have.
const char* argument_name(Oid type) {
    if (!OidIsValid(type)) return "NONE";
    const char* name = type_name(type);
    return name ? name : psprintf("%u", type);
}

const char* procedure_signature(Oid id) {
    const char* name = name_in_cache(PROCOID, id, &FormData_pg_proc::proname, &FormData_pg_proc::pronamespace);
    if (!name) return nullptr;
    Oid* types;
    int count;
    (void)get_func_signature(id, &types, &count);
    StringInfoData signature;
    initStringInfo(&signature);
    appendStringInfo(&signature, "%s(", name);
    for (int i = 0; i < count; ++i) appendStringInfo(&signature, "%s%s", i > 0 ? "," : "", argument_name(types[i]));
    appendStringInfoChar(&signature, ')');
    return signature.data;
}

/// Operators' names are not quoted.
const char* operator_name(Oid id, bool with_operands) {
    HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(id));
    if (!HeapTupleIsValid(tuple)) return nullptr;
    auto* row = reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
    const char* schema = get_namespace_name(row->oprnamespace);  // null where it was just dropped
    const char* name = psprintf("%s.%s", schema ? quote_identifier(schema) : "?", NameStr(row->oprname));
    if (with_operands) name = psprintf("%s(%s,%s)", name, argument_name(row->oprleft), argument_name(row->oprright));
    ReleaseSysCache(tuple);
    return name;
}

const char* quoted(const char* name) { return name ? quote_identifier(name) : nullptr; }

const char* object_name(Oid type, Oid id) {
    switch (type) {
        case REGCLASSOID:
            return name_in_cache(RELOID, id, &FormData_pg_class::relname, &FormData_pg_class::relnamespace);
        case REGTYPEOID:
            return type_name(id);
        case REGPROCOID:
            return name_in_cache(PROCOID, id, &FormData_pg_proc::proname, &FormData_pg_proc::pronamespace);
        case REGPROCEDUREOID:
            return procedure_signature(id);
        case REGOPEROID:
            return operator_name(id, false);
        case REGOPERATOROID:
            return operator_name(id, true);
        case REGCONFIGOID:
            return name_in_cache(TSCONFIGOID, id, &FormData_pg_ts_config::cfgname,
                                 &FormData_pg_ts_config::cfgnamespace);
        case REGDICTIONARYOID:
            return name_in_cache(TSDICTOID, id, &FormData_pg_ts_dict::dictname, &FormData_pg_ts_dict::dictnamespace);
        case REGCOLLATIONOID:
            return name_in_cache(COLLOID, id, &FormData_pg_collation::collname, &FormData_pg_collation::collnamespace);
        case REGROLEOID:
            return quoted(GetUserNameFromId(id, true));
        case REGNAMESPACEOID:
            return quoted(get_namespace_name(id));
        default:
            elog(ERROR, "unexpected object type %u", type);
    }
}

}  // namespace

void append_enum_label(Oid value, core::ByteSink& sink) {
    HeapTuple tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(value));
    if (!HeapTupleIsValid(tuple))
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("invalid internal value for enum: %u", value)));
    Form_pg_enum row = reinterpret_cast<Form_pg_enum>(GETSTRUCT(tuple));
    sink.append(server_text_to_utf8(core::as_bytes(NameStr(row->enumlabel))));
    ReleaseSysCache(tuple);
}

void append_object_name(Oid type, Oid value, core::ByteSink& sink) {
    const char* name = OidIsValid(value) ? object_name(type, value) : "-";
    sink.append(server_text_to_utf8(core::as_bytes(name ? name : psprintf("%u", value))));
}

}  // namespace parity::backend
