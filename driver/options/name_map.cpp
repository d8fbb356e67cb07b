#include "driver/options/name_map.h"

#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "core/ascii.h"
#include "core/form.h"
#include "driver/model/error.h"
#include "driver/options/form_name.h"
#include "driver/options/suggestion.h"

namespace parity::driver {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n'; }

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

[[noreturn]] void refuse_mapping(std::string_view option, std::string_view text, std::string_view expected) {
    throw Error(ErrorKind::kUsage, fmt::format("invalid value \"{}\" for {}", text, option),
                fmt::format("the form is {}", expected));
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool may_stand_unquoted(char c) {
    return static_cast<unsigned char>(c) >= 0x80 || core::is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') ||
           c == '_' || c == '$' || c == '-' || c == '#';
}

/// One part of a name, without what surrounds it; nothing for what is no identifier.
std::optional<std::string> parse_identifier(std::string_view text) {
    text = trim(text);
    std::string name;
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
        text = text.substr(1, text.size() - 2);
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '"' && text.substr(++i, 1) != "\"") return std::nullopt;
            name += text[i];
        }
    } else {
        if (!std::all_of(text.begin(), text.end(), may_stand_unquoted)) return std::nullopt;
        std::transform(text.begin(), text.end(), std::back_inserter(name), lower);
    }
    if (name.empty()) return std::nullopt;
    return name;
}

/// "schema.*": the schema; nothing for anything else.
std::optional<std::string> parse_whole_schema(std::string_view text) {
    const std::vector<std::string> parts = split_unquoted(text, '.');
    if (parts.size() != 2 || trim(parts[1]) != "*") return std::nullopt;
    return parse_identifier(parts[0]);
}

constexpr std::string_view kMapForm = "[schema.]old=[schema.]new or schema.*=schema.*";

QualifiedName parse_table_name(std::string_view option, std::string_view text) {
    std::vector<std::string> parts = parse_name(option, text, 2);
    if (parts.size() == 1) return {"", std::move(parts[0])};
    return {std::move(parts[0]), std::move(parts[1])};
}

NameMap::Entry parse_map_entry(const std::string& text) {
    const std::vector<std::string> sides = split_unquoted(text, '=');
    if (sides.size() != 2) refuse_mapping("--map", text, kMapForm);
    const std::optional<std::string> source = parse_whole_schema(sides[0]);
    const std::optional<std::string> target = parse_whole_schema(sides[1]);
    if (source.has_value() != target.has_value()) refuse_mapping("--map", text, kMapForm);
    if (source) return {text, {*source, ""}, {*target, ""}};
    return {text, parse_table_name("--map", sides[0]), parse_table_name("--map", sides[1])};
}

/// The schema of the target names that an entry is about; empty: any.
const std::string& target_schema(const NameMap::Entry& entry) {
    return entry.target.schema.empty() ? entry.source.schema : entry.target.schema;
}

bool matches(const std::string& wanted, const std::string& name) { return wanted.empty() || wanted == name; }

/// How specific an entry about (schema, name) is: a whole name before a name before a schema.
int precision(const std::string& schema, const std::string& name) {
    return (name.empty() ? 0 : 2) + (schema.empty() ? 0 : 1);
}

TableScope scope_of(std::vector<std::string> parts) {
    TableScope scope;
    if (!parts.empty()) scope.table = std::move(parts.back());
    if (parts.size() > 1) scope.schema = std::move(parts.front());
    return scope;
}

}  // namespace

std::vector<std::string> split_unquoted(std::string_view text, char separator) {
    std::vector<std::string> pieces(1);
    bool quoted = false;
    for (char c : text) {
        if (c == '"') quoted = !quoted;
        if (c == separator && !quoted) {
            pieces.emplace_back();
        } else {
            pieces.back() += c;
        }
    }
    return pieces;
}

std::vector<std::string> parse_name(std::string_view option, std::string_view text, std::size_t max_parts) {
    std::vector<std::string> names;
    for (const std::string& part : split_unquoted(text, '.')) {
        std::optional<std::string> name = parse_identifier(part);
        if (!name || names.size() == max_parts) {
            throw Error(ErrorKind::kUsage, fmt::format("invalid name \"{}\" in {}", trim(text), option),
                        "put names with special characters in double quotes");
        }
        names.push_back(std::move(*name));
    }
    return names;
}

TableScope parse_table_scope(std::string_view option, const std::string& text) {
    return scope_of(parse_name(option, text, 2));
}

// ---- --map ---------------------------------------------------------------------------------------------------

NameMap::NameMap(const std::vector<std::string>& maps) {
    for (const std::string& text : maps) {
        Entry entry = parse_map_entry(text);
        for (const Entry& other : entries_) {
            const bool same_source = other.source == entry.source;
            const bool same_target =
                target_schema(other) == target_schema(entry) && other.target.name == entry.target.name;
            if (!same_source && !same_target) continue;
            throw Error(ErrorKind::kUsage, fmt::format("--map \"{}\" contradicts --map \"{}\"", text, other.text));
        }
        entries_.push_back(std::move(entry));
    }
}

const NameMap::Entry* NameMap::entry_for(const QualifiedName& source) const {
    const Entry* best = nullptr;
    for (const Entry& entry : entries_) {
        if (!matches(entry.source.schema, source.schema) || !matches(entry.source.name, source.name)) continue;
        if (best &&
            precision(entry.source.schema, entry.source.name) <= precision(best->source.schema, best->source.name)) {
            continue;
        }
        best = &entry;
    }
    return best;
}

QualifiedName NameMap::to_target(const QualifiedName& source) const {
    const Entry* entry = entry_for(source);
    if (!entry) return source;
    return {entry->target.schema.empty() ? source.schema : entry->target.schema,
            entry->target.name.empty() ? source.name : entry->target.name};
}

QualifiedName NameMap::to_source(const QualifiedName& target) const {
    const Entry* best = nullptr;
    for (const Entry& entry : entries_) {
        if (!matches(target_schema(entry), target.schema) || !matches(entry.target.name, target.name)) continue;
        if (best &&
            precision(target_schema(entry), entry.target.name) <= precision(target_schema(*best), best->target.name)) {
            continue;
        }
        best = &entry;
    }
    if (!best) return target;
    return {best->source.schema.empty() ? target.schema : best->source.schema,
            best->source.name.empty() ? target.name : best->source.name};
}

// ---- options about columns -----------------------------------------------------------------------------------

bool TableScope::covers(const QualifiedName& name) const {
    return matches(schema, name.schema) && matches(table, name.name);
}

std::vector<ColumnMapEntry> parse_column_maps(const std::vector<std::string>& texts) {
    std::vector<ColumnMapEntry> entries;
    for (const std::string& text : texts) {
        const std::vector<std::string> sides = split_unquoted(text, '=');
        if (sides.size() != 2) refuse_mapping("--map-column", text, "[[schema.]table.]old=new");
        std::vector<std::string> parts = parse_name("--map-column", sides[0], 3);
        std::string source = std::move(parts.back());
        parts.pop_back();
        entries.push_back(
            {text, scope_of(std::move(parts)), std::move(source), parse_name("--map-column", sides[1], 1).front()});
    }
    return entries;
}

std::vector<KeyEntry> parse_keys(const std::vector<std::string>& texts) {
    std::vector<KeyEntry> entries;
    for (const std::string& text : texts) {
        const std::vector<std::string> sides = split_unquoted(text, '=');
        if (sides.size() > 2) refuse_mapping("--key", text, "[[schema.]table=]column[,column]…");
        KeyEntry entry{text, {}, {}};
        if (sides.size() == 2) entry.scope = scope_of(parse_name("--key", sides[0], 2));
        for (const std::string& column : split_unquoted(sides.back(), ',')) {
            entry.columns.push_back(parse_name("--key", column, 1).front());
            if (std::count(entry.columns.begin(), entry.columns.end(), entry.columns.back()) > 1) {
                throw Error(ErrorKind::kUsage,
                            fmt::format("column \"{}\" occurs twice in --key \"{}\"", entry.columns.back(), text));
            }
        }
        entries.push_back(std::move(entry));
    }
    return entries;
}

std::vector<ColumnEntry> parse_columns(std::string_view option, const std::vector<std::string>& texts) {
    std::vector<ColumnEntry> entries;
    for (const std::string& text : texts) {
        for (const std::string& piece : split_unquoted(text, ',')) {
            std::vector<std::string> parts = parse_name(option, piece, 3);
            std::string column = std::move(parts.back());
            parts.pop_back();
            entries.push_back({std::string(trim(piece)), scope_of(std::move(parts)), std::move(column)});
        }
    }
    return entries;
}

namespace {

/// Whether a server knows the zone is seen there. Abbreviations mean what the settings of a server say.
void check_zone(const std::string& form, const std::string& text) {
    const std::string_view zone = zone_of(form);
    if (zone == "UTC" || (zone.find('/') != std::string_view::npos && zone.find('@') == std::string_view::npos)) return;
    throw Error(ErrorKind::kUsage, fmt::format("invalid time zone \"{}\" in --form \"{}\"", zone, text),
                "use UTC or a full name of pg_timezone_names that has a slash, like Europe/Berlin");
}

/// The form that somebody means who names a type instead.
std::string form_of_type(const std::string& type) {
    static const std::map<std::string, std::string> kForms = {
        {"numeric", "decimal"}, {"smallint", "int"}, {"integer", "int"},
        {"bigint", "int"},      {"boolean", "bool"}, {"varchar", "text"},
        {"char", "text"},       {"bytea", "bytes"},  {"double precision", "float"},
        {"real", "float4"},     {"jsonb", "json"},   {"bit", "bits"},
        {"cidr", "inet"}};
    const auto found = kForms.find(type);
    return found == kForms.end() ? type : found->second;
}

std::vector<std::string> names_of_forms() {
    std::vector<std::string> names;
    for (int code = 0; code <= 255; ++code)
        if (const std::optional<core::Form> form = core::form_by_code(static_cast<std::uint8_t>(code)))
            names.emplace_back(core::form_name(*form));
    return names;
}

/// Anywhere else a zone would be without meaning, and ignored.
bool stands_behind_a_time(const std::string& form) {
    const std::string_view before = std::string_view(form).substr(0, form.find('@'));
    return before.ends_with("timestamp") || before.ends_with("timestamptz");
}

}  // namespace

std::vector<FormEntry> parse_forms(const std::vector<std::string>& texts) {
    std::vector<FormEntry> entries;
    for (const std::string& text : texts) {
        const std::vector<std::string> sides = split_unquoted(text, '=');
        if (sides.size() != 2) refuse_mapping("--form", text, "[[schema.]table.]column=form");
        std::vector<std::string> parts = parse_name("--form", sides[0], 3);
        std::string column = std::move(parts.back());
        parts.pop_back();
        std::string form(trim(sides[1]));
        const std::optional<core::Form> known = core::form_by_name(without_zones(form));
        const bool with_zone = form.find('@') != std::string::npos;
        if (with_zone) check_zone(form, text);
        if (!known || (with_zone && !stands_behind_a_time(form)) || *known == core::Form::kKey ||
            *known == core::Form::kRow) {
            const std::string meant = suggestion(form_of_type(form), names_of_forms());
            throw Error(ErrorKind::kUsage, fmt::format("unknown form \"{}\" in --form \"{}\"", form, text),
                        fmt::format("{}{}--dry-run shows the form of each column", meant, meant.empty() ? "" : " "));
        }
        entries.push_back({text, scope_of(std::move(parts)), std::move(column), std::move(form)});
    }
    return entries;
}

}  // namespace parity::driver
