#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/sides.h"
#include "driver/options/name_map.h"

namespace parity::driver {

/// What --map-column, --key, --columns, --exclude-columns and --form say.
struct ColumnEntries {
    ColumnEntries() = default;
    /// Reads what these options say.
    /// Throws: Error{kUsage} for what cannot be read.
    explicit ColumnEntries(const Options& options);

    /// The tables that entries name.
    std::vector<TableScope> named_tables() const;

    /// Calls `visit(option, entries)` for each kind of entry.
    template <typename Visit>
    void for_each_kind(Visit visit) const {
        visit("--map-column", maps);
        visit("--key", keys);
        visit("--columns", columns);
        visit("--exclude-columns", excluded);
        visit("--form", forms);
    }

    std::vector<ColumnMapEntry> maps;
    std::vector<KeyEntry> keys;
    std::vector<ColumnEntry> columns;
    std::vector<ColumnEntry> excluded;
    std::vector<FormEntry> forms;
};

/// What such entries mean for the columns of one pair of tables, and which of them named something at all. Of several
/// about the same thing the most specific one decides, of equals the last.
class ColumnOptions {
  public:
    /// Applies these entries.
    /// Requires: the entries outlive it.
    explicit ColumnOptions(const ColumnEntries& entries) : entries_(entries) {}

    /// What names `root` from now on counts for `member` too, of the same tree of inheritance.
    void belongs_to(const QualifiedName& member, const QualifiedName& root);

    /// The target's name of a source column. An entry counts only where both tables have its column.
    std::string target_name(const RelationDesc& source, const RelationDesc& target, const std::string& column);

    /// Whether --columns (or no such option) takes a source column and --exclude-columns does not drop it. `selected`
    /// alone is false for a column that --columns does not list; a key may still use it.
    struct Choice {
        bool selected = true;
        bool excluded = false;
        bool listed = false;  ///< by --columns
    };
    Choice choose(const RelationDesc& source, const std::string& column);

    /// The --form of a source column.
    /// Returns: null where there is none.
    const FormEntry* form(const RelationDesc& source, const std::string& column);

    /// The source columns that --key gives.
    /// Returns: nothing where --key does not apply: it names no table and this one lacks a column.
    /// Throws: Error{kUsage} where --key names the table and a column does not exist.
    const KeyEntry* key(const RelationDesc& source);

    /// Whatever is said about this chosen table counts as used: its columns are not known.
    void mark_used(const RelationDesc& source);
    /// What names this table counts as used: it exists, but this run does not compare it.
    void mark_unchosen_used(const RelationDesc& source);

    /// Checks that every option means something.
    /// Throws: Error{kUsage} naming the first option that no table and column used.
    void require_all_used() const;

  private:
    bool covers(const TableScope& scope, const QualifiedName& name) const;
    bool has_scoped_columns(const QualifiedName& name) const;
    void use_covering(const QualifiedName& name, int min_precision);

    const ColumnEntries& entries_;
    std::set<const void*> used_;
    std::map<QualifiedName, QualifiedName> roots_;
};

}  // namespace parity::driver
