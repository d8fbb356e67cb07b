#include "driver/postgres/queries/session.h"

#include <algorithm>

#include <fmt/core.h>

#include "driver/postgres/queries/quoting.h"

namespace parity::driver {
namespace {

bool contains(const std::vector<std::string>& list, std::string_view element) {
    return std::find(list.begin(), list.end(), element) != list.end();
}

std::string set_local(std::string_view name, std::string_view value) {
    return fmt::format("SET LOCAL {} = {};", name, quote_literal(value));
}

/// What changes output, what changes how our literals and the user's condition are read, and what would end a
/// transaction that waits for the other side. Not lc_monetary: it says what an amount of money is, not only how it
/// prints.
std::string pinned_settings() {
    std::string sql;
    for (const auto& [name, value] : {
             std::pair{"DateStyle", "ISO, YMD"},
             {"IntervalStyle", "postgres"},
             {"TimeZone", "UTC"},
             {"extra_float_digits", "3"},
             {"bytea_output", "hex"},
             {"xmlbinary", "base64"},
             {"lc_numeric", "C"},
             {"quote_all_identifiers", "off"},
             {"array_nulls", "on"},
             {"standard_conforming_strings", "on"},
             {"backslash_quote", "safe_encoding"},
             {"transform_null_equals", "off"},
             {"client_min_messages", "notice"},
             {"idle_in_transaction_session_timeout", "0"},
             {"enable_indexonlyscan", "off"},        // rows that a corrupt index lacks would not be seen
             {"constraint_exclusion", "partition"},  // what conditions leave out is the same whichever engine reads
             {"enable_partition_pruning", "on"},
         }) {
        sql += set_local(name, value);
    }
    return sql;
}

/// How soon a server ends the queries of a pgparity that is gone.
constexpr const char* kClientCheckInterval = "2s";

/// The planner takes scans of other kinds only where none of these will do. None of them looks at an index alone: rows
/// that a corrupt index lacks would not be seen.
std::string only_scans(const std::vector<std::string>& kinds) {
    std::string sql;
    for (const char* kind : {"index", "indexonly", "bitmap", "seq", "tid"})
        sql += set_local(fmt::format("enable_{}scan", kind), contains(kinds, kind) ? "on" : "off");
    return sql;
}

std::string restricted_kinds(const TransactionSettings& settings) {
    if (settings.allow_views) return settings.allow_foreign_tables ? "" : "foreign-table";
    return settings.allow_foreign_tables ? "view" : "view, foreign-table";
}

}  // namespace

/// The planner takes some queries of the catalogs for expensive, and they would be compiled for seconds.
std::string pin_session_statements() { return "SET search_path = pg_catalog, pg_temp;SET jit = off"; }

Query optional_settings_query() {
    return {
        "SELECT s.name FROM pg_catalog.pg_settings AS s WHERE s.name = ANY ($1::pg_catalog.text[]) "
        // Some systems have the setting, and refuse any value but 0.
        "AND (s.name <> 'client_connection_check_interval' OR pg_catalog.version() ~ 'linux')",
        {array_literal(std::vector<std::string>{"transaction_timeout", "idle_session_timeout",
                                                "restrict_nonsystem_relation_kind",
                                                "client_connection_check_interval"})}};
}

std::string session_settings_statements(const std::vector<std::string>& available) {
    return contains(available, "idle_session_timeout") ? "SET idle_session_timeout = 0" : "";
}

std::string begin_statements(const TransactionSettings& settings, const std::vector<std::string>& available) {
    std::string sql =
        "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;"
        "SET LOCAL search_path = pg_catalog, pg_temp;";
    sql += pinned_settings();
    sql += set_local("row_security", settings.row_security ? "on" : "off");
    sql += set_local("lock_timeout", settings.lock_timeout.empty() ? "0" : settings.lock_timeout);
    sql += set_local("statement_timeout", settings.statement_timeout.empty() ? "0" : settings.statement_timeout);
    sql += set_local("application_name", settings.application_name);
    sql += set_local("parity.report_progress", "on");
    if (contains(available, "transaction_timeout")) sql += set_local("transaction_timeout", "0");
    if (contains(available, "client_connection_check_interval")) {
        sql += set_local("client_connection_check_interval", kClientCheckInterval);
    }
    if (contains(available, "restrict_nonsystem_relation_kind")) {
        sql += set_local("restrict_nonsystem_relation_kind", restricted_kinds(settings));
    }
    return sql;
}

Query identity_rights_query() {
    return {
        "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE'), "
        "pg_catalog.has_function_privilege('pg_catalog.pg_walfile_name(pg_catalog.pg_lsn)', 'EXECUTE'), "
        "pg_catalog.pg_backend_pid()",
        {}};
}

/// A primary writes the timeline that its WAL files are named after. In recovery only the last checkpoint would tell
/// one, which may come long after the timeline began.
std::string identity_query(const IdentityRights& rights) {
    const std::string timeline = rights.timeline
                                     ? "CASE WHEN pg_catalog.pg_is_in_recovery() THEN '0' ELSE pg_catalog.left("
                                       "pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8) END"
                                     : "'0'::pg_catalog.text";
    const std::string system =
        rights.system_identifier
            ? "(SELECT c.system_identifier::pg_catalog.text FROM pg_catalog.pg_control_system() AS c)"
            : "''::pg_catalog.text";
    return fmt::format(
        "SELECT pg_catalog.pg_backend_pid() AS backend, d.oid AS database, "
        "(EXTRACT(EPOCH FROM pg_catalog.pg_postmaster_start_time()) * 1000000)::pg_catalog.int8 AS started, "
        "(EXTRACT(EPOCH FROM pg_catalog.clock_timestamp()) * 1000000)::pg_catalog.int8 AS read, "
        "pg_catalog.pg_is_in_recovery() AS in_recovery, {} AS timeline, {} AS system, "
        "coalesce(CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() "
        "ELSE pg_catalog.pg_current_wal_flush_lsn() END - '0/0'::pg_catalog.pg_lsn, 0) AS log_end "
        "FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()",
        timeline, system);
}

std::string begin_and_identify(const TransactionSettings& settings, const std::vector<std::string>& available,
                               const IdentityRights& rights) {
    return begin_statements(settings, available) + identity_query(rights);
}

std::string savepoint_statement() { return "SAVEPOINT pgparity"; }
std::string rollback_to_savepoint_statement() { return "ROLLBACK TO SAVEPOINT pgparity"; }
std::string release_savepoint_statement() { return "RELEASE SAVEPOINT pgparity"; }
std::string rollback_statement() { return "ROLLBACK"; }
std::string raw_encoding_statement() { return "SET client_encoding = 'SQL_ASCII'"; }
Query export_snapshot_query() { return {"SELECT pg_catalog.pg_export_snapshot()", {}}; }
std::string set_snapshot_statement(std::string_view snapshot) {
    return "SET TRANSACTION SNAPSHOT " + quote_literal(snapshot);
}
std::string set_snapshot_and_identify(std::string_view snapshot, const IdentityRights& rights) {
    return set_snapshot_statement(snapshot) + ";" + identity_query(rights);
}
std::string avoid_indexes_statements() { return only_scans({"seq", "tid"}); }
std::string prefer_indexes_statements() { return only_scans({"index", "bitmap", "tid"}); }
std::string only_locations_statements() { return only_scans({"tid"}); }
std::string only_indexes_statements() { return only_scans({"index", "bitmap"}); }

Query block_size_query() { return {"SELECT pg_catalog.current_setting('block_size')", {}}; }

std::string lock_statements(const QualifiedName& name, bool without_children) {
    return fmt::format("{};LOCK TABLE {}{} IN ACCESS SHARE MODE;{}", savepoint_statement(),
                       without_children ? "ONLY " : "", quote_identifier(name), release_savepoint_statement());
}

std::string columns_text_of(std::string_view oid) {
    return fmt::format(
        "(SELECT pg_catalog.string_agg(pg_catalog.format('%I %s', a.attname, "
        "pg_catalog.format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum) "
        "FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = {} AND a.attnum > 0 AND NOT a.attisdropped)",
        oid);
}

Query relation_state_query(const QualifiedName& name, const IdentityRights& rights) {
    return {"SELECT r.*, s.* FROM (" + identity_query(rights) +
                ") AS s LEFT JOIN (SELECT c.oid, c.relkind, "
                "CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() "
                "ELSE pg_catalog.pg_current_wal_insert_lsn() END, " +
                columns_text_of("c.oid") +
                " FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
                "WHERE n.nspname = $1::pg_catalog.name AND c.relname = $2::pg_catalog.name) AS r ON true",
            {name.schema, name.name}};
}

Query stale_relations_query(std::uint32_t oid, bool without_children) {
    return {
        "WITH RECURSIVE tree(oid) AS (SELECT $1::pg_catalog.oid UNION "
        "SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i JOIN tree AS t ON i.inhparent = t.oid "
        "WHERE NOT $2::pg_catalog.bool) "
        "SELECT pg_catalog.count(*) FROM tree AS t LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.oid "
        "WHERE c.oid IS NULL OR (c.relfilenode <> 0 "
        "AND c.relfilenode IS DISTINCT FROM pg_catalog.pg_relation_filenode(c.oid))",
        {std::to_string(oid), without_children ? "t" : "f"}};
}

Query standby_settings_query() {
    return {
        "SELECT pg_catalog.pg_is_in_recovery(), EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver), "
        "pg_catalog.current_setting('max_standby_streaming_delay'), "
        "pg_catalog.current_setting('max_standby_archive_delay'), pg_catalog.current_setting('hot_standby_feedback')",
        {}};
}

Query checkpoint_right_query() {
    return {"SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_checkpoint()', 'EXECUTE')", {}};
}

/// The receiver's timeline is shown to some roles only. That of the last checkpoint comes later than it.
Query standby_timeline_query(bool checkpoint) {
    return {
        fmt::format(
            "SELECT coalesce(greatest((SELECT max(r.received_tli) FROM pg_catalog.pg_stat_wal_receiver AS r), {}), 0)",
            checkpoint ? "(SELECT c.timeline_id FROM pg_catalog.pg_control_checkpoint() AS c)"
                       : "NULL::pg_catalog.int4"),
        {}};
}

Query incarnation_query() {
    return {
        "SELECT COALESCE((SELECT a.pid FROM pg_catalog.pg_stat_activity AS a WHERE a.backend_type = 'checkpointer'), "
        "0), "
        "pg_catalog.has_function_privilege("
        "'pg_catalog.pg_read_file(pg_catalog.text, pg_catalog.int8, pg_catalog.int8, pg_catalog.bool)', 'EXECUTE')",
        {}};
}

Query log_history_query(std::uint32_t timeline) {
    return {"SELECT pg_catalog.pg_read_file($1::pg_catalog.text, 0, 1048576, true)",
            {fmt::format("pg_wal/{:08X}.history", timeline)}};
}

/// Numbers of backends are used again, so a session must also be one of pgparity and of this role. Of those of its own
/// role every role may know all.
constexpr const char* kIsOurs =
    "a.application_name LIKE 'pgparity: %' AND a.usename = SESSION_USER AND a.datname = "
    "pg_catalog.current_database()";
constexpr const char* kServerStart =
    "(EXTRACT(EPOCH FROM pg_catalog.pg_postmaster_start_time()) * 1000000)::pg_catalog.int8";

Query backend_state_query(std::int32_t backend) {
    return {fmt::format("SELECT {}, a.pid IS NOT NULL, a.state, a.wait_event_type, a.wait_event FROM (SELECT) AS one "
                        "LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = $1::pg_catalog.int4 AND {}",
                        kServerStart, kIsOurs),
            {std::to_string(backend)}};
}

Query tablespace_query(std::uint32_t oid) {
    return {
        "SELECT t.spcname, pg_catalog.pg_tablespace_location(t.oid) FROM pg_catalog.pg_tablespace AS t "
        "WHERE t.oid = $1::pg_catalog.oid",
        {std::to_string(oid)}};
}

/// A prepared transaction is number 0, and has no process.
Query blockers_query(std::int32_t backend) {
    return {
        "SELECT NULL, NULLIF(b.pid, 0), a.usename, a.application_name, "
        "EXTRACT(EPOCH FROM pg_catalog.clock_timestamp() - a.xact_start)::pg_catalog.int8, "
        "pg_catalog.\"left\"(a.query, 80) "
        "FROM (SELECT DISTINCT p.pid FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1::pg_catalog.int4)) AS p "
        "(pid)) AS b LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = b.pid ORDER BY a.xact_start, b.pid",
        {std::to_string(backend)}};
}

Query processes_query(const std::vector<std::int32_t>& processes) {
    std::vector<std::string> pids;
    for (const std::int32_t process : processes) pids.push_back(std::to_string(process));
    return {fmt::format("SELECT NULL, a.pid, a.usename, a.application_name, "
                        "EXTRACT(EPOCH FROM pg_catalog.clock_timestamp() - a.xact_start)::pg_catalog.int8, "
                        "pg_catalog.\"left\"(a.query, 80) FROM pg_catalog.pg_stat_activity AS a "
                        "WHERE a.pid = ANY ($1::pg_catalog.int4[]) AND ({}) IS NOT TRUE ORDER BY a.xact_start, a.pid",
                        kIsOurs),
            {array_literal(pids)}};
}

Query end_backends_query(const std::vector<std::int32_t>& backends, std::int64_t server_started_us) {
    std::vector<std::string> pids;
    for (const std::int32_t backend : backends) pids.push_back(std::to_string(backend));
    return {fmt::format("SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity AS a "
                        "WHERE a.pid = ANY ($1::pg_catalog.int4[]) AND {} AND {} = $2::pg_catalog.int8",
                        kIsOurs, kServerStart),
            {array_literal(pids), std::to_string(server_started_us)}};
}

}  // namespace parity::driver
