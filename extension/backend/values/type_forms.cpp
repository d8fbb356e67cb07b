#include "backend/values/type_forms.h"

#include <algorithm>

#include "backend/memory.h"
#include "backend/pg_compat.h"
#include "backend/values/text.h"
#include "backend/values/time.h"
#include "backend/values/type_rules.h"

namespace parity::backend {
namespace {

using core::Form;

/// Which form of a type is wanted: a name, or the n-th that it has.
struct WantedForm {
    std::optional<std::string_view> name;
    int number = 0;

    /// The form that is wanted of what stands between `before` and `after` in the name, which must be there.
    std::optional<WantedForm> inside(std::string_view before, std::string_view after) const {
        if (!name) return *this;
        if (name->size() < before.size() + after.size() || !name->starts_with(before) || !name->ends_with(after))
            return std::nullopt;
        std::string_view inner = *name;
        inner.remove_prefix(before.size());
        inner.remove_suffix(after.size());
        return WantedForm{inner, 0};
    }
};

std::optional<ColumnReader> make_reader(Oid type, const WantedForm& wanted);

NestedReader* make_nested(Oid type) {
    NestedReader* nested = allocate_array<NestedReader>(CurrentMemoryContext, 1);
    nested->type = type;
    return nested;
}

/// A reader of values that are made of others, under a form of the name `before` element `after`.
ColumnReader outer_reader(Form form, ReadMethod method, const char* before, const NestedReader* nested,
                          const char* after) {
    const ColumnReader& element = nested->element;
    return {form,
            method,
            psprintf("%s%s%s", before, element.name, after),
            psprintf("%s%s%s", before, element.asked, after),
            nested,
            element.lossy,
            element.can_fail};
}

/// What the name says of the zone behind "form@"; nothing where it is the name of another form.
std::optional<std::string_view> zone_in_name(std::string_view name, std::string_view form) {
    if (!name.starts_with(form) || name.size() == form.size() || name[form.size()] != '@') return std::nullopt;
    name.remove_prefix(form.size() + 1);
    return name;
}

bool is_wanted(const TypeRule& rule, int number, const WantedForm& wanted) {
    if (!wanted.name) return number == wanted.number;
    std::string_view form = core::form_name(rule.form);
    return needs_zone(rule.method) ? zone_in_name(*wanted.name, form).has_value() : *wanted.name == form;
}

/// Finds the zone and puts it into the name; of a form that is only listed, "zone" stands for it.
void add_zone(ColumnReader& reader, NestedReader* nested, const WantedForm& wanted) {
    const char* zone = "zone";
    if (wanted.name) {
        std::string_view given = *zone_in_name(*wanted.name, reader.name);
        zone = pnstrdup(given.data(), given.size());
        nested->zone = find_zone(zone);
    }
    reader.asked = psprintf("%s@%s", reader.name, zone);
}

void find_output(NestedReader* nested) {
    Oid function;
    bool varlena;
    getTypeOutputInfo(nested->type, &function, &varlena);
    fmgr_info(function, &nested->output);
}

/// The digits behind the point in which the server prints an amount of money; cash_out() has the same limits.
int money_fraction_digits() {
    int digits = PGLC_localeconv()->frac_digits;
    return digits < 0 || digits > 10 ? 2 : digits;
}

ColumnReader reader_of_rule(Oid type, const TypeRule& rule, const WantedForm& wanted) {
    const char* name = core::form_name(rule.form).data();
    ColumnReader reader{rule.form, rule.method, name, name, nullptr, is_lossy(rule), can_fail(rule.method)};
    NestedReader* nested = make_nested(type);
    if (needs_zone(rule.method)) add_zone(reader, nested, wanted);
    if (rule.method == ReadMethod::kOutput) find_output(nested);
    if (rule.method == ReadMethod::kMoneyAsDecimal) nested->fraction_digits = money_fraction_digits();
    reader.nested = nested;
    return reader;
}

std::optional<ColumnReader> make_simple_reader(Oid type, const WantedForm& wanted) {
    TypeRules found = rules_of_type(type);
    for (int i = 0; i < found.count; ++i)
        if (is_wanted(*found.rules[i], i, wanted)) return reader_of_rule(type, *found.rules[i], wanted);
    return std::nullopt;
}

std::optional<ColumnReader> make_array_reader(Oid type, Oid element, const WantedForm& wanted) {
    std::optional<WantedForm> inner = wanted.inside("", "[]");
    if (!inner) return std::nullopt;
    NestedReader* nested = make_nested(type);
    std::optional<ColumnReader> reader = make_reader(element, *inner);
    if (!reader || core::is_array(reader->form)) return std::nullopt;  // a form is an array of something once
    nested->element = *reader;
    get_typlenbyvalalign(element, &nested->element_length, &nested->element_by_value, &nested->element_align);
    return outer_reader(core::array_of(reader->form), ReadMethod::kArray, "", nested, "[]");
}

/// Of a range type, or of a multirange type of such ranges.
std::optional<ColumnReader> make_range_reader(Oid type, TypeCacheEntry* range, Form form, ReadMethod method,
                                              const char* before, const WantedForm& wanted) {
    std::optional<WantedForm> inner = wanted.inside(before, ">");
    if (!inner) return std::nullopt;
    NestedReader* nested = make_nested(type);
    nested->range = range;
    std::optional<ColumnReader> element = make_reader(range->rngelemtype->type_id, *inner);
    if (!element) return std::nullopt;
    nested->element = *element;
    return outer_reader(form, method, before, nested, ">");
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

std::optional<ColumnReader> make_record_reader(Oid type, const WantedForm& wanted) {
    if (!wanted.name && wanted.number > 0) return std::nullopt;
    TupleDesc shared = lookup_rowtype_tupdesc(type, -1);
    NestedReader* nested = make_nested(type);
    nested->record = CreateTupleDescCopyConstr(shared);  // with the defaults of attributes that older values lack
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
    if (wanted.name && *wanted.name != std::string_view(name.data, static_cast<std::size_t>(name.len)))
        return std::nullopt;
    bool failing = std::any_of(nested->attributes.begin(), nested->attributes.end(),
                               [](const AttributeReader& attribute) { return attribute.reader.can_fail; });
    return ColumnReader{Form::kRecord, ReadMethod::kRecord, name.data, name.data, nested, false, failing};
}

/// The element type of a true array, or of one of the two array types that are not.
Oid array_element(Oid type) {
    if (type == INT2VECTOROID) return INT2OID;
    if (type == OIDVECTOROID) return OIDOID;
    return get_element_type(type);
}

std::optional<ColumnReader> make_reader(Oid type, const WantedForm& wanted) {
    check_stack_depth();
    CHECK_FOR_INTERRUPTS();
    Oid base = getBaseType(type);
    if (Oid element = array_element(base); OidIsValid(element)) return make_array_reader(base, element, wanted);
    switch (get_typtype(base)) {
        case TYPTYPE_RANGE:
            return make_range_reader(base, lookup_type_cache(base, TYPECACHE_RANGE_INFO), Form::kRange,
                                     ReadMethod::kRange, "range<", wanted);
        case kMultirangeTypeKind:
            return make_range_reader(base, multirange_range_type(base), Form::kMultirange, ReadMethod::kMultirange,
                                     "multirange<", wanted);
        case TYPTYPE_COMPOSITE:
            return make_record_reader(base, wanted);
        default:
            return make_simple_reader(base, wanted);
    }
}

}  // namespace

TypeForms forms_of_type(Oid type) {
    TypeForms forms{};
    for (; forms.count < kMaxForms; ++forms.count) {
        std::optional<ColumnReader> reader = make_reader(type, {std::nullopt, forms.count});
        if (!reader) break;
        forms.names[forms.count] = reader->asked;
        if (!reader->lossy) forms.first_lossy = forms.count + 1;
    }
    return forms;
}

std::optional<ColumnReader> default_reader(Oid type) { return make_reader(type, {}); }

std::optional<ColumnReader> find_reader(Oid type, std::string_view form_name) {
    return make_reader(type, {form_name, 0});
}

const char* column_label(const char* name) { return psprintf("column \"%s\"", name); }

void guard_reader(ColumnReader& reader, Oid type, const char* label) {
    if (!reader.can_fail) return;
    auto* guard = allocate_array<ReaderGuard>(CurrentMemoryContext, 1);
    *guard = {pstrdup(label), default_reader(type)->asked};
    reader.guard = guard;
}

bool is_natively_ordered(Oid type, core::Form form, Oid collation) {
    Oid base = getBaseType(type);
    if (form == Form::kText) {
        bool byte_order = collation == C_COLLATION_OID && GetDatabaseEncoding() == PG_UTF8;
        return byte_order && (base == TEXTOID || base == VARCHAROID);
    }
    TypeRules found = rules_of_type(base);
    return std::any_of(found.rules, found.rules + found.count,
                       [form](const TypeRule* rule) { return rule->form == form && rule->native_order; });
}

}  // namespace parity::backend
