#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "driver/postgres/queries/query.h"

/// The part of the SQL that writes a run into a database: its record (--record), by calls of the extension's functions
/// parity.record_…, and its state (--state), in plain tables of a schema of the program's own.
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

// ---- the state of a run --------------------------------------------------------------------------------------

/// The schema of the tables below. No other module names it.
inline constexpr const char* kStateSchema = "pgparity_state";
/// Of the tables and of the blobs in them.
inline constexpr int kStateTablesVersion = 1;
/// How many tables there are.
inline constexpr int kStateTables = 4;

/// Whoever writes a run shows with each statement that it is his: by what he marked it with when he took it, and by the
/// backend that has his lock on it.
struct StateOwner {
    std::string run;  ///< its name
    std::string token;
    std::int32_t backend = 0;
};

/// What is written of a unit; see UnitRow (state/run_store.h).
struct StateUnit {
    std::int64_t job = 0, unit = 0, attempt = 0, state = 0;
    std::string source_lsn, target_lsn;
    std::string plan, position, result;
    std::string lower, upper;  ///< of a span; empty where it is open
};

/// Findings of a unit, column by column.
struct StateFindings {
    std::vector<std::string> places;
    std::vector<std::int32_t> copies;
    std::vector<std::int32_t> kinds;
    std::vector<std::string> keys, hashes, columns;
    std::vector<std::string> occurrences;  ///< numbers as texts
    std::vector<std::string> source_values, target_values;
};

/// Settings of a session that reads or writes states, besides record_session_statements().
std::string state_session_statements();
/// Whether the server writes to disk before it says that it has. Result: one boolean.
Query fsync_query();
/// A condition: the relation `c` of the schema `n` (aliases of pg_class and pg_namespace) is one of the tables below.
std::string is_state_table();
/// The schema and the tables that are there. Result: "n" for the schema or the relkind, name, owner, and whether the
/// owner is a superuser or the role itself.
Query state_objects_query();
/// Takes turns with other sessions that make the tables, until the transaction ends.
Query state_tables_turn_query();
std::string make_state_schema_statement();
/// Makes the tables, for nobody but their owner.
std::string make_state_tables_statements();
/// The version of the tables. Result: one number a row, of which there is one.
Query state_version_query();
/// The names of at most ten runs, as one text for people; NULL: there are none.
Query state_runs_query();

/// Takes the lock of a run for the session. Result: whether it was to be had, and the backend.
Query lock_state_query(const std::string& run);
/// Ends a session of this role if it has the lock of a run. Result: a row if it has.
Query end_state_holder_query(const std::string& run, std::int32_t backend);
/// Who has taken a run last. Result: holder, token; no row where there is no such run.
Query state_holder_query(const std::string& run);

/// Keeps a run that begins. Result: a row, none where another backend answers.
Query insert_state_run_query(const StateOwner& owner, const std::string& holder, const std::string& program,
                             std::int64_t began_us, std::int64_t saved_us, std::string request, std::string head);
/// Marks a run as the owner's. Result: as above.
Query take_state_run_query(const StateOwner& owner, const std::string& holder);
/// program, began_us, saved_us, request, head; no row where there is no such run.
Query state_run_query(const std::string& run);
/// Replaces the head. Result: a row; none where the run is not the owner's any more, or another backend answers.
Query save_state_head_query(const StateOwner& owner, std::string head);

/// Adds units, or replaces them; their findings stay.
Query put_state_units_query(const std::string& run, const std::vector<StateUnit>& units);
/// Replaces a unit, and removes its findings. Result: as of save_state_head_query().
Query save_state_unit_query(const StateOwner& owner, const StateUnit& unit);
/// Removes the spans of a table, and their findings.
Query drop_state_spans_query(const std::string& run, std::int64_t job);
/// Removes units of jobs, and their findings.
Query drop_state_jobs_query(const std::string& run, const std::vector<std::int64_t>& jobs);
Query insert_state_findings_query(const std::string& run, std::int64_t job, std::int64_t unit,
                                  const StateFindings& findings);

/// The next units after one, at most `limit`: job, unit, attempt, state, source_lsn, target_lsn, plan, position,
/// result, lower, upper; the last two are empty where a span is open.
Query state_units_query(const std::string& run, std::int64_t after_job, std::int64_t after_unit, int limit);
/// The next findings of a unit after a place, at most `limit`: place, copy, kind, key, hash, columns, occurrences,
/// source_values, target_values.
Query state_findings_query(const std::string& run, std::int64_t job, std::int64_t unit, const std::string& after_place,
                           std::int64_t after_copy, int limit);

/// Begin a transaction that writes, or one that reads what is there at one moment.
std::string begin_state_statements();
std::string begin_reading_state_statements();
std::string commit_statement();

}  // namespace parity::driver
