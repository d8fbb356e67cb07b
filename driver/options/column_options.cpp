#include "driver/options/column_options.h"

#include <algorithm>

#include <fmt/core.h>

#include "driver/model/error.h"
#include "driver/text/display_name.h"

namespace parity::driver {

ColumnEntries::ColumnEntries(const Options& options)
    : maps(parse_column_maps(options.map_columns)),
      keys(parse_keys(options.keys)),
      columns(parse_columns("--columns", options.columns)),
      excluded(parse_columns("--exclude-columns", options.exclude_columns)),
      forms(parse_forms(options.forms)) {}

void ColumnOptions::belongs_to(const QualifiedName& member, const QualifiedName& root) { roots_[member] = root; }

bool ColumnOptions::covers(const TableScope& scope, const QualifiedName& name) const {
    const auto root = roots_.find(name);
    return scope.covers(name) || (root != roots_.end() && scope.covers(root->second));
}

std::string ColumnOptions::target_name(const RelationDesc& source, const RelationDesc& target,
                                       const std::string& column) {
    const ColumnMapEntry* best = nullptr;
    for (const ColumnMapEntry& entry : entries_.maps) {
        if (entry.source != column || !covers(entry.scope, source.name) || !find_column(target, entry.target)) continue;
        used_.insert(&entry);
        if (!best || entry.scope.precision() >= best->scope.precision()) best = &entry;
    }
    return best ? best->target : column;
}

/// --columns with a table's name is about that table; without one it is about all tables that no such entry names.
bool ColumnOptions::has_scoped_columns(const QualifiedName& name) const {
    return std::any_of(entries_.columns.begin(), entries_.columns.end(), [&](const ColumnEntry& entry) {
        return entry.scope.precision() > 0 && covers(entry.scope, name);
    });
}

ColumnOptions::Choice ColumnOptions::choose(const RelationDesc& source, const std::string& column) {
    Choice choice;
    const bool scoped = has_scoped_columns(source.name);
    bool listed = false, listing = false;
    for (const ColumnEntry& entry : entries_.columns) {
        if (!covers(entry.scope, source.name) || (scoped && entry.scope.precision() == 0)) continue;
        listing = true;
        if (entry.column != column) continue;
        listed = true;
        used_.insert(&entry);
    }
    choice.selected = listed || !listing;
    choice.listed = listed;
    for (const ColumnEntry& entry : entries_.excluded) {
        if (entry.column != column || !covers(entry.scope, source.name)) continue;
        choice.excluded = true;
        used_.insert(&entry);
    }
    return choice;
}

const FormEntry* ColumnOptions::form(const RelationDesc& source, const std::string& column) {
    const FormEntry* best = nullptr;
    for (const FormEntry& entry : entries_.forms) {
        if (entry.column != column || !covers(entry.scope, source.name)) continue;
        used_.insert(&entry);
        if (!best || entry.scope.precision() >= best->scope.precision()) best = &entry;
    }
    return best;
}

const KeyEntry* ColumnOptions::key(const RelationDesc& source) {
    const KeyEntry* best = nullptr;
    for (const KeyEntry& entry : entries_.keys) {
        if (!covers(entry.scope, source.name)) continue;
        const auto missing = std::find_if(entry.columns.begin(), entry.columns.end(),
                                          [&](const std::string& column) { return !find_column(source, column); });
        if (missing != entry.columns.end() && entry.scope.precision() > 0) {
            throw Error(ErrorKind::kUsage,
                        fmt::format("column \"{}\" of --key \"{}\" does not exist in {} on the source", *missing,
                                    entry.text, display_name(source.name)));
        }
        if (missing != entry.columns.end()) continue;
        used_.insert(&entry);
        if (!best || entry.scope.precision() >= best->scope.precision()) best = &entry;
    }
    return best;
}

void ColumnOptions::use_covering(const QualifiedName& name, int min_precision) {
    entries_.for_each_kind([&](std::string_view, const auto& entries) {
        for (const auto& entry : entries) {
            if (entry.scope.precision() >= min_precision && covers(entry.scope, name)) used_.insert(&entry);
        }
    });
}

void ColumnOptions::mark_used(const RelationDesc& source) { use_covering(source.name, 0); }

void ColumnOptions::mark_unchosen_used(const RelationDesc& source) { use_covering(source.name, 1); }

std::vector<TableScope> ColumnEntries::named_tables() const {
    std::vector<TableScope> scopes;
    for_each_kind([&](std::string_view, const auto& entries) {
        for (const auto& entry : entries) {
            if (entry.scope.precision() > 0) scopes.push_back(entry.scope);
        }
    });
    return scopes;
}

void ColumnOptions::require_all_used() const {
    entries_.for_each_kind([&](std::string_view option, const auto& entries) {
        for (const auto& entry : entries) {
            if (used_.contains(&entry)) continue;
            throw Error(ErrorKind::kUsage, fmt::format("no chosen table has what {} \"{}\" names", option, entry.text));
        }
    });
}

}  // namespace parity::driver
