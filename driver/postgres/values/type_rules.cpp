#include "driver/postgres/values/type_rules.h"

#include <algorithm>
#include <optional>

#include "core/type_table.h"
#include "driver/model/error.h"
#include "driver/postgres/values/decoder.h"
#include "driver/postgres/values/json.h"
#include "driver/postgres/values/nested.h"
#include "driver/postgres/values/object_names.h"
#include "driver/postgres/values/scalars.h"
#include "driver/postgres/values/scratch.h"
#include "driver/postgres/values/text_search.h"
#include "driver/postgres/values/zones.h"

namespace parity::driver {
namespace {

using core::Form;

void append_json(std::string_view wire, WireScratch& scratch, core::ByteSink& sink) { scratch.json.append(wire, sink); }

/// A format's version, which is 1, and the document as text.
void append_jsonb(std::string_view wire, WireScratch& scratch, core::ByteSink& sink) {
    scratch.json.append(core::as_text(view_versioned_text(wire)), sink);
}

/// Which values of a type a rule reads.
enum class When {
    kAlways,
    kSent,    ///< where the type has a binary format that can be read
    kUnsent,  ///< where it has none
};

/// How a type is read under a form. A rule with a cast reads what the cast gives, so that it does not serve inside
/// values of other types than arrays.
struct WireRule {
    std::string_view type;
    MakeDecoder make = nullptr;
    std::string_view cast = {};
    std::string_view catalog = {};    ///< of reg* types
    std::string_view extension = {};  ///< that the type belongs to; empty: a type of pg_catalog
    Form form = Form::kNone;
    When when = When::kAlways;
};

constexpr WireRule rule(std::string_view type, Form form, MakeDecoder make, std::string_view cast = {}) {
    return {.type = type, .make = make, .cast = cast, .form = form};
}

constexpr WireRule object_name(std::string_view type, std::string_view catalog) {
    return {.type = type, .make = object_name_decoder, .catalog = catalog, .form = Form::kText};
}

/// A type of an extension, and how its values are read where they are sent, or where they are not.
constexpr WireRule of_extension(std::string_view extension, std::string_view type, Form form, MakeDecoder make,
                                When when = When::kAlways) {
    const std::string_view cast = when == When::kUnsent ? "pg_catalog.text" : "";
    return {.type = type, .make = make, .cast = cast, .extension = extension, .form = form, .when = when};
}

constexpr MakeDecoder kText = simple_decoder<view_all>;

/// How values are read under the forms of core::kTypeForms that are not only a server's, in its order.
constexpr WireRule kRules[] = {
    rule("bool", Form::kBool, simple_decoder<append_bool>),
    rule("int2", Form::kInt, simple_decoder<append_integer<std::int16_t, std::int64_t>>),
    rule("int2", Form::kDecimal, simple_decoder<append_integer_as_decimal<std::int16_t>>),
    rule("int4", Form::kInt, simple_decoder<append_integer<std::int32_t, std::int64_t>>),
    rule("int4", Form::kDecimal, simple_decoder<append_integer_as_decimal<std::int32_t>>),
    rule("int8", Form::kInt, simple_decoder<append_integer<std::int64_t, std::int64_t>>),
    rule("int8", Form::kDecimal, simple_decoder<append_integer_as_decimal<std::int64_t>>),
    rule("oid", Form::kInt, simple_decoder<append_integer<std::uint32_t, std::int64_t>>),
    rule("oid", Form::kDecimal, simple_decoder<append_integer_as_decimal<std::uint32_t>>),
    rule("numeric", Form::kDecimal, simple_decoder<append_numeric>),
    rule("float4", Form::kFloat, simple_decoder<append_float4>),
    rule("float4", Form::kFloat4, simple_decoder<append_float4>),
    rule("float8", Form::kFloat, simple_decoder<append_doubles<1>>),
    rule("float8", Form::kFloat4, simple_decoder<append_rounded_double>),
    rule("text", Form::kText, kText),
    rule("text", Form::kTrimmed, simple_decoder<view_bpchar>),
    rule("text", Form::kUuid, simple_decoder<append_text_as_uuid>),
    rule("text", Form::kJson, simple_decoder<append_json>),
    rule("varchar", Form::kText, kText),
    rule("varchar", Form::kTrimmed, simple_decoder<view_bpchar>),
    rule("varchar", Form::kUuid, simple_decoder<append_text_as_uuid>),
    rule("varchar", Form::kJson, simple_decoder<append_json>),
    rule("bpchar", Form::kText, simple_decoder<view_bpchar>),
    rule("bpchar", Form::kTrimmed, simple_decoder<view_bpchar>),
    rule("bpchar", Form::kUuid, simple_decoder<append_text_as_uuid>),
    rule("name", Form::kText, kText),
    rule("bytea", Form::kBytes, simple_decoder<view_all>),
    rule("uuid", Form::kUuid, simple_decoder<view_exactly<16>>),
    rule("uuid", Form::kText, simple_decoder<append_uuid_as_text>),
    rule("date", Form::kDate, simple_decoder<append_integer<std::int32_t, std::int32_t>>),
    rule("date", Form::kTimestamp, simple_decoder<append_date_as_timestamp>),
    rule("time", Form::kTime, simple_decoder<append_integer<std::int64_t, std::int64_t>>),
    rule("timetz", Form::kTimetz, simple_decoder<append_timetz>),
    rule("timestamp", Form::kTimestamp, simple_decoder<append_integer<std::int64_t, std::int64_t>>),
    rule("timestamp", Form::kTimestamptz, zone_decoder, "pg_catalog.timestamp"),
    rule("timestamptz", Form::kTimestamptz, simple_decoder<append_integer<std::int64_t, std::int64_t>>),
    rule("timestamptz", Form::kTimestamp, zone_decoder, "pg_catalog.timestamptz"),
    rule("interval", Form::kInterval, simple_decoder<append_interval>),
    rule("json", Form::kText, kText),
    rule("json", Form::kJson, simple_decoder<append_json>),
    rule("jsonb", Form::kJson, simple_decoder<append_jsonb>),
    rule("bit", Form::kBits, simple_decoder<append_bits>),
    rule("varbit", Form::kBits, simple_decoder<append_bits>),
    rule("inet", Form::kInet, simple_decoder<append_inet>),
    rule("cidr", Form::kInet, simple_decoder<append_inet>),
    rule("macaddr", Form::kMacaddr, simple_decoder<view_exactly<6>>),
    rule("macaddr8", Form::kMacaddr8, simple_decoder<view_exactly<8>>),
    rule("money", Form::kMoney, simple_decoder<append_integer<std::int64_t, std::int64_t>>),
    rule("money", Form::kDecimal, simple_decoder<append_numeric>, "pg_catalog.numeric"),  // lc_monetary has the scale
    rule("point", Form::kPoint, simple_decoder<append_doubles<2>>),
    rule("line", Form::kLine, simple_decoder<append_doubles<3>>),
    rule("lseg", Form::kLseg, simple_decoder<append_doubles<4>>),
    rule("box", Form::kBox, simple_decoder<append_doubles<4>>),
    rule("circle", Form::kCircle, simple_decoder<append_doubles<3>>),
    rule("path", Form::kPath, simple_decoder<append_path>),
    rule("polygon", Form::kPolygon, simple_decoder<append_polygon>),
    rule("pg_lsn", Form::kUnsigned, simple_decoder<append_integer<std::uint64_t, std::uint64_t>>),
    rule("xid8", Form::kUnsigned, simple_decoder<append_integer<std::uint64_t, std::uint64_t>>),
    rule("xid", Form::kUnsigned, simple_decoder<append_integer<std::uint32_t, std::uint64_t>>),
    rule("cid", Form::kUnsigned, simple_decoder<append_integer<std::uint32_t, std::uint64_t>>),
    rule("tid", Form::kTid, simple_decoder<append_tid>),
    rule("pg_snapshot", Form::kSnapshot, simple_decoder<append_snapshot>),
    rule("txid_snapshot", Form::kSnapshot, simple_decoder<append_snapshot>),
    rule("char", Form::kBytes, simple_decoder<view_exactly<1>>),
    rule("xml", Form::kText, kText, "pg_catalog.text"),  // its send function rewrites the declaration
    rule("refcursor", Form::kText, kText),
    rule("jsonpath", Form::kText, simple_decoder<view_versioned_text>),
    rule("aclitem", Form::kText, kText, "pg_catalog.text"),
    object_name("regclass", "pg_class"),
    object_name("regtype", "pg_type"),
    object_name("regproc", "pg_proc"),
    object_name("regprocedure", "pg_proc()"),
    object_name("regoper", "pg_operator"),
    object_name("regoperator", "pg_operator()"),
    object_name("regrole", "pg_roles"),
    object_name("regnamespace", "pg_namespace"),
    object_name("regconfig", "pg_ts_config"),
    object_name("regdictionary", "pg_ts_dict"),
    object_name("regcollation", "pg_collation"),
    rule("tsvector", Form::kTsvector, simple_decoder<append_tsvector>),
    rule("tsquery", Form::kTsquery, simple_decoder<append_tsquery>),
    of_extension("citext", "citext", Form::kText, kText),
    of_extension("hstore", "hstore", Form::kHstore, simple_decoder<append_hstore>, When::kSent),
    of_extension("hstore", "hstore", Form::kHstore, simple_decoder<append_hstore_text>, When::kUnsent),
    of_extension("ltree", "ltree", Form::kText, simple_decoder<view_versioned_text>, When::kSent),
    of_extension("ltree", "ltree", Form::kText, kText, When::kUnsent),
    of_extension("ltree", "lquery", Form::kText, simple_decoder<view_versioned_text>, When::kSent),
    of_extension("ltree", "lquery", Form::kText, kText, When::kUnsent),
    of_extension("ltree", "ltxtquery", Form::kText, simple_decoder<view_versioned_text>, When::kSent),
    of_extension("ltree", "ltxtquery", Form::kText, kText, When::kUnsent),
};
static_assert(core::covers_type_table(kRules,
                                      [](const core::TypeForm& known) { return known.use != core::TypeUse::kStored; }));

/// An enum value is sent as its label.
constexpr WireRule kEnumRule = rule({}, Form::kText, kText);

core::TypeUse use_of(const WireRule& rule) {
    const core::TypeForm* known = core::find_type_form(rule.extension, rule.type, rule.form);
    return known ? known->use : core::TypeUse::kFreely;
}

bool serves(const WireRule& known, const TypeDesc& type) {
    if (known.type != type.name || known.extension != type.extension) return false;
    if (known.extension.empty() && type.schema != "pg_catalog") return false;
    return known.when == When::kAlways || type.has_send == (known.when == When::kSent);
}

/// The decoders that were asked for; where there are none, why.
struct DecoderChoice {
    std::vector<DecoderPtr> decoders;
    std::string reason;
};

/// The full name of the one form that is wanted; nothing: all forms.
using WantedForm = std::optional<std::string_view>;

/// What stands behind the "@" of a form's name.
std::string_view zone_in(std::string_view name) { return name.substr(std::min(name.find('@'), name.size() - 1) + 1); }

bool is_wanted(const WireRule& known, const WantedForm& wanted) {
    if (!wanted) return true;
    const std::string_view form = core::form_name(known.form);
    if (use_of(known) != core::TypeUse::kInZone) return *wanted == form;
    return wanted->starts_with(form) && wanted->substr(form.size()).starts_with('@') &&
           wanted->size() > form.size() + 1;
}

/// The form that is wanted of what stands between `before` and `after` in a form's name; outer nothing where they do
/// not.
std::optional<WantedForm> inside(const WantedForm& wanted, std::string_view before, std::string_view after) {
    if (!wanted) return wanted;
    if (wanted->size() < before.size() + after.size() || !wanted->starts_with(before) || !wanted->ends_with(after))
        return std::nullopt;
    return wanted->substr(before.size(), wanted->size() - before.size() - after.size());
}

/// Finds the decoders of a type; what it is made of is looked up in the catalog.
class Finder {
  public:
    explicit Finder(const TypeCatalog& catalog, std::shared_ptr<const ObjectNames> names = nullptr)
        : catalog_(catalog), names_(std::move(names)) {}

    DecoderChoice find(std::uint32_t oid, const WantedForm& wanted) {
        if (++depth_ > kMaxDepth) throw Error(ErrorKind::kInternal, "a type is nested too deeply");
        DecoderChoice found = find_by_kind(base_type(oid), wanted);
        --depth_;
        return found;
    }

  private:
    /// Deeper than any type is: a catalog in which a type is part of itself would be a server's mistake.
    static constexpr int kMaxDepth = 1000;

    const TypeDesc& describe(std::uint32_t oid) {
        const auto type = catalog_.find(oid);
        if (type == catalog_.end())
            throw Error(ErrorKind::kInternal, "type " + std::to_string(oid) + " is not in the catalogs that were read");
        return type->second;
    }
    const TypeDesc& base_type(std::uint32_t oid) {
        const TypeDesc* type = &describe(oid);
        for (int depth = 0; type->kind == 'd'; type = &describe(type->base))
            if (++depth > kMaxDepth) throw Error(ErrorKind::kInternal, "a domain is nested too deeply");
        return *type;
    }

    DecoderChoice find_by_kind(const TypeDesc& type, const WantedForm& wanted) {
        if (type.element != 0) return find_array(type, wanted);
        switch (type.kind) {
            case 'r':
                return find_around(type, wanted, "range<", range_decoder);
            case 'm':
                return find_around(type, wanted, "multirange<", multirange_decoder);
            case 'c':
                return find_record(type, wanted);
            default:
                return find_simple(type, wanted);
        }
    }

    static DecoderChoice nothing(const TypeDesc& type) { return {{}, "type " + type.display + " has no form"}; }

    DecoderChoice find_simple(const TypeDesc& type, const WantedForm& wanted) {
        DecoderChoice found = nothing(type);
        const auto add = [&](const WireRule& known) {
            if (!is_wanted(known, wanted)) return;
            const core::TypeUse use = use_of(known);
            const std::string_view zone =
                use == core::TypeUse::kInZone && wanted ? zone_in(*wanted) : std::string_view();
            found.decoders.push_back(
                known.make({known.form, core::is_lossy(use), known.cast, known.catalog, zone, names_}));
        };
        if (type.kind == 'e') add(kEnumRule);
        if (type.kind == 'b')
            for (const WireRule& known : kRules)
                if (serves(known, type)) add(known);
        return found;
    }

    DecoderChoice find_array(const TypeDesc& type, const WantedForm& wanted) {
        DecoderChoice found = nothing(type);
        const std::optional<WantedForm> inner = inside(wanted, "", "[]");
        if (!inner) return found;
        DecoderChoice elements = find(type.element, *inner);
        if (elements.decoders.empty()) found.reason = elements.reason;
        for (const DecoderPtr& element : elements.decoders)
            if (!core::is_array(element->form()) && !element->columns_only())
                found.decoders.push_back(array_decoder(element));
        return found;
    }

    template <typename Make>
    DecoderChoice find_around(const TypeDesc& type, const WantedForm& wanted, std::string_view before, Make make) {
        DecoderChoice found = nothing(type);
        const std::optional<WantedForm> inner = inside(wanted, before, ">");
        if (!inner) return found;
        DecoderChoice subtypes = find(type.subtype, *inner);
        if (subtypes.decoders.empty()) found.reason = subtypes.reason;
        for (const DecoderPtr& subtype : subtypes.decoders) {
            if (subtype->cast().empty())
                found.decoders.push_back(make(subtype));
            else
                found.reason = unreadable_inside(type.subtype, type);
        }
        return found;
    }

    DecoderChoice find_record(const TypeDesc& type, const WantedForm& wanted) {
        DecoderChoice found = nothing(type);
        std::vector<WireAttribute> attributes;
        for (const TypeDesc::Attribute& attribute : type.attributes) {
            DecoderChoice inner = find(attribute.type, std::nullopt);
            if (inner.decoders.empty()) return {{}, inner.reason};
            DecoderPtr decoder = inner.decoders.front();
            if (!decoder->cast().empty()) return {{}, unreadable_inside(attribute.type, type)};
            attributes.push_back({attribute.name, attribute.type, std::move(decoder)});
        }
        DecoderPtr decoder = record_decoder(std::move(attributes));
        if (!wanted || *wanted == decoder->form_name()) found.decoders.push_back(std::move(decoder));
        return found;
    }

    std::string unreadable_inside(std::uint32_t inner, const TypeDesc& outer) {
        return "values of type " + describe(inner).display + " cannot be read inside those of type " + outer.display +
               " without the extension";
    }

    const TypeCatalog& catalog_;
    std::shared_ptr<const ObjectNames> names_;
    int depth_ = 0;
};

}  // namespace

WireForms wire_forms(const TypeCatalog& catalog, std::uint32_t type) {
    DecoderChoice found = Finder(catalog).find(type, std::nullopt);
    WireForms forms;
    for (const DecoderPtr& decoder : found.decoders)
        (decoder->lossy() ? forms.lossy : forms.forms).push_back(decoder->asked_name());
    if (forms.forms.empty()) forms.reason = std::move(found.reason);
    return forms;
}

std::shared_ptr<const WireDecoder> make_wire_decoder(const TypeCatalog& catalog, std::uint32_t type,
                                                     std::string_view form_name,
                                                     std::shared_ptr<const ObjectNames> names) {
    const DecoderChoice found = Finder(catalog, std::move(names)).find(type, form_name);
    if (found.decoders.empty())
        throw Error(ErrorKind::kUsage, "type " + catalog.at(type).display + " cannot be read as \"" +
                                           std::string(form_name) + "\" without the extension");
    return found.decoders.front();
}

}  // namespace parity::driver
