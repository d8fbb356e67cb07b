#include "backend/query/key_condition.h"

#include <algorithm>

#include "backend/memory.h"
#include "backend/pg_compat.h"
#include "backend/task/key_choice.h"
#include "backend/values/double_text.h"
#include "core/decimal.h"
#include "core/order.h"
#include "core/render.h"

namespace parity::backend {
namespace {

/// A type whose canonical values under one form can be given to SQL as values of `parameter`: every one of them fits,
/// and SQL's comparisons agree with the form's.
struct ParameterRule {
    Oid type;
    core::Form form;
    Oid parameter;
};

constexpr ParameterRule kParameterRules[] = {
    {INT2OID, core::Form::kInt, INT8OID},
    {INT4OID, core::Form::kInt, INT8OID},
    {INT8OID, core::Form::kInt, INT8OID},
    {FLOAT4OID, core::Form::kFloat, FLOAT8OID},
    {FLOAT8OID, core::Form::kFloat, FLOAT8OID},
    {TEXTOID, core::Form::kText, TEXTOID},
    {VARCHAROID, core::Form::kText, TEXTOID},
    {NUMERICOID, core::Form::kDecimal, NUMERICOID},
    {BYTEAOID, core::Form::kBytes, BYTEAOID},
    {UUIDOID, core::Form::kUuid, UUIDOID},
    {DATEOID, core::Form::kDate, DATEOID},
    {TIMEOID, core::Form::kTime, TIMEOID},
    {TIMESTAMPOID, core::Form::kTimestamp, TIMESTAMPOID},
    {TIMESTAMPTZOID, core::Form::kTimestamptz, TIMESTAMPTZOID},
};

/// The type that a column's canonical values are given to SQL as, so that the column's own index serves; InvalidOid
/// where there is none. A type under a form that is not listed must find none: its bytes would be taken for others.
Oid parameter_type(const TaskColumn& column) {
    if (column.reader.form == core::Form::kText && GetDatabaseEncoding() != PG_UTF8) return InvalidOid;
    Oid base = getBaseType(column.type);
    for (const ParameterRule& rule : kParameterRules)
        if (rule.type == base && rule.form == column.reader.form) return rule.parameter;
    return InvalidOid;
}

/// Whether the server's numeric can hold a canonical decimal.
bool is_numeric_here(core::ByteView decimal) {
    bool infinite = decimal[0] == static_cast<std::uint8_t>(core::DecimalKind::kMinusInfinity) ||
                    decimal[0] == static_cast<std::uint8_t>(core::DecimalKind::kInfinity);
    return core::fits_numeric(decimal) && (kNumericHasInfinity || !infinite);
}

Datum numeric_value(core::ByteView canonical) {
    core::ByteSink shown = make_sink(CurrentMemoryContext);
    core::render_value(core::Form::kDecimal, canonical, write_double, shown);
    shown.append_u8(0);
    return DirectFunctionCall3(numeric_in, CStringGetDatum(reinterpret_cast<char*>(shown.data)),
                               ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

/// A canonical value as a Datum of a parameter_type().
Datum parameter_value(Oid type, core::ByteView canonical) {
    switch (type) {
        case INT8OID:
        case TIMEOID:
        case TIMESTAMPOID:
        case TIMESTAMPTZOID:
            return Int64GetDatum(core::load_le<std::int64_t>(canonical.data()));
        case DATEOID:
            return DateADTGetDatum(core::load_le<std::int32_t>(canonical.data()));
        case FLOAT8OID:
            return Float8GetDatum(core::double_from_bits(core::load_le<std::uint64_t>(canonical.data())));
        case NUMERICOID:
            return numeric_value(canonical);
        case UUIDOID: {
            auto* copy = static_cast<std::uint8_t*>(palloc(UUID_LEN));
            memcpy(copy, canonical.data(), UUID_LEN);
            return PointerGetDatum(copy);
        }
        default:
            return PointerGetDatum(make_bytea(canonical));  // text has the same layout
    }
}

/// The value of one column of a framed key; nothing for NULL, for what is no framed key of the task and for what no
/// value of the column can be.
std::optional<core::ByteView> value_in_key(const DigestTask& task, core::ByteView framed, std::size_t column) {
    core::FrameReader reader(framed);
    std::optional<core::FramedValue> value;
    for (std::size_t i = 0; i <= column; ++i) value = reader.next(task.key[i].reader.form);
    core::Form form = task.key[column].reader.form;
    if (!value || value->null || !core::is_canonical(form, value->bytes)) return std::nullopt;
    if (form == core::Form::kDecimal && !is_numeric_here(value->bytes)) return std::nullopt;
    return value->bytes;
}

/// The column's values in all keys as an SQL array; 0 where one is NULL.
Datum values_of_column(const DigestTask& task, std::span<const core::ByteView> keys, std::size_t column, Oid type) {
    Datum* values = allocate_array<Datum>(CurrentMemoryContext, keys.size() + 1);
    for (std::size_t i = 0; i < keys.size(); ++i) {
        std::optional<core::ByteView> canonical = value_in_key(task, keys[i], column);
        if (!canonical) return 0;
        values[i] = parameter_value(type, *canonical);
    }
    int16 length;
    bool by_value;
    char align;
    get_typlenbyvalalign(type, &length, &by_value, &align);
    return PointerGetDatum(construct_array(values, static_cast<int>(keys.size()), type, length, by_value, align));
}

void add_parameter(KeyCondition& condition, Oid type, Datum value) {
    condition.types[condition.parameters] = type;
    condition.values[condition.parameters] = value;
    ++condition.parameters;
}

void append_comparison(StringInfo sql, const TaskColumn& column, const char* comparison, int parameter) {
    appendStringInfo(sql, " AND t.%s OPERATOR(pg_catalog.%s) ", quote_identifier(NameStr(column.name)), comparison);
    appendStringInfo(sql, "$%d", parameter);
}

bool is_ordered_first_column(const DigestTask& task) {
    if (task.key.empty()) return false;
    const TaskColumn& first = task.key[0];
    return is_never_null(RelationGetDescr(task.relation), first.number - 1) && OidIsValid(parameter_type(first)) &&
           is_natively_ordered(first.type, first.reader.form, first.collation);
}

}  // namespace

KeyCondition condition_of_keys(const DigestTask& task, std::span<const core::ByteView> keys) {
    KeyCondition condition;
    StringInfoData sql;
    initStringInfo(&sql);
    for (std::size_t column = 0; column < std::min<std::size_t>(task.key.size(), INDEX_MAX_KEYS); ++column) {
        Oid type = parameter_type(task.key[column]);
        Datum values = OidIsValid(type) ? values_of_column(task, keys, column, type) : 0;
        if (!values) continue;
        add_parameter(condition, get_array_type(type), values);
        appendStringInfo(&sql, " AND t.%s OPERATOR(pg_catalog.=) ANY ($%d)",
                         quote_identifier(NameStr(task.key[column].name)), condition.parameters);
    }
    condition.sql = sql.data;
    return condition;
}

std::span<const Oid> key_value_types(const DigestTask& task) {
    Oid* types = allocate_array<Oid>(CurrentMemoryContext, task.key.size() + 1);
    for (std::size_t i = 0; i < task.key.size(); ++i) {
        types[i] = parameter_type(task.key[i]);
        if (!OidIsValid(types[i])) return {};
    }
    return {types, task.key.size()};
}

const Datum* values_of_key(const DigestTask& task, std::span<const Oid> types, core::ByteView framed) {
    Datum* values = allocate_array<Datum>(CurrentMemoryContext, types.size() + 1);
    for (std::size_t i = 0; i < types.size(); ++i) {
        std::optional<core::ByteView> canonical = value_in_key(task, framed, i);
        if (!canonical) return nullptr;
        values[i] = parameter_value(types[i], *canonical);
    }
    return values;
}

KeyInterval interval_of_range(const DigestTask& task, core::ByteView lower, core::ByteView upper) {
    if (!is_ordered_first_column(task)) return {};
    Oid type = parameter_type(task.key[0]);
    auto value_at = [&](core::ByteView bound) -> std::optional<Datum> {
        if (bound.empty() || bound[0] != core::kKeyBound) return std::nullopt;
        std::optional<core::ByteView> canonical = value_in_key(task, bound.subspan(1), 0);
        if (!canonical) return std::nullopt;
        return parameter_value(type, *canonical);
    };
    return {type, value_at(lower), value_at(upper)};
}

KeyCondition condition_of_range(const DigestTask& task, core::ByteView lower, core::ByteView upper) {
    KeyCondition condition;
    KeyInterval interval = interval_of_range(task, lower, upper);
    StringInfoData sql;
    initStringInfo(&sql);
    auto add = [&](std::optional<Datum> value, const char* comparison) {
        if (!value) return;
        add_parameter(condition, interval.type, *value);
        append_comparison(&sql, task.key[0], comparison, condition.parameters);
    };
    add(interval.lower, ">=");
    add(interval.upper, "<=");
    condition.sql = sql.data;
    return condition;
}

bool has_ordered_index(const DigestTask& task) {
    if (!is_ordered_first_column(task)) return false;
    AttrNumber* columns = allocate_array<AttrNumber>(CurrentMemoryContext, task.key.size());
    for (Oid id : task.leaves) {
        for (std::size_t i = 0; i < task.key.size(); ++i) columns[i] = get_attnum(id, NameStr(task.key[i].name));
        Relation leaf = relation_open(id, NoLock);
        bool stored = leaf->rd_rel->relkind == RELKIND_RELATION || leaf->rd_rel->relkind == RELKIND_MATVIEW;
        bool found = stored && OidIsValid(find_btree(leaf, {columns, task.key.size()})) &&
                     is_never_null(RelationGetDescr(leaf), columns[0] - 1);  // a child's may be nullable
        relation_close(leaf, NoLock);
        if (!found) return false;
    }
    return true;
}

}  // namespace parity::backend
