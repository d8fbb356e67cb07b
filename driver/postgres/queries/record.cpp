#include "driver/postgres/queries/record.h"

#include <algorithm>

#include <fmt/core.h>

namespace parity::driver {

namespace {

Parameter unless_empty(const std::string& text) { return text.empty() ? Parameter{} : Parameter{text}; }

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

}  // namespace parity::driver
