#include "driver/planning/form_choice.h"

#include <algorithm>
#include <optional>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "driver/model/error.h"
#include "driver/options/form_name.h"
#include "driver/text/display_name.h"

namespace parity::driver {

namespace {

using Names = std::vector<std::string>;

bool contains(const Names& list, std::string_view element) {
    return std::find(list.begin(), list.end(), element) != list.end();
}

/// The forms under which all of a type's values stay apart. `jsonb_raw` is none of them: its bytes tell documents apart
/// that are equal.
Names exact_forms(const ColumnDesc& column) {
    Names forms;
    if (!column.form.empty()) forms.push_back(column.form);
    forms.insert(forms.end(), column.other_forms.begin(), column.other_forms.end());
    std::erase_if(forms, [](const std::string& form) { return form.starts_with("jsonb_raw"); });
    return forms;
}

Names all_forms(const ColumnDesc& column) {
    Names forms = exact_forms(column);
    forms.insert(forms.end(), column.lossy_forms.begin(), column.lossy_forms.end());
    return forms;
}

/// How one side is asked for a form: by its plain name, or with the zone where its type has none.
std::optional<std::string> ask_side(const ColumnDesc& column, const std::string& form) {
    if (contains(column.lossy_forms, with_zones(form, kAnyZone))) return form;
    const std::string plain = without_zones(form);
    if (contains(all_forms(column), plain)) return plain;
    return std::nullopt;
}

/// "float[]" and "range<float>" are about floats, "record<a:float>" is about columns of its own.
bool is_about_floats(std::string_view form) { return form.find("float") != std::string_view::npos; }

std::string types_of(const ColumnDesc& source, const ColumnDesc& target) {
    return fmt::format("types {} on source and {} on target", source.type, target.type);
}

std::string option_for(const ColumnDesc& source, std::string_view form) {
    return fmt::format("--form {}={}", display_name(source.name), form);
}

/// The forms that both would have if they were asked for.
Names forms_to_ask_for(const ColumnDesc& source, const ColumnDesc& target) {
    Names common;
    for (const auto& [column, other] : {std::pair(&source, &target), std::pair(&target, &source)}) {
        for (const std::string& form : all_forms(*column)) {
            if (ask_side(*other, form) && !contains(common, form)) common.push_back(form);
        }
    }
    return common;
}

std::string explain(const ColumnDesc& source, const ColumnDesc& target) {
    std::string reason = types_of(source, target) + " have no form in common";
    Names offers;
    for (const std::string& form : forms_to_ask_for(source, target))
        offers.push_back(fmt::format("{} {}", option_for(source, form), describe_loss(form)));
    if (!offers.empty()) return fmt::format("{}; {}", reason, fmt::join(offers, "; "));
    const bool pairs_and_documents =
        (source.form == "hstore" && target.form == "json") || (source.form == "json" && target.form == "hstore");
    if (pairs_and_documents) {
        reason +=
            ": values in an hstore are all texts, those in a document have types; compare a view that casts the "
            "hstore, named by --table and --map";
    }
    return reason;
}

std::string explain_floats(const ColumnDesc& source, const ColumnDesc& target, const std::string& form) {
    const std::string rounded = form.substr(0, form.find("float")) + "float4" + form.substr(form.find("float") + 5);
    return fmt::format("{} hold other numbers for the same decimal one; {} compares them as they are, {} {}",
                       types_of(source, target), option_for(source, form), option_for(source, rounded),
                       describe_loss(rounded));
}

/// What a side whose type does not have the form could be asked for. A stream reads no zones inside other values.
std::string hint_about_forms(const ColumnDesc& column, std::string_view form) {
    const Names forms = all_forms(column);
    std::string hint = fmt::format("its forms are {}", fmt::join(forms, ", "));
    const bool has_zoneless_times = std::all_of(forms.begin(), forms.end(), [](const std::string& own) {
        return own.find("timestamp") != std::string::npos && own.find('@') == std::string::npos;
    });
    if (has_zoneless_times && !zone_of(form).empty() && form.find_first_of("[<") != std::string_view::npos)
        hint += "; zones inside arrays and ranges need the extension";
    return hint;
}

}  // namespace

FormChoice default_form(const ColumnDesc& source, const ColumnDesc& target) {
    FormChoice choice;
    const Names others = exact_forms(target);
    for (const std::string& form : exact_forms(source)) {
        if (!contains(others, form)) continue;
        if (is_about_floats(form) && !form.starts_with("record") && source.lossy_forms != target.lossy_forms)
            choice.reason = explain_floats(source, target, form);
        else
            choice.form = form;
        return choice;
    }
    choice.reason = explain(source, target);
    return choice;
}

FormChoice asked_form_of(std::string_view option, const std::string& form, const ColumnDesc& source,
                         const ColumnDesc& target) {
    FormChoice choice;
    choice.form = without_zones(form);
    const Both<const ColumnDesc*> columns{&source, &target};
    for (Side side : kSides) {
        const ColumnDesc& column = *columns[side];
        const std::optional<std::string> asked = ask_side(column, form);
        if (!asked) {
            throw Error(ErrorKind::kUsage,
                        fmt::format("column {} of type {} on {} has no form \"{}\", which {} asks for",
                                    display_name(column.name), column.type, side_name(side), form, option),
                        hint_about_forms(column, form));
        }
        if (*asked != choice.form) choice.asked_forms[side] = *asked;
        choice.lossy = choice.lossy || contains(column.lossy_forms, with_zones(*asked, kAnyZone));
    }
    return choice;
}

std::string describe_loss(std::string_view form) {
    const std::string_view zone = zone_of(form);
    if (form.find("timestamptz@") != std::string_view::npos)
        return fmt::format("takes what a clock in {} shows for the instant, and readings that it skips for others",
                           zone);
    if (form.find("timestamp@") != std::string_view::npos)
        return fmt::format("takes the instant for what a clock in {} shows, which may be the same twice", zone);
    if (form.find("trimmed") != std::string_view::npos) return "ignores blanks at the end of a text";
    if (form.find("uuid") != std::string_view::npos) return "ignores how a uuid is written";
    if (form.find("json") != std::string_view::npos)
        return "ignores white space, the order and repetition of members and how values are written";
    if (form.find("float4") != std::string_view::npos) return "ignores digits beyond single precision";
    return "may ignore something";
}

}  // namespace parity::driver
