#include "backend/values/type_rules.h"

#include "backend/pg_compat.h"

namespace parity::backend {
namespace {

using core::Form;

/// How values are read under the forms of core::kTypeForms, in its order.
constexpr TypeRule kRules[] = {
    {"bool", BOOLOID, Form::kBool, Reader::kBool, true},
    {"int2", INT2OID, Form::kInt, Reader::kInt16, true},
    {"int2", INT2OID, Form::kDecimal, Reader::kInt16AsDecimal, true},
    {"int4", INT4OID, Form::kInt, Reader::kInt32, true},
    {"int4", INT4OID, Form::kDecimal, Reader::kInt32AsDecimal, true},
    {"int8", INT8OID, Form::kInt, Reader::kInt64, true},
    {"int8", INT8OID, Form::kDecimal, Reader::kInt64AsDecimal, true},
    {"oid", OIDOID, Form::kInt, Reader::kOid, true},
    {"oid", OIDOID, Form::kDecimal, Reader::kOidAsDecimal, true},
    {"numeric", NUMERICOID, Form::kDecimal, Reader::kNumeric, true},
    {"float4", FLOAT4OID, Form::kFloat, Reader::kFloat4, true},
    {"float4", FLOAT4OID, Form::kFloat4, Reader::kFloat4, false},
    {"float8", FLOAT8OID, Form::kFloat, Reader::kFloat8, true},
    {"float8", FLOAT8OID, Form::kFloat4, Reader::kFloat8Rounded, false},
    {"text", TEXTOID, Form::kText, Reader::kText, false},
    {"text", TEXTOID, Form::kTrimmed, Reader::kBpchar, false},
    {"text", TEXTOID, Form::kUuid, Reader::kTextAsUuid, false},
    {"text", TEXTOID, Form::kJson, Reader::kJsonText, false},
    {"varchar", VARCHAROID, Form::kText, Reader::kText, false},
    {"varchar", VARCHAROID, Form::kTrimmed, Reader::kBpchar, false},
    {"varchar", VARCHAROID, Form::kUuid, Reader::kTextAsUuid, false},
    {"varchar", VARCHAROID, Form::kJson, Reader::kJsonText, false},
    {"bpchar", BPCHAROID, Form::kText, Reader::kBpchar, false},
    {"bpchar", BPCHAROID, Form::kTrimmed, Reader::kBpchar, false},
    {"bpchar", BPCHAROID, Form::kUuid, Reader::kTextAsUuid, false},
    {"name", NAMEOID, Form::kText, Reader::kName, false},
    {"bytea", BYTEAOID, Form::kBytes, Reader::kBytea, true},
    {"uuid", UUIDOID, Form::kUuid, Reader::kUuid, true},
    {"uuid", UUIDOID, Form::kText, Reader::kUuidAsText, false},
    {"date", DATEOID, Form::kDate, Reader::kDate, true},
    {"date", DATEOID, Form::kTimestamp, Reader::kDateAsTimestamp, false},
    {"time", TIMEOID, Form::kTime, Reader::kMicros, true},
    {"timetz", TIMETZOID, Form::kTimetz, Reader::kTimetz, false},
    {"timestamp", TIMESTAMPOID, Form::kTimestamp, Reader::kMicros, true},
    {"timestamp", TIMESTAMPOID, Form::kTimestamptz, Reader::kTimestampInZone, false},
    {"timestamptz", TIMESTAMPTZOID, Form::kTimestamptz, Reader::kMicros, true},
    {"timestamptz", TIMESTAMPTZOID, Form::kTimestamp, Reader::kTimestamptzInZone, false},
    {"interval", INTERVALOID, Form::kInterval, Reader::kInterval, false},
    {"json", JSONOID, Form::kText, Reader::kText, false},
    {"json", JSONOID, Form::kJson, Reader::kJsonText, false},
    {"jsonb", JSONBOID, Form::kJson, Reader::kJsonb, false},
    {"jsonb", JSONBOID, Form::kJsonbRaw, Reader::kJsonbRaw, false},
    {"bit", BITOID, Form::kBits, Reader::kBits, false},
    {"varbit", VARBITOID, Form::kBits, Reader::kBits, false},
    {"inet", INETOID, Form::kInet, Reader::kInet, false},
    {"cidr", CIDROID, Form::kInet, Reader::kInet, false},
    {"macaddr", MACADDROID, Form::kMacaddr, Reader::kMacaddr, false},
    {"macaddr8", MACADDR8OID, Form::kMacaddr8, Reader::kMacaddr8, false},
    {"money", MONEYOID, Form::kMoney, Reader::kInt64, true},
    {"money", MONEYOID, Form::kDecimal, Reader::kMoneyAsDecimal, false},
    {"point", POINTOID, Form::kPoint, Reader::kPoint, false},
    {"line", LINEOID, Form::kLine, Reader::kLine, false},
    {"lseg", LSEGOID, Form::kLseg, Reader::kLseg, false},
    {"box", BOXOID, Form::kBox, Reader::kBox, false},
    {"circle", CIRCLEOID, Form::kCircle, Reader::kCircle, false},
    {"path", PATHOID, Form::kPath, Reader::kPath, false},
    {"polygon", POLYGONOID, Form::kPolygon, Reader::kPolygon, false},
    {"pg_lsn", PG_LSNOID, Form::kUnsigned, Reader::kUint64, false},
    {"xid8", XID8OID, Form::kUnsigned, Reader::kUint64, false},
    {"xid", XIDOID, Form::kUnsigned, Reader::kUint32, false},
    {"cid", CIDOID, Form::kUnsigned, Reader::kUint32, false},
    {"tid", TIDOID, Form::kTid, Reader::kTid, false},
    {"pg_snapshot", PG_SNAPSHOTOID, Form::kSnapshot, Reader::kSnapshot, false},
    {"txid_snapshot", TXID_SNAPSHOTOID, Form::kSnapshot, Reader::kSnapshot, false},
    {"char", CHAROID, Form::kBytes, Reader::kChar, false},
    {"xml", XMLOID, Form::kText, Reader::kText, false},
    {"refcursor", REFCURSOROID, Form::kText, Reader::kText, false},
    {"jsonpath", JSONPATHOID, Form::kText, Reader::kOutput, false},
    {"aclitem", ACLITEMOID, Form::kText, Reader::kOutput, false},
    {"regclass", REGCLASSOID, Form::kText, Reader::kObjectName, false},
    {"regtype", REGTYPEOID, Form::kText, Reader::kObjectName, false},
    {"regproc", REGPROCOID, Form::kText, Reader::kObjectName, false},
    {"regprocedure", REGPROCEDUREOID, Form::kText, Reader::kObjectName, false},
    {"regoper", REGOPEROID, Form::kText, Reader::kObjectName, false},
    {"regoperator", REGOPERATOROID, Form::kText, Reader::kObjectName, false},
    {"regrole", REGROLEOID, Form::kText, Reader::kObjectName, false},
    {"regnamespace", REGNAMESPACEOID, Form::kText, Reader::kObjectName, false},
    {"regconfig", REGCONFIGOID, Form::kText, Reader::kObjectName, false},
    {"regdictionary", REGDICTIONARYOID, Form::kText, Reader::kObjectName, false},
    {"regcollation", REGCOLLATIONOID, Form::kText, Reader::kObjectName, false},
    {"tsvector", TSVECTOROID, Form::kTsvector, Reader::kTsvector, false},
    {"tsquery", TSQUERYOID, Form::kTsquery, Reader::kTsquery, false},
    {"citext", InvalidOid, Form::kText, Reader::kText, false, "citext"},
    {"hstore", InvalidOid, Form::kHstore, Reader::kHstore, false, "hstore"},
    {"ltree", InvalidOid, Form::kText, Reader::kOutput, false, "ltree"},
    {"lquery", InvalidOid, Form::kText, Reader::kOutput, false, "ltree"},
    {"ltxtquery", InvalidOid, Form::kText, Reader::kOutput, false, "ltree"},
};
static_assert(core::covers_type_table(kRules, [](const core::TypeForm&) { return true; }));

constexpr TypeRule kEnumRule{"", InvalidOid, Form::kText, Reader::kEnum, false};

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

bool can_fail(Reader reader) {
    switch (reader) {
        case Reader::kJsonText:
        case Reader::kTextAsUuid:
        case Reader::kDateAsTimestamp:
        case Reader::kTimestampInZone:
        case Reader::kTimestamptzInZone:
            return true;
        default:
            // conversions to UTF-8 meet characters that have no equivalent
            return GetDatabaseEncoding() != PG_UTF8 && GetDatabaseEncoding() != PG_SQL_ASCII;
    }
}

}  // namespace parity::backend
