#include "driver/text/show.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "core/ascii.h"
#include "core/render.h"
#include "driver/model/error.h"
#include "driver/text/display_name.h"
#include "driver/text/literal.h"
#include "driver/text/lookalikes.h"
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

bool is_text(core::Form form) {
    switch (form) {
        case core::Form::kText:
        case core::Form::kTrimmed:
        case core::Form::kJson:
        case core::Form::kJsonbRaw:
        case core::Form::kInterval:
        case core::Form::kHstore:
        case core::Form::kTsvector:
        case core::Form::kTsquery:
            return true;
        default:
            return core::is_array(form) || core::is_nested(form);
    }
}

/// Whether a reader sees where the value begins and ends without quotes.
bool is_plain(std::string_view text) {
    const auto is_plain_character = [](char c) {
        return core::is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               std::string_view("+-.:/\\ ").find(c) != std::string_view::npos;
    };
    return !text.empty() && text.front() != ' ' && text.back() != ' ' &&
           std::all_of(text.begin(), text.end(), is_plain_character);
}

bool is_quoted(core::Form form, const ShownValue& value) {
    return is_text(form) || (!value.is_cut() && value.text.size() <= kMaxShownBytes && !is_plain(value.text));
}

/// What is shown of a value, in bytes: from where on, and between which places characters that look like others are
/// escaped.
struct Excerpt {
    std::size_t from = 0;
    std::size_t alike_begin = 0;
    std::size_t alike_end = 0;
    bool is_same = false;  ///< what was read of both values is the same
};

/// The character at the front of a text; of what is not UTF-8 a byte.
std::string_view first_character(std::string_view text) {
    return text.substr(0, std::max<std::size_t>(utf8_length(text), 1));
}

/// Appends a character of a quoted text. Returns whether it has a backslash.
bool append_quoted(std::string& to, std::string_view character, bool may_be_alike) {
    if (character == "'" || character == "\\") {
        to += character;
        to += character;
        return character == "\\";
    }
    const bool is_character = utf8_length(character) > 0;
    const std::uint32_t code = is_character ? code_of(character) : 0;
    const bool is_hidden = is_character && (is_blank_or_mark(code) || (may_be_alike && is_lookalike(code)));
    const std::string shown = is_hidden ? escaped_code(code) : printable(character);
    to += shown;
    return shown != character;
}

std::string shown_text(const ShownValue& value, bool quoted, const Excerpt& excerpt = {}) {
    const std::string_view text = value.text;
    std::string shown;
    bool has_escapes = false;
    std::size_t at = excerpt.from;
    while (at < text.size() && at - excerpt.from < kMaxShownBytes) {
        const std::string_view character = first_character(text.substr(at));
        if (quoted)
            has_escapes |= append_quoted(shown, character, at >= excerpt.alike_begin && at < excerpt.alike_end);
        else
            shown += character;
        at += character.size();
    }
    if (quoted) shown = (has_escapes ? "E'" : "'") + shown + "'";
    const bool is_cut = at < value.bytes;
    if (excerpt.from > 0)
        return fmt::format("…{}{} ({} bytes, from byte {} on)", shown, is_cut ? "…" : "", value.bytes, excerpt.from);
    if (!is_cut) return shown;
    const std::string same = excerpt.is_same ? fmt::format(", the first {} the same", text.size()) : "";
    return fmt::format("{}… ({} bytes{})", shown, value.bytes, same);
}

// ---- two values ----

bool is_inside_character(std::string_view text, std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

std::size_t common_prefix(std::string_view a, std::string_view b) {
    const auto length = static_cast<std::size_t>(
        std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin())
            .first -
        a.begin());
    std::size_t at = length;
    while (at > 0 && (is_inside_character(a, at) || is_inside_character(b, at))) --at;
    return at;
}

std::size_t common_suffix(std::string_view a, std::string_view b) {
    const std::size_t most = std::min(a.size(), b.size());
    std::size_t length = 0;
    while (length < most && a[a.size() - 1 - length] == b[b.size() - 1 - length]) ++length;
    while (length > 0 && (is_inside_character(a, a.size() - length) || is_inside_character(b, b.size() - length)))
        --length;
    return length;
}

/// A place some characters before the first difference, where that would not be shown otherwise.
std::size_t window_begin(std::string_view text, std::size_t difference) {
    constexpr std::size_t kShownBefore = 40;
    if (difference + kShownBefore < kMaxShownBytes || text.size() <= kMaxShownBytes) return 0;
    std::size_t from = difference - kShownBefore;
    while (is_inside_character(text, from)) --from;
    return from;
}

/// Only what was fetched of the values is known.
Both<Excerpt> excerpts(const Both<std::string_view>& texts, bool is_cut) {
    const std::size_t first = common_prefix(texts.source, texts.target);
    if (first == texts.source.size() && first == texts.target.size()) return {{.is_same = is_cut}, {.is_same = is_cut}};
    const Both<std::string_view> rest{texts.source.substr(first), texts.target.substr(first)};
    const std::size_t same = common_suffix(rest.source, rest.target);
    const auto differing = [&](Side side) { return rest[side].substr(0, rest[side].size() - same); };
    const Both<std::string_view> different{differing(Side::kSource), differing(Side::kTarget)};
    const bool alike = skeleton(different.source) == skeleton(different.target) || has_ambiguous(different.source) ||
                       has_ambiguous(different.target);
    Both<Excerpt> found;
    for (Side side : kSides) {
        found[side].from = window_begin(texts[side], first);
        if (alike) found[side] = {found[side].from, first, first + different[side].size()};
    }
    return found;
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

namespace {

/// Of the first columns, as many as there are values.
std::string show_leading(const std::vector<ColumnPlan>& columns,
                         const std::vector<std::optional<std::string>>& values) {
    const auto forms = forms_of(columns);
    std::string names;
    std::string shown;
    for (std::size_t i = 0; i < values.size(); ++i) {
        names += (i > 0 ? ", " : "") + display_name(columns[i].name.source);
        shown += (i > 0 ? ", " : "") + show_value(forms[i], values[i]);
    }
    return fmt::format("({})=({})", names, shown);
}

}  // namespace

std::string show_key(const std::vector<ColumnPlan>& columns, std::string_view framed) {
    return show_leading(columns, KeyWriter(columns).values(framed));
}

std::string show_bound(const std::vector<ColumnPlan>& columns, std::string_view bound) {
    return show_leading(columns, KeyWriter(columns).leading_values(bound.substr(1)));
}

std::string show_value(core::Form form, const std::optional<ShownValue>& value) {
    return value ? shown_text(*value, is_quoted(form, *value)) : "NULL";
}

Both<std::string> show_values(core::Form form, const Both<std::optional<ShownValue>>& values) {
    Both<std::string> shown{show_value(form, values.source), show_value(form, values.target)};
    if (!values.source || !values.target) return shown;
    const Both<Excerpt> parts =
        excerpts({values.source->text, values.target->text}, values.source->is_cut() || values.target->is_cut());
    const bool quoted = is_quoted(form, *values.source) || is_quoted(form, *values.target);
    for (Side side : kSides) shown[side] = shown_text(*values[side], quoted, parts[side]);
    return shown;
}

LargeObjectFinding large_object_finding(const Finding& finding) {
    const auto text = [&](Side side, std::size_t column) { return finding.values[side].at(column)->text; };
    return {text(Side::kSource, 0), {text(Side::kSource, 1), text(Side::kTarget, 1)}};
}

}  // namespace parity::driver
