#include "driver/planning/hints.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "driver/options/suggestion.h"
#include "driver/text/display_name.h"

namespace parity::driver {

namespace {

/// A word of the user against names as SQL reads them.
std::string suggest_name(const std::string& given, const std::vector<QualifiedName>& names, bool of_schemas) {
    const bool qualified = given.find('.') != std::string::npos;
    std::set<std::string> words;
    for (const QualifiedName& name : names) {
        const std::string schema = display_name(name.schema);
        words.insert(of_schemas ? schema : qualified ? display_name(name) : display_name(name.name));
    }
    return suggestion(given, {words.begin(), words.end()});
}

/// The tables that only one side has, by schema.
std::map<std::string, std::set<std::string>> lone_tables(const Pairing& pairing, const Both<Inventory>& inventories,
                                                         Side side) {
    std::map<std::string, std::set<std::string>> tables;
    for (std::size_t index : pairing.only_here[side]) {
        const QualifiedName& name = inventories[side].relations[index].name;
        tables[name.schema].insert(name.name);
    }
    return tables;
}

/// What lets a server's role read all tables, or sequences, of these schemas.
std::string grants(const ServerInfo& server, std::string_view kind, const std::set<std::string>& schemas) {
    return fmt::format("GRANT USAGE ON SCHEMA {0} TO {1}; GRANT SELECT ON ALL {2} IN SCHEMA {0} TO {1}",
                       fmt::join(schemas, ", "), display_name(server.role), kind);
}

/// --map with a schema of the source and one of the target, as a shell reads it.
std::string map_of_schemas(const std::string& source, const std::string& target) {
    std::string quoted;
    for (char c : fmt::format("{}.*={}.*", display_name(source), display_name(target)))
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return fmt::format("--map '{}'", quoted);
}

/// A schema of the source whose tables stand in a schema of another name on the target, half of them at least. Of many
/// schemas, which may all have the same tables, the first ones are told.
void add_renamed_schemas(std::vector<std::string>& hints, const Pairing& pairing, const Both<Inventory>& inventories) {
    constexpr int kMostSchemas = 10;
    std::map<std::string, std::vector<std::string>> schemas_with;  // a table of this name that only the target has
    for (const auto& [schema, tables] : lone_tables(pairing, inventories, Side::kTarget))
        for (const std::string& table : tables) schemas_with[table].push_back(schema);
    int told = 0;
    for (const auto& [schema, tables] : lone_tables(pairing, inventories, Side::kSource)) {
        if (told == kMostSchemas) break;
        std::map<std::string, std::size_t> common;
        for (const std::string& table : tables)
            for (const std::string& other : schemas_with[table])
                if (other != schema) ++common[other];
        const auto likely = std::max_element(common.begin(), common.end(),
                                             [](const auto& a, const auto& b) { return a.second < b.second; });
        if (likely == common.end() || likely->second * 2 < tables.size()) continue;
        ++told;
        hints.push_back(
            fmt::format("{} of {} tables that only the source has in schema {} are in schema {} on the target: {} "
                        "compares them",
                        likely->second, tables.size(), display_name(schema), display_name(likely->first),
                        map_of_schemas(schema, likely->first)));
    }
}

void add_missing_rights(std::vector<std::string>& hints, const Pairing& pairing, const Both<Inventory>& inventories) {
    for (Side side : kSides) {
        std::set<std::string> schemas;
        std::size_t tables = 0;
        for (const RelationPair& pair : pairing.pairs) {
            const RelationDesc& relation = inventories[side].relations[pair[side]];
            if (relation.columns.empty() || relation.unreadable_columns.size() < relation.columns.size()) continue;
            schemas.insert(display_name(relation.name.schema));
            ++tables;
        }
        if (tables == 0) continue;
        const ServerInfo& server = inventories[side].server;
        hints.push_back(fmt::format("the role {} may not read {} of the tables on {}: {}", display_name(server.role),
                                    tables, side_name(side), grants(server, "TABLES", schemas)));
    }
}

void add_unread_sequences(std::vector<std::string>& hints, const Plan& plan, const Both<Inventory>& inventories) {
    for (Side side : kSides) {
        std::set<std::string> schemas;
        for (const Both<SequenceDesc>& sequence : plan.sequences)
            if (sequence[side].lacks_rights) schemas.insert(display_name(sequence[side].name.schema));
        if (schemas.empty()) continue;
        const ServerInfo& server = inventories[side].server;
        hints.push_back(fmt::format("the role {} may not read sequences on {}: {}", display_name(server.role),
                                    side_name(side), grants(server, "SEQUENCES", schemas)));
    }
}

void add_unread_large_objects(std::vector<std::string>& hints, const Plan& plan, const Both<Inventory>& inventories) {
    const bool unread = std::any_of(plan.tables.begin(), plan.tables.end(), [](const TablePlan& table) {
        return table.large_objects && !table.large_objects->why_unread.empty();
    });
    if (!unread) return;
    for (Side side : kSides)
        if (!inventories[side].large_objects.readable)
            hints.push_back(
                fmt::format("the contents of large objects are not read on {}: GRANT SELECT ON "
                            "pg_catalog.pg_largeobject TO {} allows it, --no-large-objects leaves them out",
                            side_name(side), display_name(inventories[side].server.role)));
}

/// Where no table has a counterpart, one of the sides may be another database than the user thinks.
void add_nothing_in_common(std::vector<std::string>& hints, const Pairing& pairing,
                           const Both<Inventory>& inventories) {
    if (!pairing.pairs.empty() || !pairing.refused.empty()) return;
    if (pairing.only_here.source.empty() && pairing.only_here.target.empty()) return;
    const Side has = pairing.only_here.source.empty() ? Side::kTarget : Side::kSource;
    hints.push_back(fmt::format("no table of the {} is on the {}: are {} and {} the right ones?", side_name(has),
                                side_name(other_side(has)), describe_database(inventories.source.server),
                                describe_database(inventories.target.server)));
}

/// A pattern that says something else than its author thinks, and needs no similar name.
std::string hint_about_spelling(const std::string& pattern, const std::vector<QualifiedName>& names) {
    if (pattern.find(',') != std::string::npos) return "an option takes one pattern: repeat it for each";
    if (const std::size_t point = pattern.rfind('.'); point != std::string::npos) {
        const auto elsewhere = std::find_if(names.begin(), names.end(), [&](const QualifiedName& name) {
            return display_name(name.name) == pattern.substr(point + 1);
        });
        if (elsewhere != names.end()) return fmt::format("did you mean {}?", display_name(*elsewhere));
    }
    const bool has_capitals = std::any_of(pattern.begin(), pattern.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    if (has_capitals && pattern.find('"') == std::string::npos)
        return "letters become small as in SQL, but not in double quotes: '\"Orders\"'";
    return {};
}

}  // namespace

std::string hint_about_pattern(const std::string& pattern, bool of_schemas, const Both<Inventory>& inventories) {
    std::vector<QualifiedName> names = inventories.source.all_names;
    names.insert(names.end(), inventories.target.all_names.begin(), inventories.target.all_names.end());
    std::string similar = suggest_name(pattern, names, of_schemas);
    return similar.empty() && !of_schemas ? hint_about_spelling(pattern, names) : similar;
}

std::string hint_about_map(const NameMap::Entry& entry, const std::vector<QualifiedName>& names) {
    const std::string& word = entry.source.name;
    const bool is_schema =
        entry.source.schema.empty() &&
        std::any_of(names.begin(), names.end(), [&](const auto& name) { return name.schema == word; });
    if (is_schema)
        return fmt::format("{} is a schema: {} maps its tables", display_name(word),
                           map_of_schemas(word, entry.target.name));
    if (word.empty()) return suggest_name(display_name(entry.source.schema), names, true);
    const bool qualified = !entry.source.schema.empty();
    return suggest_name(qualified ? display_name(entry.source) : display_name(word), names, false);
}

std::vector<std::string> hints_about(const Plan& plan, const Pairing& pairing, const Both<Inventory>& inventories) {
    std::vector<std::string> hints;
    add_nothing_in_common(hints, pairing, inventories);
    add_renamed_schemas(hints, pairing, inventories);
    add_missing_rights(hints, pairing, inventories);
    add_unread_sequences(hints, plan, inventories);
    add_unread_large_objects(hints, plan, inventories);
    return hints;
}

}  // namespace parity::driver
