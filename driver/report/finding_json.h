#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <nlohmann/json.hpp>

#include "driver/model/plan.h"
#include "driver/model/results.h"
#include "driver/text/literal.h"

/// Findings as JSON, for reports (docs/cli.md) and records.
namespace parity::driver {

using Json = nlohmann::ordered_json;

/// A text, or {"bytes": hexadecimal} where it is not UTF-8.
Json json_text(std::string_view text);

/// A message, with bytes that are not UTF-8 (names in SQL_ASCII databases) as \\xff. Names are exact_name()'s and
/// bare_name()'s.
std::string clean(const std::string& text);

/// An unsigned number of 64 bits, as a text.
Json json_number(std::uint64_t number);

/// An array of cleaned texts.
Json json_messages(const std::vector<std::string>& texts);

/// An array of names of columns.
Json json_names(const std::vector<std::string>& names);

/// The document on one line. Never fails for bytes that are not UTF-8.
std::string dumped(const Json& json);

/// Values of columns by the columns' names.
Json json_row(const std::vector<ColumnPlan>& columns, const std::vector<std::optional<std::string>>& values);

/// The leading columns of the key that a bound has; null where there is no bound, or it is one of hashes.
Json json_bound(const std::vector<ColumnPlan>& key, std::string_view bound);

/// What a member of an object holds, by name: an ordered document looks for a name from the front.
/// Requires: the object outlives it.
/// Returns: nothing where the member is not there or no object.
std::unordered_map<std::string, const Json*> members_of(const Json& object, const char* member);

/// Turns one table's findings into JSON: "kind", "key" or, without one, "row", or "row_hash" where the row is not kept;
/// of mismatches "columns" and, where values were fetched, "source" and "target"; "occurrences".
/// Requires: the table outlives it.
class FindingWriter {
  public:
    explicit FindingWriter(const TablePlan& table);
    Json json(const Finding& finding) const;

  private:
    void add_cells(Json& json, const Finding& finding) const;

    const TablePlan& table_;
    KeyWriter keys_;
};

}  // namespace parity::driver
