#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/model/sides.h"

namespace parity::driver {

/// The pieces of `text` between the separators that stand outside of double quotes.
std::vector<std::string> split_unquoted(std::string_view text, char separator);

/// The parts of a possibly qualified name in SQL's manner: separated by dots, letters outside of double quotes
/// lower-cased.
/// Throws: Error{kUsage} naming `option` where the text is no name or has more than `max_parts` parts.
std::vector<std::string> parse_name(std::string_view option, std::string_view text, std::size_t max_parts);

/// --map: which name on the target stands for a name on the source.
class NameMap {
  public:
    struct Entry {
        std::string text;      ///< as the user wrote it
        QualifiedName source;  ///< schema empty: in any schema; name empty: the whole schema
        QualifiedName target;  ///< schema empty: the source's
    };

    NameMap() = default;
    /// Reads "old=new" with old and new "[schema.]name", or both "schema.*".
    /// Throws: Error{kUsage} for anything else, or two that contradict.
    explicit NameMap(const std::vector<std::string>& maps);

    QualifiedName to_target(const QualifiedName& source) const;
    /// The source name that is mapped to this target name. Where an entry leaves the source's schema open and gives the
    /// target's, the target's schema stands for it.
    /// Returns: the target name itself if no source name is mapped to it.
    QualifiedName to_source(const QualifiedName& target) const;
    const std::vector<Entry>& entries() const { return entries_; }
    /// The entry that decides about a source name, the most specific one alone: schema and name before name before
    /// schema.
    const Entry* entry_for(const QualifiedName& source) const;

  private:
    std::vector<Entry> entries_;
};

/// What an option about columns is about: every table, tables of a name, or one table. Names are the source's.
struct TableScope {
    std::string schema;  ///< empty: any
    std::string table;   ///< empty: any
    bool covers(const QualifiedName& name) const;
    /// 0: every table, 1: a name in any schema, 2: one table. The most specific option decides.
    int precision() const { return (schema.empty() ? 0 : 1) + (table.empty() ? 0 : 1); }
};

/// Reads "[schema.]table".
/// Throws: Error{kUsage}, with the option's name, for anything else.
TableScope parse_table_scope(std::string_view option, const std::string& text);

/// --map-column "[[schema.]table.]old=new".
struct ColumnMapEntry {
    std::string text;
    TableScope scope;
    std::string source;
    std::string target;
};
std::vector<ColumnMapEntry> parse_column_maps(const std::vector<std::string>& texts);

/// --key "[[schema.]table=]column[,column]…".
struct KeyEntry {
    std::string text;
    TableScope scope;
    std::vector<std::string> columns;
};
std::vector<KeyEntry> parse_keys(const std::vector<std::string>& texts);

/// --columns and --exclude-columns: "[[schema.]table.]column[,…]".
struct ColumnEntry {
    std::string text;
    TableScope scope;
    std::string column;
};
std::vector<ColumnEntry> parse_columns(std::string_view option, const std::vector<std::string>& texts);

/// --form "[[schema.]table.]column=form". The form's name is checked to be one.
struct FormEntry {
    std::string text;
    TableScope scope;
    std::string column;
    std::string form;
};
std::vector<FormEntry> parse_forms(const std::vector<std::string>& texts);

}  // namespace parity::driver
