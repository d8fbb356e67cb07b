#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/model.h"

namespace parity::driver {

/// A possibly qualified name in SQL's manner: parts separated by dots, letters outside of double quotes lower-cased.
/// Reads from `text` on; stops before any of `stop` outside of quotes. Error kUsage naming `option` for what is no name.
std::vector<std::string> parse_name(std::string_view option, std::string_view text);

/// --map: which name on the target stands for a name on the source.
class NameMap {
  public:
    struct Entry {
        std::string text;           ///< as the user wrote it
        QualifiedName source;       ///< schema empty: in any schema; name empty: the whole schema
        QualifiedName target;       ///< schema empty: the source's
    };

    NameMap() = default;
    /// "old=new" with old and new "[schema.]name", or both "schema.*". Error kUsage for anything else, or two that contradict.
    explicit NameMap(const std::vector<std::string>& maps);

    QualifiedName to_target(const QualifiedName& source) const;
    /// The source name that is mapped to this target name; the name itself if none is.
    QualifiedName to_source(const QualifiedName& target) const;
    const std::vector<Entry>& entries() const { return entries_; }
    /// The entry that decides about a source name.
    const Entry* entry_for(const QualifiedName& source) const;

  private:
    std::vector<Entry> entries_;
};

/// What an option about columns is about: every table, tables of a name, or one table. Names are the source's.
struct TableScope {
    std::string schema;  ///< empty: any
    std::string table;   ///< empty: any
    bool covers(const QualifiedName& name) const;
};

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

}  // namespace parity::driver
