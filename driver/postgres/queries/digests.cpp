#include "driver/postgres/queries/digests.h"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "core/bytes.h"
#include "driver/model/error.h"

namespace parity::driver {

namespace {

constexpr std::size_t kMostBytesOfCharacter = 4;

std::string quote(std::string_view text, char mark) {
    std::string quoted(1, mark);
    for (char c : text) {
        if (c == mark) quoted += mark;
        quoted += c;
    }
    return quoted + mark;
}

void append_array_element(std::string& array, std::string_view element) {
    array += '"';
    for (char c : element) {
        if (c == '"' || c == '\\') array += '\\';
        array += c;
    }
    array += '"';
}

template <typename Elements, typename Append>
std::string build_array(const Elements& elements, Append append) {
    std::string array = "{";
    for (const auto& element : elements) {
        if (array.size() > 1) array += ',';
        append(array, element);
    }
    return array + "}";
}

// Types of elements, see pg_type.dat: they never change.
constexpr std::int32_t kByteaType = 17;
constexpr std::int32_t kIntegerType = 23;

void append_be(std::string& to, std::int32_t number) {
    std::uint8_t bytes[sizeof number];
    core::store_be(bytes, number);
    to.append(reinterpret_cast<const char*>(bytes), sizeof number);
}

/// An array in PostgreSQL's binary form; `append` writes an element behind its length.
template <typename Elements, typename Append>
Parameter binary_array(std::int32_t type, const Elements& elements, Append append) {
    std::string array;
    append_be(array, elements.empty() ? 0 : 1);  // dimensions
    append_be(array, 0);                         // no NULLs
    append_be(array, type);
    if (!elements.empty()) {
        append_be(array, static_cast<std::int32_t>(elements.size()));
        append_be(array, 1);  // lower bound
    }
    for (const auto& element : elements) append(array, element);
    return Parameter::binary(std::move(array));
}

/// Parameters $1 … of every call of the extension: the relation, its key, columns and their forms as two parallel
/// lists. A keyless table has an empty list of key columns, which is not the same as none (NULL: the relation's own
/// key).
std::vector<Parameter> relation_parameters(const TablePlan& table, Side side) {
    std::vector<std::string> key, columns, named, forms;
    for (const ColumnPlan& column : table.key) key.push_back(column.name[side]);
    for (const ColumnPlan& column : table.columns) columns.push_back(column.name[side]);
    for (const auto* list : {&table.key, &table.columns}) {
        for (const ColumnPlan& column : *list) {
            named.push_back(column.name[side]);
            forms.push_back(asked_form(column, side));
        }
    }
    return {std::to_string(table.oid[side]), array_literal(key), array_literal(columns), array_literal(named),
            array_literal(forms)};
}

constexpr const char* kRelationArguments =
    "relation => $1::pg_catalog.oid::pg_catalog.regclass, key_columns => $2::pg_catalog.text[], "
    "columns => $3::pg_catalog.text[], "
    "forms => pg_catalog.jsonb_object($4::pg_catalog.text[], $5::pg_catalog.text[])";

constexpr const char* kDigestArguments =
    "filter => $6::pg_catalog.text, seed => $7::pg_catalog.int8, width => $8::pg_catalog.int4";

std::vector<Parameter> digest_parameters(const TablePlan& table, Side side, const DigestSettings& settings) {
    std::vector<Parameter> parameters = relation_parameters(table, side);
    parameters.push_back(table.where.empty() ? Parameter{} : Parameter{table.where});
    parameters.push_back(std::to_string(static_cast<std::int64_t>(settings.seed)));
    parameters.push_back(std::to_string(settings.width));
    return parameters;
}

/// Ends the arguments of a call of the extension.
std::string_view without_children(const TablePlan& table, Side side) {
    return table.without_children[side] ? ", without_children => true" : "";
}

/// The table with some of its columns; none: all.
TablePlan with_columns(TablePlan table, const std::vector<int>& places) {
    if (places.empty()) return table;
    std::vector<ColumnPlan> columns;
    for (int place : places) columns.push_back(table.columns[static_cast<std::size_t>(place)]);
    table.columns = std::move(columns);
    return table;
}

void append_ranges(std::vector<Parameter>& parameters, const DigestSettings& settings, const RangeList& ranges) {
    parameters.push_back(bytea_array(ranges.bounds));
    parameters.push_back(ranges.only.empty() ? Parameter{} : integer_array(ranges.only));
    parameters.push_back(settings.workers ? Parameter{std::to_string(*settings.workers)} : Parameter{});
    parameters.push_back(std::to_string(ranges.buckets));
}

constexpr const char* kRangeArguments =
    "bounds => $9::pg_catalog.bytea[], only_ranges => $10::pg_catalog.int4[], workers => $11::pg_catalog.int4, "
    "buckets => $12::pg_catalog.int4";

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

std::string restricted_kinds(const TransactionSettings& settings) {
    if (settings.allow_views) return settings.allow_foreign_tables ? "" : "foreign-table";
    return settings.allow_foreign_tables ? "view" : "view, foreign-table";
}

}  // namespace

// ---- quoting -------------------------------------------------------------------------------------------------

std::string quote_identifier(std::string_view name) { return quote(name, '"'); }

std::string quote_identifier(const QualifiedName& name) {
    return quote_identifier(name.schema) + "." + quote_identifier(name.name);
}

std::string quote_literal(std::string_view text) {
    if (text.find('\\') == std::string_view::npos) return quote(text, '\'');
    std::string escaped = "E'";
    for (char c : text) {
        if (c == '\'' || c == '\\') escaped += c;
        escaped += c;
    }
    return escaped + "'";
}

std::string array_literal(const std::vector<std::string>& elements) {
    return build_array(elements, append_array_element);
}

std::string array_literal(const std::vector<std::optional<std::string>>& elements) {
    return build_array(elements, [](std::string& array, const std::optional<std::string>& element) {
        if (element) {
            append_array_element(array, *element);
        } else {
            array += "NULL";
        }
    });
}

std::string array_literal(const std::vector<std::uint32_t>& elements) {
    return build_array(elements, [](std::string& array, std::uint32_t element) { array += std::to_string(element); });
}

Parameter bytea_array(const std::vector<std::string>& elements) {
    return binary_array(kByteaType, elements, [](std::string& array, const std::string& element) {
        append_be(array, static_cast<std::int32_t>(element.size()));
        array += element;
    });
}

Parameter integer_array(const std::vector<std::int32_t>& elements) {
    return binary_array(kIntegerType, elements, [](std::string& array, std::int32_t element) {
        append_be(array, sizeof element);
        append_be(array, element);
    });
}

// ---- values for people ---------------------------------------------------------------------------------------

std::string shown_expression(std::string_view text) {
    return fmt::format(
        "CASE WHEN pg_catalog.octet_length({0}) > {1} THEN pg_catalog.octet_length({0})::pg_catalog.text "
        "|| ':' || pg_catalog.left({0}, {2}) ELSE ':' || {0} END",
        text, kMostShownBytes, kMostShownBytes / kMostBytesOfCharacter);
}

std::optional<ShownValue> read_shown(std::optional<std::string_view> sent) {
    if (!sent) return std::nullopt;
    std::uint64_t bytes = 0;
    const auto [end, error] = std::from_chars(sent->data(), sent->data() + sent->size(), bytes);
    const auto digits = static_cast<std::size_t>(end - sent->data());
    if (digits >= sent->size() || (*sent)[digits] != ':')
        throw Error(ErrorKind::kInternal, "a server sent a value in a form that was not asked for");
    std::string text(sent->substr(digits + 1));
    return digits == 0 ? ShownValue(std::move(text)) : ShownValue(std::move(text), bytes);
}

// ---- digests -------------------------------------------------------------------------------------------------

Query split_keys_call(const TablePlan& table, Side side, int ranges) {
    std::vector<Parameter> parameters = relation_parameters(table, side);
    parameters.erase(parameters.begin() + 2);
    parameters.push_back(std::to_string(ranges));
    return {fmt::format("SELECT ARRAY(SELECT bound FROM parity.split_keys("
                        "relation => $1::pg_catalog.oid::pg_catalog.regclass, key_columns => $2::pg_catalog.text[], "
                        "forms => pg_catalog.jsonb_object($3::pg_catalog.text[], $4::pg_catalog.text[]), "
                        "ranges => $5::pg_catalog.int4{}))",
                        without_children(table, side)),
            std::move(parameters)};
}

Query range_digests_call(const TablePlan& table, Side side, const DigestSettings& settings, const RangeList& ranges) {
    std::vector<Parameter> parameters = digest_parameters(table, side, settings);
    append_ranges(parameters, settings, ranges);
    return {fmt::format("SELECT range_no, row_count, key_digest, row_digest, column_digests, path_taken "
                        "FROM parity.range_digests({}, {}, {}{}) ORDER BY range_no",
                        kRelationArguments, kDigestArguments, kRangeArguments, without_children(table, side)),
            std::move(parameters)};
}

Query range_totals_call(const TablePlan& table, Side side, const DigestSettings& settings, const RangeList& ranges) {
    std::vector<Parameter> parameters = digest_parameters(with_columns(table, ranges.columns), side, settings);
    append_ranges(parameters, settings, ranges);
    return {fmt::format("SELECT range_numbers, row_counts, key_digests, row_digests, path_taken "
                        "FROM parity.range_totals({}, {}, {}{})",
                        kRelationArguments, kDigestArguments, kRangeArguments, without_children(table, side)),
            std::move(parameters)};
}

Query last_buckets_call(const std::vector<std::int32_t>& ranges) {
    return {"SELECT range_no, buckets, sums FROM parity.last_buckets($1::pg_catalog.int4[])", {integer_array(ranges)}};
}

Query last_digest_call() {
    return {
        "SELECT pg_catalog.format('%s%s, %s of %s workers, %s pages, %s rows, %s s', path, "
        "CASE WHEN obstacle IS NOT NULL THEN pg_catalog.format(' (%s)', obstacle) END, "
        "COALESCE(workers_launched::pg_catalog.text, '?'), "
        "COALESCE(workers_requested::pg_catalog.text, '?'), COALESCE(pages::pg_catalog.text, '?'), rows, "
        "pg_catalog.round((milliseconds / 1000)::pg_catalog.numeric, 3)) FROM parity.last_digest()",
        {}};
}

Query row_records_call(const TablePlan& table, Side side, const DigestSettings& settings, const RangeList& ranges) {
    std::vector<Parameter> parameters = digest_parameters(table, side, settings);
    append_ranges(parameters, settings, ranges);
    return {fmt::format("SELECT row_count, records FROM parity.row_records({}, {}, {}{})", kRelationArguments,
                        kDigestArguments, kRangeArguments, without_children(table, side)),
            std::move(parameters)};
}

Query row_values_call(const TablePlan& table, Side side, const DigestSettings& settings,
                      const std::vector<std::string>& keys) {
    std::vector<Parameter> parameters = digest_parameters(table, side, settings);
    parameters.push_back(bytea_array(keys));
    return {
        fmt::format("SELECT key, row_hash, COALESCE((SELECT pg_catalog.array_agg({} "
                    "ORDER BY v.no) FROM pg_catalog.unnest(column_values) WITH ORDINALITY AS v(shown, no)), "
                    "'{{}}'::pg_catalog.text[]) FROM parity.row_digests({}, {}, "
                    "keys => $9::pg_catalog.bytea[], with_values => true{})",
                    shown_expression("v.shown"), kRelationArguments, kDigestArguments, without_children(table, side)),
        std::move(parameters)};
}

// ---- sessions ------------------------------------------------------------------------------------------------

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

IdentityRights read_identity_rights(const Result& result) {
    return {result.is_true(0, 0), result.is_true(0, 1), result.number<std::int32_t>(0, 2)};
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
        "pg_catalog.pg_is_in_recovery() AS in_recovery, {} AS timeline, {} AS system "
        "FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()",
        timeline, system);
}

ServerIdentity read_identity(const Result& result, int row, int first) {
    ServerIdentity read;
    if (result.rows() <= row) throw_contradiction("a server did not tell which one it is");
    const auto take = [&](int column, auto& number, int base = 10) {
        const std::string_view text = result.text(row, first + column);
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
        if (error != std::errc() || end != text.data() + text.size())
            throw_contradiction("a server sent an identity in a form that was not asked for");
    };
    take(0, read.backend);
    take(1, read.database_oid);
    take(2, read.started_us);
    take(3, read.read_us);
    read.in_recovery = result.is_true(row, first + 4);
    take(5, read.timeline, 16);
    read.system_identifier = result.text(row, first + 6);
    return read;
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
std::string avoid_indexes_statements() {
    return set_local("enable_indexscan", "off") + set_local("enable_indexonlyscan", "off") +
           set_local("enable_bitmapscan", "off") + set_local("enable_seqscan", "on");
}

std::string lock_statements(const QualifiedName& name, bool without_children) {
    return fmt::format("{};LOCK TABLE {}{} IN ACCESS SHARE MODE;{}", savepoint_statement(),
                       without_children ? "ONLY " : "", quote_identifier(name), release_savepoint_statement());
}

std::string columns_text(std::string_view oid) {
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
                columns_text("c.oid") +
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

}  // namespace parity::driver
