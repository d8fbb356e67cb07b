#include "backend/values/type_rules.h"

#include "backend/pg_compat.h"

namespace parity::backend {
namespace {

using core::Form;

/// How values are read under the forms of core::kTypeForms, in its order.
constexpr TypeRule kRules[] = {
    {"bool", BOOLOID, Form::kBool, ReadMethod::kBool, true},
    {"int2", INT2OID, Form::kInt, ReadMethod::kInt16, true},
    {"int2", INT2OID, Form::kDecimal, ReadMethod::kInt16AsDecimal, true},
    {"int4", INT4OID, Form::kInt, ReadMethod::kInt32, true},
    {"int4", INT4OID, Form::kDecimal, ReadMethod::kInt32AsDecimal, true},
    {"int8", INT8OID, Form::kInt, ReadMethod::kInt64, true},
    {"int8", INT8OID, Form::kDecimal, ReadMethod::kInt64AsDecimal, true},
    {"oid", OIDOID, Form::kInt, ReadMethod::kOid, true},
    {"oid", OIDOID, Form::kDecimal, ReadMethod::kOidAsDecimal, true},
    {"numeric", NUMERICOID, Form::kDecimal, ReadMethod::kNumeric, true},
    {"float4", FLOAT4OID, Form::kFloat, ReadMethod::kFloat4, true},
    {"float4", FLOAT4OID, Form::kFloat4, ReadMethod::kFloat4, false},
    {"float8", FLOAT8OID, Form::kFloat, ReadMethod::kFloat8, true},
    {"float8", FLOAT8OID, Form::kFloat4, ReadMethod::kFloat8Rounded, false},
    {"text", TEXTOID, Form::kText, ReadMethod::kText, false},
    {"text", TEXTOID, Form::kTrimmed, ReadMethod::kBpchar, false},
    {"text", TEXTOID, Form::kUuid, ReadMethod::kTextAsUuid, false},
    {"text", TEXTOID, Form::kJson, ReadMethod::kJsonText, false},
    {"varchar", VARCHAROID, Form::kText, ReadMethod::kText, false},
    {"varchar", VARCHAROID, Form::kTrimmed, ReadMethod::kBpchar, false},
    {"varchar", VARCHAROID, Form::kUuid, ReadMethod::kTextAsUuid, false},
    {"varchar", VARCHAROID, Form::kJson, ReadMethod::kJsonText, false},
    {"bpchar", BPCHAROID, Form::kText, ReadMethod::kBpchar, false},
    {"bpchar", BPCHAROID, Form::kTrimmed, ReadMethod::kBpchar, false},
    {"bpchar", BPCHAROID, Form::kUuid, ReadMethod::kTextAsUuid, false},
    {"name", NAMEOID, Form::kText, ReadMethod::kName, false},
    {"bytea", BYTEAOID, Form::kBytes, ReadMethod::kBytea, true},
    {"uuid", UUIDOID, Form::kUuid, ReadMethod::kUuid, true},
    {"uuid", UUIDOID, Form::kText, ReadMethod::kUuidAsText, false},
    {"date", DATEOID, Form::kDate, ReadMethod::kDate, true},
    {"date", DATEOID, Form::kTimestamp, ReadMethod::kDateAsTimestamp, false},
    {"time", TIMEOID, Form::kTime, ReadMethod::kMicros, true},
    {"timetz", TIMETZOID, Form::kTimetz, ReadMethod::kTimetz, false},
    {"timestamp", TIMESTAMPOID, Form::kTimestamp, ReadMethod::kMicros, true},
    {"timestamp", TIMESTAMPOID, Form::kTimestamptz, ReadMethod::kTimestampInZone, false},
    {"timestamptz", TIMESTAMPTZOID, Form::kTimestamptz, ReadMethod::kMicros, true},
    {"timestamptz", TIMESTAMPTZOID, Form::kTimestamp, ReadMethod::kTimestamptzInZone, false},
    {"interval", INTERVALOID, Form::kInterval, ReadMethod::kInterval, false},
    {"json", JSONOID, Form::kText, ReadMethod::kText, false},
    {"json", JSONOID, Form::kJson, ReadMethod::kJsonText, false},
    {"jsonb", JSONBOID, Form::kJson, ReadMethod::kJsonb, false},
    {"jsonb", JSONBOID, Form::kJsonbRaw, ReadMethod::kJsonbRaw, false},
    {"bit", BITOID, Form::kBits, ReadMethod::kBits, false},
    {"varbit", VARBITOID, Form::kBits, ReadMethod::kBits, false},
    {"inet", INETOID, Form::kInet, ReadMethod::kInet, false},
    {"cidr", CIDROID, Form::kInet, ReadMethod::kInet, false},
    {"macaddr", MACADDROID, Form::kMacaddr, ReadMethod::kMacaddr, false},
    {"macaddr8", MACADDR8OID, Form::kMacaddr8, ReadMethod::kMacaddr8, false},
    {"money", MONEYOID, Form::kMoney, ReadMethod::kInt64, true},
    {"money", MONEYOID, Form::kDecimal, ReadMethod::kMoneyAsDecimal, false},
    {"point", POINTOID, Form::kPoint, ReadMethod::kPoint, false},
    {"line", LINEOID, Form::kLine, ReadMethod::kLine, false},
    {"lseg", LSEGOID, Form::kLseg, ReadMethod::kLseg, false},
    {"box", BOXOID, Form::kBox, ReadMethod::kBox, false},
    {"circle", CIRCLEOID, Form::kCircle, ReadMethod::kCircle, false},
    {"path", PATHOID, Form::kPath, ReadMethod::kPath, false},
    {"polygon", POLYGONOID, Form::kPolygon, ReadMethod::kPolygon, false},
    {"pg_lsn", PG_LSNOID, Form::kUnsigned, ReadMethod::kUint64, false},
    {"xid8", XID8OID, Form::kUnsigned, ReadMethod::kUint64, false},
    {"xid", XIDOID, Form::kUnsigned, ReadMethod::kUint32, false},
    {"cid", CIDOID, Form::kUnsigned, ReadMethod::kUint32, false},
    {"tid", TIDOID, Form::kTid, ReadMethod::kTid, false},
    {"pg_snapshot", PG_SNAPSHOTOID, Form::kSnapshot, ReadMethod::kSnapshot, false},
    {"txid_snapshot", TXID_SNAPSHOTOID, Form::kSnapshot, ReadMethod::kSnapshot, false},
    {"char", CHAROID, Form::kBytes, ReadMethod::kChar, false},
    {"xml", XMLOID, Form::kText, ReadMethod::kText, false},
    {"refcursor", REFCURSOROID, Form::kText, ReadMethod::kText, false},
    {"jsonpath", JSONPATHOID, Form::kText, ReadMethod::kOutput, false},
    {"aclitem", ACLITEMOID, Form::kText, ReadMethod::kOutput, false},
    {"regclass", REGCLASSOID, Form::kText, ReadMethod::kObjectName, false},
    {"regtype", REGTYPEOID, Form::kText, ReadMethod::kObjectName, false},
    {"regproc", REGPROCOID, Form::kText, ReadMethod::kObjectName, false},
    {"regprocedure", REGPROCEDUREOID, Form::kText, ReadMethod::kObjectName, false},
    {"regoper", REGOPEROID, Form::kText, ReadMethod::kObjectName, false},
    {"regoperator", REGOPERATOROID, Form::kText, ReadMethod::kObjectName, false},
    {"regrole", REGROLEOID, Form::kText, ReadMethod::kObjectName, false},
    {"regnamespace", REGNAMESPACEOID, Form::kText, ReadMethod::kObjectName, false},
    {"regconfig", REGCONFIGOID, Form::kText, ReadMethod::kObjectName, false},
    {"regdictionary", REGDICTIONARYOID, Form::kText, ReadMethod::kObjectName, false},
    {"regcollation", REGCOLLATIONOID, Form::kText, ReadMethod::kObjectName, false},
    {"tsvector", TSVECTOROID, Form::kTsvector, ReadMethod::kTsvector, false},
    {"tsquery", TSQUERYOID, Form::kTsquery, ReadMethod::kTsquery, false},
    {"citext", InvalidOid, Form::kText, ReadMethod::kText, false, "citext"},
    {"hstore", InvalidOid, Form::kHstore, ReadMethod::kHstore, false, "hstore"},
    {"ltree", InvalidOid, Form::kText, ReadMethod::kOutput, false, "ltree"},
    {"lquery", InvalidOid, Form::kText, ReadMethod::kOutput, false, "ltree"},
    {"ltxtquery", InvalidOid, Form::kText, ReadMethod::kOutput, false, "ltree"},
};
static_assert(core::covers_type_table(kRules, [](const core::TypeForm&) { return true; }));

constexpr TypeRule kEnumRule{"", InvalidOid, Form::kText, ReadMethod::kEnum, false};

/// The name of a type, without its schema.
const char* type_name_of(Oid type) {
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for type %u", type);
    const char* name = pstrdup(NameStr(reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple))->typname));
    ReleaseSysCache(tuple);
    return name;
}

/// Adds the rules of a type of an extension that comes with PostgreSQL: it has no fixed OID.
void add_extension_rules(Oid type, TypeRules& found) {
    Oid extension = getExtensionOfObject(TypeRelationId, type);
    if (!OidIsValid(extension)) return;
    const std::string_view extension_name = get_extension_name(extension), type_name = type_name_of(type);
    for (const TypeRule& rule : kRules)
        if (rule.extension == extension_name && rule.type == type_name) found.rules[found.count++] = &rule;
}

}  // namespace

TypeRules rules_of_type(Oid type) {
    TypeRules found{};
    for (const TypeRule& rule : kRules)
        if (rule.oid == type) found.rules[found.count++] = &rule;
    if (found.count > 0) return found;
    if (type_is_enum(type))
        found.rules[found.count++] = &kEnumRule;
    else if (type >= FirstNormalObjectId)
        add_extension_rules(type, found);
    return found;
}

bool is_lossy(const TypeRule& rule) {
    const core::TypeForm* known = core::find_type_form(rule.extension, rule.type, rule.form);
    return known && core::is_lossy(known->use);
}

bool can_fail(ReadMethod method) {
    switch (method) {
        case ReadMethod::kJsonText:
        case ReadMethod::kTextAsUuid:
        case ReadMethod::kDateAsTimestamp:
        case ReadMethod::kTimestampInZone:
        case ReadMethod::kTimestamptzInZone:
            return true;
        default:
            // conversions to UTF-8 meet characters that have no equivalent
            return GetDatabaseEncoding() != PG_UTF8 && GetDatabaseEncoding() != PG_SQL_ASCII;
    }
}

}  // namespace parity::backend
