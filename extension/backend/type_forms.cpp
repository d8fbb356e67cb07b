#include "backend/type_forms.h"

#include <algorithm>

#include "backend/canonical_text.h"
#include "backend/memory.h"
#include "backend/pg_compat.h"

namespace parity::backend {
namespace {

using core::Form;

struct TypeRule {
    Oid type;
    Form form;
    Reader reader;
    bool native_order;  ///< the default B-tree order is the form's
};

/// A type's first rule is its default.
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
    {FLOAT8OID, Form::kFloat, Reader::kFloat8, true},
    {TEXTOID, Form::kText, Reader::kText, false},
    {VARCHAROID, Form::kText, Reader::kText, false},
    {BPCHAROID, Form::kText, Reader::kBpchar, false},
    {NAMEOID, Form::kText, Reader::kName, false},
    {BYTEAOID, Form::kBytes, Reader::kBytea, true},
    {UUIDOID, Form::kUuid, Reader::kUuid, true},
    {DATEOID, Form::kDate, Reader::kDate, true},
    {TIMEOID, Form::kTime, Reader::kMicros, true},
    {TIMETZOID, Form::kTimetz, Reader::kTimetz, false},
    {TIMESTAMPOID, Form::kTimestamp, Reader::kMicros, true},
    {TIMESTAMPTZOID, Form::kTimestamptz, Reader::kMicros, true},
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

/// Calls `visit(rule)` for each rule of a base type that is made of no others, until it gives true.
template <typename Visit>
void for_each_rule(Oid type, Visit visit) {
    bool found = false;
    for (const TypeRule& rule : kRules) {
        if (rule.type != type) continue;
        found = true;
        if (visit(rule)) return;
    }
    if (found) return;
    if (type_is_enum(type))
        visit(kEnumRule);
    else if (const TypeRule* rule = type >= FirstNormalObjectId ? extension_rule(type) : nullptr)
        visit(*rule);
}

/// Which form of a type is wanted: a name, or the n-th that it has.
struct Wish {
    std::optional<std::string_view> name;
    int number = 0;

    /// The wish for what stands between `before` and `after` in the name, which must be there.
    std::optional<Wish> inside(std::string_view before, std::string_view after) const {
        if (!name) return *this;
        if (name->size() < before.size() + after.size() || !name->starts_with(before) || !name->ends_with(after))
            return std::nullopt;
        std::string_view inner = *name;
        inner.remove_prefix(before.size());
        inner.remove_suffix(after.size());
        return Wish{inner, 0};
    }
};

std::optional<ColumnReader> make_reader(Oid type, const Wish& wish);

NestedReader* make_nested(Oid type) {
    NestedReader* nested = allocate_array<NestedReader>(CurrentMemoryContext, 1);
    nested->type = type;
    return nested;
}

std::optional<ColumnReader> make_simple_reader(Oid type, const Wish& wish) {
    std::optional<ColumnReader> found;
    int number = 0;
    for_each_rule(type, [&](const TypeRule& rule) {
        std::string_view name = core::form_name(rule.form);
        if (wish.name ? *wish.name != name : number++ != wish.number) return false;
        found = ColumnReader{rule.form, rule.reader, name.data(), nullptr};
        return true;
    });
    if (!found || (found->reader != Reader::kOutput && found->reader != Reader::kObjectName)) return found;
    NestedReader* nested = make_nested(type);
    if (found->reader == Reader::kOutput) {
        Oid function;
        bool varlena;
        getTypeOutputInfo(type, &function, &varlena);
        fmgr_info(function, &nested->output);
    }
    found->nested = nested;
    return found;
}

std::optional<ColumnReader> make_array_reader(Oid type, Oid element, const Wish& wish) {
    std::optional<Wish> inner = wish.inside("", "[]");
    if (!inner) return std::nullopt;
    NestedReader* nested = make_nested(type);
    std::optional<ColumnReader> reader = make_reader(element, *inner);
    if (!reader || core::is_array(reader->form)) return std::nullopt;  // a form is an array of something once
    nested->element = *reader;
    get_typlenbyvalalign(element, &nested->element_length, &nested->element_by_value, &nested->element_align);
    return ColumnReader{core::array_of(reader->form), Reader::kArray, psprintf("%s[]", reader->name), nested};
}

std::optional<ColumnReader> make_range_reader(Oid type, const Wish& wish) {
    std::optional<Wish> inner = wish.inside("range<", ">");
    if (!inner) return std::nullopt;
    NestedReader* nested = make_nested(type);
    nested->range = lookup_type_cache(type, TYPECACHE_RANGE_INFO);
    std::optional<ColumnReader> reader = make_reader(nested->range->rngelemtype->type_id, *inner);
    if (!reader) return std::nullopt;
    nested->element = *reader;
    return ColumnReader{Form::kRange, Reader::kRange, psprintf("range<%s>", reader->name), nested};
}

std::optional<ColumnReader> make_multirange_reader(Oid type, const Wish& wish) {
    std::optional<Wish> inner = wish.inside("multirange<", ">");
    if (!inner) return std::nullopt;
    NestedReader* nested = make_nested(type);
    nested->range = multirange_range_type(type);
    std::optional<ColumnReader> reader = make_reader(nested->range->rngelemtype->type_id, *inner);
    if (!reader) return std::nullopt;
    nested->element = *reader;
    return ColumnReader{Form::kMultirange, Reader::kMultirange, psprintf("multirange<%s>", reader->name), nested};
}

bool is_plain_name(core::ByteView name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](std::uint8_t c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

void append_attribute_name(StringInfo name, core::ByteView attribute) {
    bool quoted = !is_plain_name(attribute);
    if (quoted) appendStringInfoChar(name, '"');
    for (std::uint8_t c : attribute) {
        if (c == '"') appendStringInfoChar(name, '"');
        appendStringInfoChar(name, static_cast<char>(c));
    }
    if (quoted) appendStringInfoChar(name, '"');
}

/// The attributes under their default forms, by name; nothing where one of them has no form.
std::optional<std::span<const AttributeReader>> make_attributes(TupleDesc record) {
    auto* attributes =
        allocate_array<AttributeReader>(CurrentMemoryContext, static_cast<std::size_t>(record->natts) + 1);
    std::size_t count = 0;
    for (int i = 0; i < record->natts; ++i) {
        Form_pg_attribute attribute = TupleDescAttr(record, i);
        if (attribute->attisdropped) continue;
        std::optional<ColumnReader> reader = make_reader(attribute->atttypid, {});
        if (!reader) return std::nullopt;
        core::ByteView name = server_text_to_utf8(core::as_bytes(pstrdup(NameStr(attribute->attname))));
        attributes[count++] = {i, name, *reader};
    }
    std::sort(attributes, attributes + count, [](const AttributeReader& a, const AttributeReader& b) {
        return std::lexicographical_compare(a.name.begin(), a.name.end(), b.name.begin(), b.name.end());
    });
    return std::span<const AttributeReader>(attributes, count);
}

std::optional<ColumnReader> make_record_reader(Oid type, const Wish& wish) {
    if (!wish.name && wish.number > 0) return std::nullopt;
    TupleDesc shared = lookup_rowtype_tupdesc(type, -1);
    NestedReader* nested = make_nested(type);
    nested->record = CreateTupleDescCopy(shared);
    ReleaseTupleDesc(shared);
    std::optional<std::span<const AttributeReader>> attributes = make_attributes(nested->record);
    if (!attributes) return std::nullopt;
    nested->attributes = *attributes;
    StringInfoData name;
    initStringInfo(&name);
    appendStringInfoString(&name, "record<");
    for (const AttributeReader& attribute : nested->attributes) {
        if (&attribute != nested->attributes.data()) appendStringInfoChar(&name, ',');
        append_attribute_name(&name, attribute.name);
        appendStringInfo(&name, ":%s", attribute.reader.name);
    }
    appendStringInfoChar(&name, '>');
    if (wish.name && *wish.name != std::string_view(name.data, static_cast<std::size_t>(name.len))) return std::nullopt;
    return ColumnReader{Form::kRecord, Reader::kRecord, name.data, nested};
}

/// The element type of a true array, or of one of the two array types that are not.
Oid array_element(Oid type) {
    if (type == INT2VECTOROID) return INT2OID;
    if (type == OIDVECTOROID) return OIDOID;
    return get_element_type(type);
}

std::optional<ColumnReader> make_reader(Oid type, const Wish& wish) {
    check_stack_depth();
    Oid base = getBaseType(type);
    if (Oid element = array_element(base); OidIsValid(element)) return make_array_reader(base, element, wish);
    switch (get_typtype(base)) {
        case TYPTYPE_RANGE:
            return make_range_reader(base, wish);
        case kMultirangeTypeKind:
            return make_multirange_reader(base, wish);
        case TYPTYPE_COMPOSITE:
            return make_record_reader(base, wish);
        default:
            return make_simple_reader(base, wish);
    }
}

}  // namespace

int forms_of_type(Oid type, const char* (&names)[kMaxForms]) {
    int count = 0;
    while (count < kMaxForms) {
        std::optional<ColumnReader> reader = make_reader(type, {std::nullopt, count});
        if (!reader) break;
        names[count++] = reader->name;
    }
    return count;
}

std::optional<ColumnReader> default_reader(Oid type) { return make_reader(type, {}); }

std::optional<ColumnReader> find_reader(Oid type, std::string_view form_name) {
    return make_reader(type, {form_name, 0});
}

bool is_natively_ordered(Oid type, core::Form form, Oid collation) {
    Oid base = getBaseType(type);
    if (form == Form::kText) {
        bool byte_order = collation == C_COLLATION_OID && GetDatabaseEncoding() == PG_UTF8;
        return byte_order && (base == TEXTOID || base == VARCHAROID);
    }
    bool native = false;
    for_each_rule(base, [&](const TypeRule& rule) {
        native = rule.native_order;
        return rule.form == form;
    });
    return native;
}

}  // namespace parity::backend
