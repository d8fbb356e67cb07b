#include "backend/values/type_rules.h"

#include "backend/pg_compat.h"

namespace parity::backend {
namespace {

using core::Form;

/// A type's first rule is its default, its lossy ones come last.
constexpr TypeRule kRules[] = {
    {BOOLOID, Form::kBool, Reader::kBool, true},
    {INT2OID, Form::kInt, Reader::kInt16, true},
    {INT2OID, Form::kDecimal, Reader::kInt16AsDecimal, true},
    {INT4OID, Form::kInt, Reader::kInt32, true},
    {INT4OID, Form::kDecimal, Reader::kInt32AsDecimal, true},
    {INT8OID, Form::kInt, Reader::kInt64, true},
    {INT8OID, Form::kDecimal, Reader::kInt64AsDecimal, true},
    {OIDOID, Form::kInt, Reader::kOid, true},
    {OIDOID, Form::kDecimal, Reader::kOidAsDecimal, true},
    {NUMERICOID, Form::kDecimal, Reader::kNumeric, true},
    {FLOAT4OID, Form::kFloat, Reader::kFloat4, true},
    {FLOAT4OID, Form::kFloat4, Reader::kFloat4, false},
    {FLOAT8OID, Form::kFloat, Reader::kFloat8, true},
    {FLOAT8OID, Form::kFloat4, Reader::kFloat8Rounded, false, Offer::kLossy},
    {TEXTOID, Form::kText, Reader::kText, false},
    {TEXTOID, Form::kTrimmed, Reader::kBpchar, false, Offer::kLossy},
    {TEXTOID, Form::kUuid, Reader::kTextAsUuid, false, Offer::kLossy},
    {TEXTOID, Form::kJson, Reader::kJsonText, false, Offer::kLossy},
    {VARCHAROID, Form::kText, Reader::kText, false},
    {VARCHAROID, Form::kTrimmed, Reader::kBpchar, false, Offer::kLossy},
    {VARCHAROID, Form::kUuid, Reader::kTextAsUuid, false, Offer::kLossy},
    {VARCHAROID, Form::kJson, Reader::kJsonText, false, Offer::kLossy},
    {BPCHAROID, Form::kText, Reader::kBpchar, false},
    {BPCHAROID, Form::kTrimmed, Reader::kBpchar, false},
    {BPCHAROID, Form::kUuid, Reader::kTextAsUuid, false, Offer::kLossy},
    {NAMEOID, Form::kText, Reader::kName, false},
    {BYTEAOID, Form::kBytes, Reader::kBytea, true},
    {UUIDOID, Form::kUuid, Reader::kUuid, true},
    {UUIDOID, Form::kText, Reader::kUuidAsText, false},
    {DATEOID, Form::kDate, Reader::kDate, true},
    {DATEOID, Form::kTimestamp, Reader::kDateAsTimestamp, false},
    {TIMEOID, Form::kTime, Reader::kMicros, true},
    {TIMETZOID, Form::kTimetz, Reader::kTimetz, false},
    {TIMESTAMPOID, Form::kTimestamp, Reader::kMicros, true},
    {TIMESTAMPOID, Form::kTimestamptz, Reader::kTimestampInZone, false, Offer::kLossy},
    {TIMESTAMPTZOID, Form::kTimestamptz, Reader::kMicros, true},
    {TIMESTAMPTZOID, Form::kTimestamp, Reader::kTimestamptzInZone, false, Offer::kLossy},
    {INTERVALOID, Form::kInterval, Reader::kInterval, false},
    {JSONOID, Form::kText, Reader::kText, false},
    {JSONOID, Form::kJson, Reader::kJsonText, false},
    {JSONBOID, Form::kJson, Reader::kJsonb, false},
    {JSONBOID, Form::kJsonbRaw, Reader::kJsonbRaw, false},
    {BITOID, Form::kBits, Reader::kBits, false},
    {VARBITOID, Form::kBits, Reader::kBits, false},
    {INETOID, Form::kInet, Reader::kInet, false},
    {CIDROID, Form::kInet, Reader::kInet, false},
    {MACADDROID, Form::kMacaddr, Reader::kMacaddr, false},
    {MACADDR8OID, Form::kMacaddr8, Reader::kMacaddr8, false},
    {MONEYOID, Form::kMoney, Reader::kInt64, true},
    {MONEYOID, Form::kDecimal, Reader::kMoneyAsDecimal, false},
    {POINTOID, Form::kPoint, Reader::kPoint, false},
    {LINEOID, Form::kLine, Reader::kLine, false},
    {LSEGOID, Form::kLseg, Reader::kLseg, false},
    {BOXOID, Form::kBox, Reader::kBox, false},
    {CIRCLEOID, Form::kCircle, Reader::kCircle, false},
    {PATHOID, Form::kPath, Reader::kPath, false},
    {POLYGONOID, Form::kPolygon, Reader::kPolygon, false},
    {PG_LSNOID, Form::kUnsigned, Reader::kUint64, false},
    {XID8OID, Form::kUnsigned, Reader::kUint64, false},
    {XIDOID, Form::kUnsigned, Reader::kUint32, false},
    {CIDOID, Form::kUnsigned, Reader::kUint32, false},
    {TIDOID, Form::kTid, Reader::kTid, false},
    {PG_SNAPSHOTOID, Form::kSnapshot, Reader::kSnapshot, false},
    {TXID_SNAPSHOTOID, Form::kSnapshot, Reader::kSnapshot, false},
    {CHAROID, Form::kBytes, Reader::kChar, false},
    {XMLOID, Form::kText, Reader::kText, false},
    {REFCURSOROID, Form::kText, Reader::kText, false},
    {JSONPATHOID, Form::kText, Reader::kOutput, false},
    {ACLITEMOID, Form::kText, Reader::kOutput, false},
    {REGCLASSOID, Form::kText, Reader::kObjectName, false},
    {REGTYPEOID, Form::kText, Reader::kObjectName, false},
    {REGPROCOID, Form::kText, Reader::kObjectName, false},
    {REGPROCEDUREOID, Form::kText, Reader::kObjectName, false},
    {REGOPEROID, Form::kText, Reader::kObjectName, false},
    {REGOPERATOROID, Form::kText, Reader::kObjectName, false},
    {REGROLEOID, Form::kText, Reader::kObjectName, false},
    {REGNAMESPACEOID, Form::kText, Reader::kObjectName, false},
    {REGCONFIGOID, Form::kText, Reader::kObjectName, false},
    {REGDICTIONARYOID, Form::kText, Reader::kObjectName, false},
    {REGCOLLATIONOID, Form::kText, Reader::kObjectName, false},
    {TSVECTOROID, Form::kTsvector, Reader::kTsvector, false},
    {TSQUERYOID, Form::kTsquery, Reader::kTsquery, false},
};

constexpr TypeRule kEnumRule{InvalidOid, Form::kText, Reader::kEnum, false};

/// A type of an extension that comes with PostgreSQL. It has no fixed OID.
struct ExtensionRule {
    const char* extension;
    const char* type;
    TypeRule rule;
};

constexpr ExtensionRule kExtensionRules[] = {
    {"citext", "citext", {InvalidOid, Form::kText, Reader::kText, false}},
    {"hstore", "hstore", {InvalidOid, Form::kHstore, Reader::kHstore, false}},
    {"ltree", "ltree", {InvalidOid, Form::kText, Reader::kOutput, false}},
    {"ltree", "lquery", {InvalidOid, Form::kText, Reader::kOutput, false}},
    {"ltree", "ltxtquery", {InvalidOid, Form::kText, Reader::kOutput, false}},
};

/// The name of a type, without its schema.
const char* type_name_of(Oid type) {
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for type %u", type);
    const char* name = pstrdup(NameStr(reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple))->typname));
    ReleaseSysCache(tuple);
    return name;
}

const TypeRule* extension_rule(Oid type) {
    Oid extension = getExtensionOfObject(TypeRelationId, type);
    if (!OidIsValid(extension)) return nullptr;
    const char* extension_name = get_extension_name(extension);
    const char* type_name = type_name_of(type);
    for (const ExtensionRule& known : kExtensionRules)
        if (strcmp(known.extension, extension_name) == 0 && strcmp(known.type, type_name) == 0) return &known.rule;
    return nullptr;
}

}  // namespace

TypeRules rules_of_type(Oid type) {
    TypeRules found{};
    for (const TypeRule& rule : kRules)
        if (rule.type == type) found.rules[found.count++] = &rule;
    if (found.count > 0) return found;
    const TypeRule* rule = type_is_enum(type) ? &kEnumRule : nullptr;
    if (!rule && type >= FirstNormalObjectId) rule = extension_rule(type);
    if (rule) found.rules[found.count++] = rule;
    return found;
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
