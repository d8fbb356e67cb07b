#include "core/form.h"

#include <array>

namespace parity::core {
namespace {

struct NamedForm {
    Form form;
    std::string_view name;
    std::string_view array_name;
};

constexpr std::array kForms{
    NamedForm{Form::kBool, "bool", "bool[]"},
    NamedForm{Form::kInt, "int", "int[]"},
    NamedForm{Form::kDecimal, "decimal", "decimal[]"},
    NamedForm{Form::kFloat, "float", "float[]"},
    NamedForm{Form::kText, "text", "text[]"},
    NamedForm{Form::kBytes, "bytes", "bytes[]"},
    NamedForm{Form::kUuid, "uuid", "uuid[]"},
    NamedForm{Form::kDate, "date", "date[]"},
    NamedForm{Form::kTime, "time", "time[]"},
    NamedForm{Form::kTimetz, "timetz", "timetz[]"},
    NamedForm{Form::kTimestamp, "timestamp", "timestamp[]"},
    NamedForm{Form::kTimestamptz, "timestamptz", "timestamptz[]"},
    NamedForm{Form::kInterval, "interval", "interval[]"},
    NamedForm{Form::kJson, "json", "json[]"},
    NamedForm{Form::kJsonbRaw, "jsonb_raw", "jsonb_raw[]"},
    NamedForm{Form::kBits, "bits", "bits[]"},
    NamedForm{Form::kInet, "inet", "inet[]"},
    NamedForm{Form::kMacaddr, "macaddr", "macaddr[]"},
    NamedForm{Form::kMacaddr8, "macaddr8", "macaddr8[]"},
    NamedForm{Form::kMoney, "money", "money[]"},
    NamedForm{Form::kPoint, "point", "point[]"},
    NamedForm{Form::kLine, "line", "line[]"},
    NamedForm{Form::kLseg, "lseg", "lseg[]"},
    NamedForm{Form::kBox, "box", "box[]"},
    NamedForm{Form::kCircle, "circle", "circle[]"},
    NamedForm{Form::kPath, "path", "path[]"},
    NamedForm{Form::kPolygon, "polygon", "polygon[]"},
    NamedForm{Form::kUnsigned, "unsigned", "unsigned[]"},
    NamedForm{Form::kTid, "tid", "tid[]"},
    NamedForm{Form::kSnapshot, "snapshot", "snapshot[]"},
    NamedForm{Form::kTsvector, "tsvector", "tsvector[]"},
    NamedForm{Form::kTsquery, "tsquery", "tsquery[]"},
    NamedForm{Form::kHstore, "hstore", "hstore[]"},
    NamedForm{Form::kRange, "range", "range[]"},
    NamedForm{Form::kMultirange, "multirange", "multirange[]"},
    NamedForm{Form::kRecord, "record", "record[]"},
    NamedForm{Form::kTrimmed, "trimmed", "trimmed[]"},
    NamedForm{Form::kFloat4, "float4", "float4[]"},
    NamedForm{Form::kKey, "key", {}},
    NamedForm{Form::kRow, "row", {}},
};

const NamedForm* find(Form element) noexcept {
    for (const NamedForm& known : kForms)
        if (known.form == element) return &known;
    return nullptr;
}

}  // namespace

std::string_view form_name(Form form) noexcept {
    const NamedForm* known = find(is_array(form) ? element_of(form) : form);
    if (!known) return "?";
    std::string_view name = is_array(form) ? known->array_name : known->name;
    return name.empty() ? "?" : name;
}

std::optional<Form> form_by_name(std::string_view name) noexcept {
    if (name.empty()) return std::nullopt;
    if (std::size_t angle = name.find('<'); angle != std::string_view::npos) {
        bool array = name.ends_with(">[]");
        std::optional<Form> outer = form_by_name({name.data(), angle});
        if (!outer || !is_nested(*outer) || !(array || name.ends_with(">"))) return std::nullopt;
        return array ? array_of(*outer) : *outer;
    }
    for (const NamedForm& known : kForms) {
        if (name == known.name) return known.form;
        if (name == known.array_name) return array_of(known.form);
    }
    return std::nullopt;
}

std::optional<Form> form_by_code(std::uint8_t code) noexcept {
    Form form = static_cast<Form>(code);
    if (form_name(form) == "?") return std::nullopt;
    return form;
}

}  // namespace parity::core
