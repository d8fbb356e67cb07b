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
