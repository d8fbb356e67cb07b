#include "driver/key_values.h"

#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "core/order.h"
#include "core/render.h"
#include "driver/display_name.h"
#include "driver/error.h"

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

/// The bytes of the UTF-8 sequence at the front, or 0 where there is none.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                               : lead >= 0xE0 && lead <= 0xEF ? 3
                               : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                              : 0;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
    const bool surrogate_or_beyond = (lead == 0xED && byte(1) > 0x9F) || (lead == 0xF4 && byte(1) > 0x8F);
    return overlong || surrogate_or_beyond ? 0 : length;
}

/// Appends one character, escaped where it would not stand on one line as itself.
void append_shown(std::string& to, std::string_view character, bool quoted) {
    const auto lead = static_cast<unsigned char>(character[0]);
    const bool c1_control = character.size() == 2 && lead == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
    if (character == "\n")
        to += "\\n";
    else if (character == "\t")
        to += "\\t";
    else if (character == "\r")
        to += "\\r";
    else if (character == "'" && quoted)
        to += "''";
    else if (character == "\\" && quoted)
        to += "\\\\";
    else if (lead < 0x20 || lead == 0x7F)
        to += fmt::format("\\x{:02x}", lead);
    else if (c1_control)
        to += fmt::format("\\u00{:02x}", static_cast<unsigned char>(character[1]));
    else
        to += character;
}

std::string shown_text(const ShownValue& value, bool quoted) {
    const std::string_view text = value.text;
    std::string shown(quoted ? "'" : "");
    std::size_t at = 0;
    while (at < text.size() && at < kMaxShownBytes) {
        const std::size_t length = utf8_length(text.substr(at));
        if (length == 0)
            shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
        else
            append_shown(shown, text.substr(at, length), quoted);
        at += std::max<std::size_t>(length, 1);
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

std::vector<std::optional<std::string>> render_key_values(const std::vector<core::Form>& forms,
                                                          std::string_view framed) {
    std::vector<std::optional<std::string>> values;
    values.reserve(forms.size());
    core::FrameReader reader(core::as_bytes(framed));
    for (core::Form form : forms) {
        const auto value = reader.next(form);
        if (!value) throw Error(ErrorKind::kInternal, "a server sent a key that is malformed");
        values.push_back(value->null ? std::nullopt : std::optional(render_canonical(form, value->bytes)));
    }
    if (!reader.at_end()) throw Error(ErrorKind::kInternal, "a server sent a key that is malformed");
    return values;
}

std::string show_key(const std::vector<ColumnPlan>& columns, std::string_view framed) {
    const auto forms = forms_of(columns);
    const auto values = render_key_values(forms, framed);
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

bool is_utf8(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t length = utf8_length(bytes);
        if (length == 0) return false;
        bytes.remove_prefix(length);
    }
    return true;
}

}  // namespace parity::driver
