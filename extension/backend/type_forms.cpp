#include "backend/type_forms.h"

#include "backend/canonical_json.h"
#include "backend/canonical_numeric.h"
#include "backend/canonical_text.h"
#include "backend/memory.h"
#include "core/decimal.h"
#include "core/order.h"

namespace parity::backend {
namespace {

using core::Form;

constexpr std::uint64_t kCanonicalNan = 0x7FF8000000000000;

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
};

constexpr TypeRule kEnumRule{InvalidOid, Form::kText, Reader::kEnum, false};

/// Calls `visit(rule)` for each rule of a base type that is no array, until it gives true.
template <typename Visit>
void for_each_rule(Oid type, Visit visit) {
    for (const TypeRule& rule : kRules)
        if (rule.type == type && visit(rule)) return;
    if (type_is_enum(type)) visit(kEnumRule);
}

template <typename T>
core::ByteView fixed_value(Scratch& scratch, T value) {
    core::store_le(scratch.fixed, value);
    return {scratch.fixed, sizeof value};
}

core::ByteView integer_as_decimal(Scratch& scratch, std::int64_t value) {
    scratch.sink.clear();
    core::append_decimal(scratch.sink, value);
    return scratch.sink.view();
}

core::ByteView float_bytes(Scratch& scratch, double value) {
    if (isnan(value)) return fixed_value(scratch, kCanonicalNan);
    return fixed_value(scratch, core::bits_of_double(value == 0 ? 0.0 : value));
}

core::ByteView varlena_bytes(Datum value) {
    struct varlena* stored = PG_DETOAST_DATUM_PACKED(value);
    return {reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(stored)), VARSIZE_ANY_EXHDR(stored)};
}

core::ByteView timetz_bytes(Scratch& scratch, const TimeTzADT* value) {
    core::store_le(scratch.fixed, value->time);
    core::store_le(scratch.fixed + 8, value->zone);
    return {scratch.fixed, 12};
}

core::ByteView interval_bytes(Scratch& scratch, const Interval* value) {
    core::store_le(scratch.fixed, value->time);
    core::store_le(scratch.fixed + 8, value->day);
    core::store_le(scratch.fixed + 12, value->month);
    return {scratch.fixed, 16};
}

core::ByteView array_bytes(const ColumnReader& column, Datum value, Scratch& scratch) {
    ArrayType* array = DatumGetArrayTypeP(value);
    ColumnReader element{core::element_of(column.form), column.element_reader, Reader::kArray, InvalidOid, 0, false, 0};
    Scratch inner{{}, scratch.element, {}};
    Datum* values;
    bool* nulls;
    int count;
    deconstruct_array(array, column.element_type, column.element_length, column.element_by_value, column.element_align,
                      &values, &nulls, &count);
    core::ByteSink& sink = scratch.sink;
    sink.clear();
    core::append_le(sink, static_cast<std::uint32_t>(ARR_NDIM(array)));
    for (int i = 0; i < ARR_NDIM(array); ++i) {
        core::append_le(sink, static_cast<std::uint32_t>(ARR_DIMS(array)[i]));
        core::append_le(sink, static_cast<std::int32_t>(ARR_LBOUND(array)[i]));
    }
    for (int i = 0; i < count; ++i) {
        CHECK_FOR_INTERRUPTS();
        if (nulls[i])
            core::append_null_frame(sink);
        else
            core::append_frame(sink, element.form, canonical_bytes(element, values[i], inner));
    }
    scratch.element = inner.sink;  // it may have moved as it grew
    return sink.view();
}

}  // namespace

Scratch make_scratch(MemoryContext context) { return {{}, make_sink(context), make_sink(context)}; }

int forms_of_type(Oid type, Form (&forms)[kMaxForms]) {
    Oid base = getBaseType(type);
    Oid element = get_element_type(base);
    int count = 0;
    for_each_rule(OidIsValid(element) ? getBaseType(element) : base, [&](const TypeRule& rule) {
        forms[count++] = OidIsValid(element) ? core::array_of(rule.form) : rule.form;
        return false;
    });
    return count;
}

std::optional<ColumnReader> find_reader(Oid type, Form form) {
    std::optional<ColumnReader> found;
    Oid base = getBaseType(type);
    Oid element = get_element_type(base);
    if (core::is_array(form) != OidIsValid(element)) return found;
    Form wanted = core::is_array(form) ? core::element_of(form) : form;
    for_each_rule(OidIsValid(element) ? getBaseType(element) : base, [&](const TypeRule& rule) {
        if (rule.form != wanted) return false;
        found = ColumnReader{form, rule.reader, rule.reader, element, 0, false, 0};
        return true;
    });
    if (found && OidIsValid(element)) {
        found->reader = Reader::kArray;
        get_typlenbyvalalign(element, &found->element_length, &found->element_by_value, &found->element_align);
    }
    return found;
}

core::ByteView canonical_bytes(const ColumnReader& column, Datum value, Scratch& scratch) {
    switch (column.reader) {
        case Reader::kBool:
            return fixed_value(scratch, static_cast<std::uint8_t>(DatumGetBool(value)));
        case Reader::kInt16:
            return fixed_value(scratch, std::int64_t{DatumGetInt16(value)});
        case Reader::kInt32:
            return fixed_value(scratch, std::int64_t{DatumGetInt32(value)});
        case Reader::kInt64:
            return fixed_value(scratch, std::int64_t{DatumGetInt64(value)});
        case Reader::kOid:
            return fixed_value(scratch, std::int64_t{DatumGetObjectId(value)});
        case Reader::kInt16AsDecimal:
            return integer_as_decimal(scratch, DatumGetInt16(value));
        case Reader::kInt32AsDecimal:
            return integer_as_decimal(scratch, DatumGetInt32(value));
        case Reader::kInt64AsDecimal:
            return integer_as_decimal(scratch, DatumGetInt64(value));
        case Reader::kOidAsDecimal:
            return integer_as_decimal(scratch, DatumGetObjectId(value));
        case Reader::kNumeric:
            scratch.sink.clear();
            append_numeric(scratch.sink, varlena_bytes(value));
            return scratch.sink.view();
        case Reader::kFloat4:
            return float_bytes(scratch, DatumGetFloat4(value));
        case Reader::kFloat8:
            return float_bytes(scratch, DatumGetFloat8(value));
        case Reader::kText:
            return server_text_to_utf8(varlena_bytes(value));
        case Reader::kBpchar:
            return server_text_to_utf8(without_trailing_blanks(varlena_bytes(value)));
        case Reader::kName:
            return server_text_to_utf8(core::as_bytes(NameStr(*DatumGetName(value))));
        case Reader::kEnum:
            return enum_label(DatumGetObjectId(value), scratch.sink);
        case Reader::kBytea:
            return varlena_bytes(value);
        case Reader::kUuid:
            return {DatumGetUUIDP(value)->data, UUID_LEN};
        case Reader::kDate:
            return fixed_value(scratch, std::int32_t{DatumGetDateADT(value)});
        case Reader::kMicros:
            return fixed_value(scratch, std::int64_t{DatumGetInt64(value)});
        case Reader::kTimetz:
            return timetz_bytes(scratch, DatumGetTimeTzADTP(value));
        case Reader::kInterval:
            return interval_bytes(scratch, DatumGetIntervalP(value));
        case Reader::kJsonText:
            return json_text_bytes(value, scratch.sink);
        case Reader::kJsonb:
            return jsonb_bytes(DatumGetJsonbP(value), scratch.sink);
        case Reader::kJsonbRaw:
            return varlena_bytes(value);
        case Reader::kArray:
            return array_bytes(column, value, scratch);
    }
    return {};
}

bool is_natively_ordered(Oid type, Form form, Oid collation) {
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
