#include "driver/text/show.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "core/render.h"
#include "driver/model/error.h"
#include "driver/text/display_name.h"
#include "driver/text/literal.h"
#include "driver/text/printable.h"

namespace parity::driver {
namespace {

/// Longer values are cut in text for people.
constexpr std::size_t kMaxShownBytes = 120;

/// A ByteSink that owns its memory.
class OwnedSink : public core::ByteSink {
  public:
    OwnedSink() {
        grow = [](core::ByteSink& sink, std::size_t needed) noexcept {
            return static_cast<OwnedSink&>(sink).make_room(needed);
        };
    }
    OwnedSink(const OwnedSink&) = delete;
    OwnedSink& operator=(const OwnedSink&) = delete;
    ~OwnedSink() = default;

  private:
    bool make_room(std::size_t needed) noexcept {
        try {
            memory_.resize(std::max(needed, 2 * memory_.size()));
        } catch (const std::bad_alloc&) {
            return false;
        }
        data = memory_.data();
        capacity = memory_.size();
        return true;
    }
    std::vector<std::uint8_t> memory_;
};

void write_double(core::ByteSink& sink, double value) {
    if (std::isnan(value)) return sink.append(std::string_view("NaN"));
    if (std::isinf(value)) return sink.append(std::string_view(value < 0 ? "-Infinity" : "Infinity"));
    std::array<char, 32> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    sink.append(std::string_view(text.data(), static_cast<std::size_t>(end - text.data())));
}

bool is_quoted(core::Form form) {
    switch (form) {
        case core::Form::kText:
        case core::Form::kJson:
        case core::Form::kJsonbRaw:
        case core::Form::kInterval:
            return true;
        default:
            return core::is_array(form);
    }
}

std::string shown_text(const ShownValue& value, bool quoted) {
    const std::string_view text = value.text;
    std::string shown(quoted ? "'" : "");
    std::size_t at = 0;
    while (at < text.size() && at < kMaxShownBytes) {
        const std::string_view character = text.substr(at, std::max<std::size_t>(utf8_length(text.substr(at)), 1));
        if (quoted && (character == "'" || character == "\\")) shown += character;
        shown += character;
        at += character.size();
    }
    if (quoted) shown += '\'';
    if (at < value.bytes) shown += fmt::format("… ({} bytes)", value.bytes);
    return shown;
}

}  // namespace

std::string render_canonical(core::Form form, core::ByteView canonical) {
    OwnedSink sink;
    core::render_value(form, canonical, write_double, sink);
    if (sink.failed) throw std::bad_alloc();
    return std::string(core::as_text(sink.view()));
}

std::vector<core::Form> forms_of(const std::vector<ColumnPlan>& columns) {
    std::vector<core::Form> forms;
    forms.reserve(columns.size());
    for (const ColumnPlan& column : columns) {
        const auto form = core::form_by_name(column.form);
        if (!form)
            throw Error(ErrorKind::kInternal,
                        fmt::format("unknown form \"{}\" of column \"{}\"", column.form, column.name.source));
        forms.push_back(*form);
    }
    return forms;
}

const std::vector<ColumnPlan>& framed_columns(const TablePlan& table) {
    return table.key.empty() ? table.columns : table.key;
}

std::string show_key(const std::vector<ColumnPlan>& columns, std::string_view framed) {
    const auto forms = forms_of(columns);
    const auto values = KeyWriter(columns).values(framed);
    std::string names;
    std::string shown;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        names += (i > 0 ? ", " : "") + display_name(columns[i].name.source);
        shown += (i > 0 ? ", " : "") + show_value(forms[i], values[i]);
    }
    return fmt::format("({})=({})", names, shown);
}

std::string show_value(core::Form form, const std::optional<ShownValue>& value) {
    return value ? shown_text(*value, is_quoted(form)) : "NULL";
}

LargeObjectFinding large_object_finding(const Finding& finding) {
    const auto text = [&](Side side, std::size_t column) { return finding.values[side].at(column)->text; };
    return {text(Side::kSource, 0), {text(Side::kSource, 1), text(Side::kTarget, 1)}};
}

}  // namespace parity::driver
