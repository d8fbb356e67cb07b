#include "driver/report/against.h"

#include <optional>
#include <utility>

#include "core/bytes.h"
#include "core/hash.h"

namespace parity::driver {
namespace {

/// What tells a table: its names on both sides.
std::string names_of(const Json& table) {
    return dumped(Json{table.value("source", Json()), table.value("target", Json())});
}

/// A divergence is known again by its key, whatever kind it is; without a key by its kind and row.
std::string key_of(const Json& divergence) {
    const char* const row = divergence.contains("row") ? "row" : "row_hash";
    const std::string text = divergence.contains("key") ? dumped(divergence["key"])
                                                        : dumped(divergence.at("kind")) + dumped(divergence.at(row));
    const core::u128 hash = core::hash_bytes<core::u128>(core::as_bytes(text), 0);
    return std::string(reinterpret_cast<const char*>(&hash), sizeof hash);
}

Json columns_of(const Json& table) {
    Json columns = Json::array();
    for (const Json& column : table.value("columns", Json::array()))
        columns.push_back(
            {column.value("name", Json()), column.value("target_name", Json()), column.value("form", Json())});
    return columns;
}

/// Whether a table was compared to the end.
bool was_compared(const Json& table) {
    return !table.contains("error") && table.value("result", "") != "error" && !table.contains("not_compared");
}

/// Why what a report lists of a table may not be all that differs; nothing where it is.
std::optional<std::string> why_not_whole(const Json& table, const char* which) {
    if (table.contains("not_listed")) return std::string(which) + " list is capped (--max-divergences)";
    if (table.value("incomplete", false)) return std::string(which) + " comparison is incomplete";
    return std::nullopt;
}

std::optional<std::string> why_unknown(const Json& table, const Json* older) {
    if (!older) return "the older report has no such table";
    if (!was_compared(*older)) return "the older comparison failed";
    if (!was_compared(table)) return "this comparison failed";
    for (const char* member : {"key", "key_forms", "where", "without_children", "visible_rows_only"})
        if (table.value(member, Json()) != older->value(member, Json()))
            return std::string("another ") + (std::string_view(member) == "where" ? "condition" : "key or scope");
    if (columns_of(table) != columns_of(*older)) return "other columns or forms";
    if (std::optional<std::string> why = why_not_whole(*older, "the older")) return why;
    return why_not_whole(table, "this");
}

/// What was counted; of a table that was not read, or not to its end, nothing.
void add_counts(Json& entry, const char* member, const Json& table) {
    if (table.contains("rows") && table.contains("counts") && was_compared(table)) entry[member] = table.at("counts");
}

/// The sides that are other databases than those of the older report, as far as both say which they are.
Json other_databases(const Json& head, const Json& older) {
    Json sides = Json::array();
    for (const char* side : {"source", "target"})
        for (const char* member : {"system_identifier", "database"}) {
            const Json now = head.at(side).value(member, Json()), then = older.at(side).value(member, Json());
            if (now.is_null() || then.is_null() || now == then) continue;
            sides.push_back(side);
            break;
        }
    return sides;
}

}  // namespace

AgainstDocument::AgainstDocument(const ReportDocument& document, const ReportDocument& older)
    : document_(document), older_(older), head_(document.head()) {
    std::map<std::string, std::size_t> older_tables;
    const Json& before = older.head().at("tables");
    for (std::size_t i = 0; i < before.size(); ++i) older_tables.emplace(names_of(before[i]), i);
    Json tables = Json::array();
    const Json& now = document.head().at("tables");
    for (std::size_t i = 0; i < now.size(); ++i) {
        const auto found = older_tables.find(names_of(now[i]));
        const bool known = found != older_tables.end();
        Json entry = compare(now[i], i, known ? &before[found->second] : nullptr, known ? found->second : 0);
        if (known) older_tables.erase(found);
        tables.push_back(std::move(entry));
    }
    for (const auto& [names, number] : older_tables) {
        Json entry = Json::object();
        for (const char* side : {"source", "target"})
            if (before[number].contains(side)) entry[side] = before[number][side];
        entry["unknown"] = "this report has no such table";
        add_counts(entry, "older_counts", before[number]);
        tables.push_back(std::move(entry));
    }
    head_["against"] = {{"started_at", older.head().value("started_at", Json())},
                        {"result", older.head().value("result", Json())},
                        {"tables", std::move(tables)}};
    if (Json others = other_databases(head_, older.head()); !others.empty())
        head_["against"]["other_databases"] = std::move(others);
}

Json AgainstDocument::compare(const Json& table, std::size_t number, const Json* older, std::size_t older_number) {
    Json entry = Json::object();
    for (const char* side : {"source", "target"})
        if (table.contains(side)) entry[side] = table[side];
    if (const std::optional<std::string> why = why_unknown(table, older)) {
        entry["unknown"] = *why;
        add_counts(entry, "counts", table);
        if (older) add_counts(entry, "older_counts", *older);
        return entry;
    }
    Keys keys = keys_of(older_, older_number);
    older_keys_[number] = keys;
    std::uint64_t gone = 0, added = 0, persisting = 0;
    for (const auto& [key, count] : keys_of(document_, number)) {
        const auto found = keys.find(key);
        const std::uint64_t before = found == keys.end() ? 0 : found->second;
        persisting += std::min(count, before);
        added += count - std::min(count, before);
        if (found != keys.end()) found->second -= std::min(count, before);
    }
    for (const auto& [key, count] : keys) gone += count;
    entry["gone"] = json_number(gone);
    entry["new"] = json_number(added);
    entry["persisting"] = json_number(persisting);
    return entry;
}

AgainstDocument::Keys AgainstDocument::keys_of(const ReportDocument& document, std::size_t table) {
    Keys keys;
    document.for_each_divergence(table, [&](const Json& divergence) { ++keys[key_of(divergence)]; });
    return keys;
}

void AgainstDocument::for_each_divergence(std::optional<std::size_t> table,
                                          const std::function<void(const Json&)>& take) const {
    const auto known = table ? older_keys_.find(*table) : older_keys_.end();
    if (known == older_keys_.end()) {
        return document_.for_each_divergence(table, [&](const Json& divergence) {
            Json unmarked = divergence;  // the mark is that of an earlier comparison of reports
            unmarked.erase("against");
            take(unmarked);
        });
    }
    Keys left = known->second;
    document_.for_each_divergence(table, [&](const Json& divergence) {
        const auto found = left.find(key_of(divergence));
        const bool persists = found != left.end() && found->second > 0;
        if (persists) --found->second;
        Json marked = divergence;
        marked["against"] = persists ? "persisting" : "new";
        take(marked);
    });
}

}  // namespace parity::driver
