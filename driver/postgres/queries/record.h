#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "driver/postgres/queries/query.h"

/// The part of the SQL that records a run in a database (--record): calls of the extension's functions parity.record_…
namespace parity::driver {

/// Settings of a connection that records: what ends no idle session, and how long a statement may take. `available` is
/// what optional_settings_query gave.
/// Requires: they are sent once a connection.
std::string record_session_statements(const std::vector<std::string>& available, int statement_seconds);

/// How a run is known in the records.
struct RecordedRun {
    std::string source;  ///< without passwords
    std::string target;
    std::string tool;
    std::string options;  ///< a JSON object: what was asked for
};

/// Result: one row with a function that this version calls; NULL where the extension has no such function.
Query record_functions_query();
/// Begins the record of a run of kind "compare". Result: the run's number.
Query record_run_start_call(const RecordedRun& run);
/// Begins the record of a table of a run; `scope` is a JSON object, empty where the whole table is compared. Result:
/// the record's number.
Query record_table_start_call(const std::string& run, const std::string& relation, const std::string& target_relation,
                              const std::string& scope);
/// What is done with a table just now.
Query record_phase_call(const std::string& run_table, std::string_view phase);
/// Adds findings: a JSON list of objects with the columns of parity.divergence.
Query record_divergences_call(const std::string& run_table, const std::string& findings);
/// Begins a table whose record was ended once more.
Query record_table_again_call(const std::string& run_table);
/// Ends the record of a table; `facts` is a JSON object with columns of parity.run_table.
Query record_table_finish_call(const std::string& run_table, std::string_view status, const std::string& facts);
/// Ends the record of a run, and of its tables that were not ended. No message, no SQLSTATE: empty.
Query record_run_finish_call(const std::string& run, std::string_view status, const std::string& sqlstate,
                             const std::string& message);

}  // namespace parity::driver
