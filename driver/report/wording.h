#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/model/results.h"
#include "driver/report/finding_json.h"

/// How a document is worded for people, in every format that is for them.
namespace parity::driver {

/// 1234567 as "1,234,567"; a text of digits, too.
std::string grouped(std::uint64_t number);

/// "1 row", "1,234 rows".
std::string counted(std::uint64_t number, std::string_view one, std::string_view many);

/// A number that json_number() wrote; 0 where it is none.
std::uint64_t number_of(const Json& json);

/// "public.orders", or "old.orders → new.orders" where the names differ; that of the one side that has it.
std::string name_of(const Json& object);

/// How many differing rows were counted in a table, listed or not.
std::uint64_t differing_rows(const Json& table);

/// A name of a column, which bare_name() gave.
std::string column_name(const std::string& bare);

/// What json_text() and its like gave; nothing for null.
std::optional<ShownValue> value_of(const Json& json);

/// "mismatch", "missing on target", "missing on source".
std::string kind_words(const Json& divergence);

/// "(id, day)=(17, 2020-01-01)": the key of a divergence, or its row where there is no key.
std::string key_words(const Json& table, const Json& divergence);

/// "amount: 1.00 | 2.00", for each column of a mismatch; the names alone where the values were not read.
std::vector<std::string> cell_words(const Json& table, const Json& divergence);

/// "amount: 9,990 of 1,000,000 rows differ; 12 NULL → value", for each column that differs, of at least ten mismatches.
std::vector<std::string> column_count_words(const Json& table);

/// "99.9 % of 51,051 differing rows in id 1000 … 52000, 41 of 800 ranges; all mismatches in amount alone".
/// Returns: an empty text where nothing is told.
std::string concentration_words(const Json& table);

/// What stands after a table's name: "identical, 5 rows".
std::string table_words(const Json& table);

/// The same for large objects, and for one of them.
std::string large_objects_words(const Json& large_objects);
std::string large_object_words(const Json& divergence);

/// The message of an error that is a member of an object, with its SQLSTATE if a server raised it.
std::string error_words(const Json& object, const char* member);

/// The errors that are about no table, that of --record among them.
std::vector<std::string> run_errors(const Json& head);

/// Of a run that went on with other servers: which, since when, and what was compared again; else nothing.
std::vector<std::string> failover_words(const Json& head);

/// Of a run that was continued: what it has from before, and what was compared again; else nothing.
std::vector<std::string> continued_words(const Json& head);

/// What is said beside an older report: of the report itself ("against the report of …"), and of a table: "3 gone, 1
/// new, 5 persisting", or why that is unknown.
std::string against_title(const Json& against);
std::string against_words(const Json& table);

/// Both as lines: a title, and an indented line for each table; with `only_differences` none of
/// those where nothing differed then or now.
std::vector<std::string> against_list(const Json& against, bool only_differences = false);

/// What stands after "result: ".
std::string result_words(const Json& head);

/// "shop on db1:5432 as reader: PostgreSQL 15.18, UTF8, standby, at 0/3000148".
std::string server_words(const Json& server);

/// "--table public.* --strict-schema": the options that were given.
std::string options_words(const Json& head);

}  // namespace parity::driver
