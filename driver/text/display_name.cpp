#include "driver/text/display_name.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/ascii.h"
#include "driver/model/inventory.h"
#include "driver/text/printable.h"
#include "driver/text/sql_keywords.h"

namespace parity::driver {
namespace {

/// As quote_ident() decides it.
bool needs_quotes(std::string_view identifier) {
    const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || core::is_digit(c) || c == '_'; };
    if (identifier.empty() || !std::all_of(identifier.begin(), identifier.end(), is_plain)) return true;
    return core::is_digit(identifier[0]) || is_sql_keyword(identifier);
}

std::string doubled(std::string_view text, std::string_view characters) {
    std::string all;
    for (char c : text) {
        if (characters.find(c) != std::string_view::npos) all += c;
        all += c;
    }
    return all;
}

/// With Unicode escapes of SQL.
std::string unicode_name(std::string_view identifier) {
    std::string spelled = "U&\"";
    while (!identifier.empty()) {
        const std::string_view character = identifier.substr(0, utf8_length(identifier));
        if (is_printable(character)) {
            spelled += doubled(character, "\"\\");
        } else {
            const std::uint32_t code = code_of(character);
            spelled += code < 0x10000 ? fmt::format("\\{:04x}", code) : fmt::format("\\+{:06x}", code);
        }
        identifier.remove_prefix(character.size());
    }
    return spelled + '"';
}

/// SQL has no spelling for such a name. This one is no other name's.
std::string bytes_name(std::string_view identifier) { return "E\"" + printable(doubled(identifier, "\"\\")) + '"'; }

/// What stands in double quotes, and they, at the front of a text.
std::string_view quoted_at_front(std::string_view text) {
    std::size_t end = 1;
    while (end < text.size() && (text[end] != '"' || text.substr(end, 2) == "\"\"")) end += text[end] == '"' ? 2 : 1;
    return text.substr(0, end + 1);
}

std::string without_quotes(std::string_view quoted) {
    std::string identifier;
    for (std::size_t i = 1; i + 1 < quoted.size(); i += quoted[i] == '"' ? 2 : 1) identifier += quoted[i];
    return identifier;
}

/// The names that differ, or the one that there is.
template <typename Spell>
std::string spell_both(const Both<QualifiedName>& names, Spell spell) {
    if (names.source == names.target || names.target.name.empty()) return spell(names.source);
    if (names.source.name.empty()) return spell(names.target);
    return spell(names.source) + " → " + spell(names.target);
}

}  // namespace

std::string display_name(std::string_view identifier) {
    return is_utf8(identifier) && !is_printable(identifier) ? unicode_name(identifier) : exact_name(identifier);
}

std::string display_name(const QualifiedName& name) {
    return display_name(name.schema) + "." + display_name(name.name);
}

std::string display_name(const Both<QualifiedName>& names) {
    return spell_both(names, [](const QualifiedName& name) { return display_name(name); });
}

std::string exact_name(std::string_view identifier) {
    if (!needs_quotes(identifier)) return std::string(identifier);
    if (!is_utf8(identifier)) return bytes_name(identifier);
    return '"' + doubled(identifier, "\"") + '"';
}

std::string exact_name(const QualifiedName& name) { return exact_name(name.schema) + "." + exact_name(name.name); }

std::string exact_name(const Both<QualifiedName>& names) {
    return spell_both(names, [](const QualifiedName& name) { return exact_name(name); });
}

std::string displayed(std::string_view exact) {
    std::string shown;
    for (std::size_t quote; (quote = exact.find('"')) != std::string_view::npos;) {
        shown += exact.substr(0, quote);
        exact.remove_prefix(quote);
        const std::string_view quoted = quoted_at_front(exact);
        shown += is_printable(quoted) ? std::string(quoted) : unicode_name(without_quotes(quoted));
        exact.remove_prefix(quoted.size());
    }
    return shown + std::string(exact);
}

std::string bare_name(const std::string& identifier) {
    return is_utf8(identifier) && !identifier.starts_with("E\"") ? identifier : bytes_name(identifier);
}

std::string display_name(const TablePlan& plan) {
    return plan.large_objects ? "large objects" : display_name(plan.name);
}

std::string display_name(const TablePlan& plan, Side side) {
    return plan.large_objects ? "large objects" : display_name(plan.name[side]);
}

std::string exact_name(const TablePlan& plan) { return plan.large_objects ? "large objects" : exact_name(plan.name); }

std::string exact_name(const TablePlan& plan, Side side) {
    return plan.large_objects ? "large objects" : exact_name(plan.name[side]);
}

std::string describe_database(const ServerInfo& server) {
    std::string text = "database " + display_name(server.database);
    if (!server.host.empty()) text += " on " + server.host + (server.port.empty() ? "" : ":" + server.port);
    return text;
}

}  // namespace parity::driver
