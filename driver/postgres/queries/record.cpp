#include "driver/postgres/queries/record.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include <fmt/core.h>

#include "driver/postgres/queries/quoting.h"

namespace parity::driver {

namespace {

Parameter unless_empty(const std::string& text) { return text.empty() ? Parameter{} : Parameter{text}; }

/// The first of the two numbers of the advisory locks on runs ("pgpy"), and the one number of that on making the
/// tables.
constexpr std::int32_t kStateLocks = 0x70677079;

constexpr const char* kMakeStateTables = R"(
CREATE TABLE pgparity_state.version (state_version pg_catalog.int4 NOT NULL);
CREATE TABLE pgparity_state.run (
    name pg_catalog.text COLLATE pg_catalog."C" PRIMARY KEY,
    program pg_catalog.text NOT NULL,
    began_us pg_catalog.int8 NOT NULL,
    saved_us pg_catalog.int8 NOT NULL,
    holder pg_catalog.text NOT NULL,
    token pg_catalog.text NOT NULL,
    request pg_catalog.bytea NOT NULL,
    head pg_catalog.bytea NOT NULL);
CREATE TABLE pgparity_state.unit (
    run pg_catalog.text COLLATE pg_catalog."C" NOT NULL REFERENCES pgparity_state.run ON DELETE CASCADE,
    job pg_catalog.int8 NOT NULL,
    unit pg_catalog.int8 NOT NULL,
    attempt pg_catalog.int8 NOT NULL,
    lease_until pg_catalog.timestamptz,
    state pg_catalog.int2 NOT NULL,
    lower pg_catalog.bytea,
    upper pg_catalog.bytea,
    source_lsn pg_catalog.text NOT NULL,
    target_lsn pg_catalog.text NOT NULL,
    plan pg_catalog.bytea NOT NULL,
    position pg_catalog.bytea NOT NULL,
    result pg_catalog.bytea NOT NULL,
    PRIMARY KEY (run, job, unit));
CREATE TABLE pgparity_state.finding (
    run pg_catalog.text COLLATE pg_catalog."C" NOT NULL,
    job pg_catalog.int8 NOT NULL,
    unit pg_catalog.int8 NOT NULL,
    place pg_catalog.bytea NOT NULL,
    copy pg_catalog.int8 NOT NULL,
    kind pg_catalog.int2 NOT NULL,
    key pg_catalog.bytea NOT NULL,
    hash pg_catalog.bytea NOT NULL,
    columns pg_catalog.bytea NOT NULL,
    occurrences pg_catalog.int8 NOT NULL,
    source_values pg_catalog.bytea NOT NULL,
    target_values pg_catalog.bytea NOT NULL,
    PRIMARY KEY (run, job, unit, place, copy),
    FOREIGN KEY (run, job, unit) REFERENCES pgparity_state.unit ON DELETE CASCADE);
REVOKE ALL ON SCHEMA pgparity_state FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA pgparity_state FROM PUBLIC;
COMMENT ON SCHEMA pgparity_state IS 'runs that pgparity compare --state keeps';
COMMENT ON COLUMN pgparity_state.run.program IS 'the version that began it';
COMMENT ON COLUMN pgparity_state.run.began_us IS 'microseconds since 1970';
COMMENT ON COLUMN pgparity_state.run.holder IS 'who goes on with it, or did so last';
COMMENT ON COLUMN pgparity_state.run.token IS 'what this holder knows the run by';
COMMENT ON COLUMN pgparity_state.unit.job IS 'a table';
COMMENT ON COLUMN pgparity_state.unit.unit IS 'a part of it';
COMMENT ON COLUMN pgparity_state.unit.lease_until IS 'until when a driver has taken it; for several drivers';
COMMENT ON COLUMN pgparity_state.unit.state IS '0 pending, 1 done, 2 failed';
COMMENT ON COLUMN pgparity_state.unit.lower IS 'the part''s keys: from this one on, from the first one where it is NULL';
COMMENT ON COLUMN pgparity_state.unit.upper IS 'up to this one, which is not part of it; to the end where it is NULL';
COMMENT ON COLUMN pgparity_state.finding.place IS 'the key in the order of keys';
COMMENT ON COLUMN pgparity_state.finding.copy IS 'tells findings of equal places apart';
COMMENT ON COLUMN pgparity_state.finding.hash IS 'of a row without a key that is not kept itself';
INSERT INTO pgparity_state.version VALUES ({});
)";

/// Row security is an error rather than somebody's function.
constexpr const char* kPinnedInTransactions =
    "SET LOCAL search_path = pg_catalog, pg_temp;SET LOCAL row_security = off";

/// Microseconds since 1970.
constexpr const char* kNow = "(EXTRACT(EPOCH FROM pg_catalog.clock_timestamp()) * 1000000)::pg_catalog.int8";
/// The run of $1 … $3.
constexpr const char* kIsOwners =
    "name = $1::pg_catalog.text AND token = $2::pg_catalog.text AND pg_catalog.pg_backend_pid() = $3::pg_catalog.int4";

constexpr const char* kOrReplaceUnit =
    "ON CONFLICT (run, job, unit) DO UPDATE SET (attempt, lease_until, state, source_lsn, target_lsn, plan, position, "
    "result, lower, upper) = (excluded.attempt, NULL, excluded.state, excluded.source_lsn, excluded.target_lsn, "
    "excluded.plan, excluded.position, excluded.result, excluded.lower, excluded.upper)";

std::vector<Parameter> owner_parameters(const StateOwner& owner) {
    return {owner.run, owner.token, std::to_string(owner.backend)};
}

/// One column of units, as an array.
template <typename Take>
auto column_of(const std::vector<StateUnit>& units, Take take) {
    std::vector<std::decay_t<decltype(take(units.front()))>> column;
    column.reserve(units.size());
    for (const StateUnit& unit : units) column.push_back(take(unit));
    return column;
}

template <std::int64_t StateUnit::*Member>
Parameter numbers_of(const std::vector<StateUnit>& units) {
    return array_literal(column_of(units, [](const StateUnit& unit) { return std::to_string(unit.*Member); }));
}

template <std::string StateUnit::*Member>
Parameter texts_of(const std::vector<StateUnit>& units) {
    return array_literal(column_of(units, [](const StateUnit& unit) { return unit.*Member; }));
}

template <std::string StateUnit::*Member>
Parameter blobs_of(const std::vector<StateUnit>& units) {
    return bytea_array(column_of(units, [](const StateUnit& unit) { return unit.*Member; }));
}

}  // namespace

/// Every table that is not identical raises a warning. It is for the server's log; here it would be said twice.
std::string record_session_statements(const std::vector<std::string>& available, int statement_seconds) {
    std::string sql = fmt::format(
        "SET client_min_messages = error; SET statement_timeout = '{}s'; SET lock_timeout = 0;", statement_seconds);
    sql += "SET idle_in_transaction_session_timeout = 0; SET standard_conforming_strings = on;";
    for (const char* setting : {"idle_session_timeout", "transaction_timeout"})
        if (std::find(available.begin(), available.end(), setting) != available.end())
            sql += fmt::format("SET {} = 0;", setting);
    return sql;
}

Query record_functions_query() {
    return {
        "SELECT pg_catalog.to_regprocedure('parity_internal.record_run_start(pg_catalog.text, pg_catalog.text, "
        "pg_catalog.text, pg_catalog.text, pg_catalog.jsonb, pg_catalog.bool)')::pg_catalog.text",
        {}};
}

Query record_run_start_call(const RecordedRun& run) {
    return {
        "SELECT parity_internal.record_run_start(kind => 'compare', source => $1::pg_catalog.text, "
        "target => $2::pg_catalog.text, tool => $3::pg_catalog.text, options => $4::pg_catalog.jsonb)",
        {run.source, run.target, run.tool, run.options}};
}

Query record_table_start_call(const std::string& run, const std::string& relation, const std::string& target_relation,
                              const std::string& scope) {
    return {
        "SELECT parity_internal.record_table_start(run_id => $1::pg_catalog.int8, relation => $2::pg_catalog.text, "
        "target_relation => $3::pg_catalog.text, scope => $4::pg_catalog.jsonb)",
        {run, relation, target_relation, scope}};
}

Query record_phase_call(const std::string& run_table, std::string_view phase) {
    return {
        "SELECT parity_internal.record_table_phase(run_table_id => $1::pg_catalog.int8, phase => $2::pg_catalog.text)",
        {run_table, std::string(phase)}};
}

Query record_divergences_call(const std::string& run_table, const std::string& findings) {
    return {
        "SELECT parity_internal.record_divergences(run_table_id => $1::pg_catalog.int8, findings => "
        "$2::pg_catalog.jsonb)",
        {run_table, findings}};
}

Query record_table_finish_call(const std::string& run_table, std::string_view status, const std::string& facts) {
    return {
        "SELECT parity_internal.record_table_finish(run_table_id => $1::pg_catalog.int8, status => "
        "$2::pg_catalog.text, "
        "facts => $3::pg_catalog.jsonb)",
        {run_table, std::string(status), facts}};
}

Query record_table_again_call(const std::string& run_table) {
    return {"SELECT parity_internal.record_table_again(run_table_id => $1::pg_catalog.int8)", {run_table}};
}

Query record_run_finish_call(const std::string& run, std::string_view status, const std::string& sqlstate,
                             const std::string& message) {
    return {
        "SELECT parity_internal.record_run_finish(run_id => $1::pg_catalog.int8, status => $2::pg_catalog.text, "
        "sqlstate => $3::pg_catalog.text, message => $4::pg_catalog.text)",
        {run, std::string(status), unless_empty(sqlstate), unless_empty(message)}};
}

// ---- the state of a run --------------------------------------------------------------------------------------

/// The keepalives are the server's: so the lock of a run goes
/// with a host that is gone.
std::string state_session_statements() {
    return "SET lock_timeout = '20s';"
           "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 6;"
           "SELECT pg_catalog.set_config('synchronous_commit', 'on', false) "
           "WHERE pg_catalog.current_setting('synchronous_commit') = 'off'";
}

Query fsync_query() { return {"SELECT pg_catalog.current_setting('fsync')::pg_catalog.bool", {}}; }

std::string is_state_table() {
    return "(n.nspname = 'pgparity_state' AND c.relname = ANY ('{version,run,unit,finding}'::pg_catalog.name[]) "
           "AND c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_class AS v JOIN pg_catalog.pg_attribute AS a "
           "ON a.attrelid = v.oid AND a.attname = 'state_version' AND a.attnum > 0 "
           "WHERE v.relnamespace = n.oid AND v.relname = 'version'))";
}

Query state_objects_query() {
    return {
        "WITH trusted AS (SELECT r.oid FROM pg_catalog.pg_roles AS r "
        "WHERE r.rolsuper OR r.rolname IN (current_user, session_user)) "
        "SELECT o.kind, o.name, pg_catalog.pg_get_userbyid(o.owner), o.owner IN (SELECT t.oid FROM trusted AS t) "
        "FROM (SELECT 'n'::pg_catalog.text AS kind, n.nspname AS name, n.nspowner AS owner "
        "FROM pg_catalog.pg_namespace AS n WHERE n.nspname = 'pgparity_state' "
        "UNION ALL SELECT c.relkind::pg_catalog.text, c.relname, c.relowner FROM pg_catalog.pg_class AS c "
        "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = 'pgparity_state' "
        "AND c.relname = ANY ('{version,run,unit,finding}'::pg_catalog.name[])) AS o",
        {}};
}

Query state_tables_turn_query() {
    return {fmt::format("SELECT pg_catalog.pg_advisory_xact_lock({}::pg_catalog.int8)", kStateLocks), {}};
}

std::string make_state_schema_statement() { return "CREATE SCHEMA pgparity_state"; }
std::string make_state_tables_statements() { return fmt::format(kMakeStateTables, kStateTablesVersion); }

Query state_version_query() { return {"SELECT v.state_version FROM pgparity_state.version AS v", {}}; }

Query state_runs_query() {
    return {
        "SELECT pg_catalog.string_agg(pg_catalog.concat('\"', r.name, '\"'), ', ' ORDER BY r.name) FROM (SELECT r.name "
        "FROM pgparity_state.run AS r ORDER BY r.name LIMIT 10) AS r",
        {}};
}

Query lock_state_query(const std::string& run) {
    return {fmt::format("SELECT pg_catalog.pg_try_advisory_lock({}::pg_catalog.int4, "
                        "pg_catalog.hashtext($1::pg_catalog.text)), pg_catalog.pg_backend_pid()",
                        kStateLocks),
            {run}};
}

Query end_state_holder_query(const std::string& run, std::int32_t backend) {
    return {fmt::format("SELECT pg_catalog.pg_terminate_backend(l.pid) FROM pg_catalog.pg_locks AS l "
                        "WHERE l.locktype = 'advisory' AND l.classid = {}::pg_catalog.oid "
                        "AND l.objid = pg_catalog.hashtext($1::pg_catalog.text)::pg_catalog.oid AND l.objsubid = 2 "
                        "AND l.granted AND l.pid = $2::pg_catalog.int4 AND l.database = (SELECT d.oid "
                        "FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())",
                        kStateLocks),
            {run, std::to_string(backend)}};
}

Query state_holder_query(const std::string& run) {
    return {"SELECT r.holder, r.token FROM pgparity_state.run AS r WHERE r.name = $1::pg_catalog.text", {run}};
}

Query insert_state_run_query(const StateOwner& owner, const std::string& holder, const std::string& program,
                             std::int64_t began_us, std::int64_t saved_us, std::string request, std::string head) {
    std::vector<Parameter> parameters = owner_parameters(owner);
    for (const std::string& text : {holder, program, std::to_string(began_us), std::to_string(saved_us)})
        parameters.emplace_back(text);
    parameters.push_back(Parameter::binary(std::move(request)));
    parameters.push_back(Parameter::binary(std::move(head)));
    return {
        "INSERT INTO pgparity_state.run (name, token, holder, program, began_us, saved_us, request, head) "
        "SELECT $1::pg_catalog.text, $2::pg_catalog.text, $4::pg_catalog.text, $5::pg_catalog.text, "
        "$6::pg_catalog.int8, $7::pg_catalog.int8, $8::pg_catalog.bytea, $9::pg_catalog.bytea "
        "WHERE pg_catalog.pg_backend_pid() = $3::pg_catalog.int4 RETURNING name",
        std::move(parameters)};
}

Query take_state_run_query(const StateOwner& owner, const std::string& holder) {
    std::vector<Parameter> parameters = owner_parameters(owner);
    parameters.emplace_back(holder);
    return {
        "UPDATE pgparity_state.run SET token = $2::pg_catalog.text, holder = $4::pg_catalog.text "
        "WHERE name = $1::pg_catalog.text AND pg_catalog.pg_backend_pid() = $3::pg_catalog.int4 RETURNING name",
        std::move(parameters)};
}

Query state_run_query(const std::string& run) {
    return {
        "SELECT r.program, r.began_us, r.saved_us, r.request, r.head FROM pgparity_state.run AS r "
        "WHERE r.name = $1::pg_catalog.text",
        {run}};
}

Query save_state_head_query(const StateOwner& owner, std::string head) {
    std::vector<Parameter> parameters = owner_parameters(owner);
    parameters.push_back(Parameter::binary(std::move(head)));
    return {
        fmt::format("UPDATE pgparity_state.run SET head = $4::pg_catalog.bytea, saved_us = {} WHERE {} RETURNING name",
                    kNow, kIsOwners),
        std::move(parameters)};
}

Query put_state_units_query(const std::string& run, const std::vector<StateUnit>& units) {
    return {
        std::string(
            "INSERT INTO pgparity_state.unit (run, job, unit, attempt, state, source_lsn, target_lsn, plan, position, "
            "result, lower, upper) "
            "SELECT $1::pg_catalog.text, u.job, u.unit, u.attempt, u.state, u.source_lsn, u.target_lsn, u.plan, "
            "u.position, u.result, NULLIF(u.lower, ''::pg_catalog.bytea), NULLIF(u.upper, ''::pg_catalog.bytea) FROM "
            "ROWS FROM (pg_catalog.unnest($2::pg_catalog.int8[]), "
            "pg_catalog.unnest($3::pg_catalog.int8[]), pg_catalog.unnest($4::pg_catalog.int8[]), "
            "pg_catalog.unnest($5::pg_catalog.int2[]), pg_catalog.unnest($6::pg_catalog.text[]), "
            "pg_catalog.unnest($7::pg_catalog.text[]), pg_catalog.unnest($8::pg_catalog.bytea[]), "
            "pg_catalog.unnest($9::pg_catalog.bytea[]), pg_catalog.unnest($10::pg_catalog.bytea[]), "
            "pg_catalog.unnest($11::pg_catalog.bytea[]), pg_catalog.unnest($12::pg_catalog.bytea[])) "
            "AS u (job, unit, attempt, state, source_lsn, target_lsn, plan, position, result, lower, upper) ") +
            kOrReplaceUnit,
        {run, numbers_of<&StateUnit::job>(units), numbers_of<&StateUnit::unit>(units),
         numbers_of<&StateUnit::attempt>(units), numbers_of<&StateUnit::state>(units),
         texts_of<&StateUnit::source_lsn>(units), texts_of<&StateUnit::target_lsn>(units),
         blobs_of<&StateUnit::plan>(units), blobs_of<&StateUnit::position>(units), blobs_of<&StateUnit::result>(units),
         blobs_of<&StateUnit::lower>(units), blobs_of<&StateUnit::upper>(units)}};
}

Query save_state_unit_query(const StateOwner& owner, const StateUnit& unit) {
    std::vector<Parameter> parameters = owner_parameters(owner);
    for (const std::int64_t number : {unit.job, unit.unit, unit.attempt, unit.state})
        parameters.emplace_back(std::to_string(number));
    for (const std::string* text : {&unit.source_lsn, &unit.target_lsn}) parameters.emplace_back(*text);
    for (const std::string* blob : {&unit.plan, &unit.position, &unit.result, &unit.lower, &unit.upper})
        parameters.push_back(Parameter::binary(*blob));
    return {
        fmt::format("WITH mine AS (UPDATE pgparity_state.run SET saved_us = {} WHERE {} RETURNING name), "
                    "put AS (INSERT INTO pgparity_state.unit "
                    "(run, job, unit, attempt, state, source_lsn, target_lsn, plan, position, result, lower, upper) "
                    "SELECT m.name, $4::pg_catalog.int8, $5::pg_catalog.int8, $6::pg_catalog.int8, "
                    "$7::pg_catalog.int2, $8::pg_catalog.text, $9::pg_catalog.text, $10::pg_catalog.bytea, "
                    "$11::pg_catalog.bytea, $12::pg_catalog.bytea, "
                    "NULLIF($13::pg_catalog.bytea, ''::pg_catalog.bytea), "
                    "NULLIF($14::pg_catalog.bytea, ''::pg_catalog.bytea) FROM mine AS m "
                    "{}), "
                    "dropped AS (DELETE FROM pgparity_state.finding AS f USING mine AS m WHERE f.run = m.name "
                    "AND f.job = $4::pg_catalog.int8 AND f.unit = $5::pg_catalog.int8) "
                    "SELECT m.name FROM mine AS m",
                    kNow, kIsOwners, kOrReplaceUnit),
        std::move(parameters)};
}

Query drop_state_spans_query(const std::string& run, std::int64_t job) {
    return {
        "DELETE FROM pgparity_state.unit AS u WHERE u.run = $1::pg_catalog.text AND u.job = $2::pg_catalog.int8 "
        "AND u.unit > 0",
        {run, std::to_string(job)}};
}

Query drop_state_jobs_query(const std::string& run, const std::vector<std::int64_t>& jobs) {
    std::vector<std::string> numbers;
    for (const std::int64_t job : jobs) numbers.push_back(std::to_string(job));
    return {
        "DELETE FROM pgparity_state.unit AS u WHERE u.run = $1::pg_catalog.text "
        "AND u.job = ANY ($2::pg_catalog.int8[])",
        {run, array_literal(numbers)}};
}

Query insert_state_findings_query(const std::string& run, std::int64_t job, std::int64_t unit,
                                  const StateFindings& findings) {
    return {
        "INSERT INTO pgparity_state.finding (run, job, unit, place, copy, kind, key, hash, columns, occurrences, "
        "source_values, target_values) SELECT $1::pg_catalog.text, $2::pg_catalog.int8, $3::pg_catalog.int8, f.* "
        "FROM ROWS FROM (pg_catalog.unnest($4::pg_catalog.bytea[]), pg_catalog.unnest($5::pg_catalog.int4[]), "
        "pg_catalog.unnest($6::pg_catalog.int4[]), pg_catalog.unnest($7::pg_catalog.bytea[]), "
        "pg_catalog.unnest($8::pg_catalog.bytea[]), pg_catalog.unnest($9::pg_catalog.bytea[]), "
        "pg_catalog.unnest($10::pg_catalog.int8[]), pg_catalog.unnest($11::pg_catalog.bytea[]), "
        "pg_catalog.unnest($12::pg_catalog.bytea[])) AS f",
        {run, std::to_string(job), std::to_string(unit), bytea_array(findings.places), integer_array(findings.copies),
         integer_array(findings.kinds), bytea_array(findings.keys), bytea_array(findings.hashes),
         bytea_array(findings.columns), array_literal(findings.occurrences), bytea_array(findings.source_values),
         bytea_array(findings.target_values)}};
}

Query state_units_query(const std::string& run, std::int64_t after_job, std::int64_t after_unit, int limit) {
    return {
        "SELECT u.job, u.unit, u.attempt, u.state::pg_catalog.int8, u.source_lsn, u.target_lsn, u.plan, u.position, "
        "u.result, COALESCE(u.lower, ''::pg_catalog.bytea), COALESCE(u.upper, ''::pg_catalog.bytea) "
        "FROM pgparity_state.unit AS u WHERE u.run = $1::pg_catalog.text "
        "AND (u.job, u.unit) > ($2::pg_catalog.int8, $3::pg_catalog.int8) ORDER BY u.job, u.unit "
        "LIMIT $4::pg_catalog.int8",
        {run, std::to_string(after_job), std::to_string(after_unit), std::to_string(limit)}};
}

Query state_findings_query(const std::string& run, std::int64_t job, std::int64_t unit, const std::string& after_place,
                           std::int64_t after_copy, int limit) {
    return {
        "SELECT f.place, f.copy, f.kind::pg_catalog.int8, f.key, f.hash, f.columns, f.occurrences, f.source_values, "
        "f.target_values FROM pgparity_state.finding AS f WHERE f.run = $1::pg_catalog.text "
        "AND f.job = $2::pg_catalog.int8 AND f.unit = $3::pg_catalog.int8 "
        "AND (f.place, f.copy) > ($4::pg_catalog.bytea, $5::pg_catalog.int8) ORDER BY f.place, f.copy "
        "LIMIT $6::pg_catalog.int8",
        {run, std::to_string(job), std::to_string(unit), Parameter::binary(after_place), std::to_string(after_copy),
         std::to_string(limit)}};
}

/// A pooler in transaction mode keeps no settings of sessions.
std::string begin_state_statements() {
    return fmt::format("BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE;{}", kPinnedInTransactions);
}

std::string begin_reading_state_statements() {
    return fmt::format("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;{}", kPinnedInTransactions);
}

std::string commit_statement() { return "COMMIT"; }

}  // namespace parity::driver
