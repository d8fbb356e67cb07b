#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/model/options.h"

namespace parity::driver {

/// A table pattern in psql's manner, translated to regular expressions for pg_catalog.~.
///
/// `*` stands for any characters, `?` for any one, `.` separates schema and name, double quotes keep case and take the
/// meaning from special characters, letters outside of quotes are lower-cased, `$` is itself; any other regular
/// expression characters mean what they mean in one.
struct NamePattern {
    std::string text;                         ///< as the user wrote it
    std::optional<std::string> database;      ///< the first of three parts, as a regular expression
    std::optional<std::string> schema_regex;  ///< nothing: any schema
    std::string name_regex;                   ///< "^(…)$"
    bool exact = false;                       ///< holds no wildcard in any part: names one thing
};

/// Reads a table pattern of one to three parts.
/// Throws: Error{kUsage} naming `option` for more parts, an empty one or an unclosed quote.
NamePattern parse_table_pattern(std::string_view option, std::string_view text);

/// Reads a schema pattern: the name is the schema's.
/// Throws: as parse_table_pattern() does, and Error{kUsage} for more than one part.
NamePattern parse_schema_pattern(std::string_view option, std::string_view text);

/// Which relations a run is about. A relation is selected if it matches one of `tables` (or there are none), its schema
/// one of `schemas` (or there are none), and it none of `excluded`.
struct Selection {
    std::vector<NamePattern> tables;
    std::vector<NamePattern> schemas;
    std::vector<NamePattern> excluded;
};

Selection make_selection(const Options& options);

}  // namespace parity::driver
