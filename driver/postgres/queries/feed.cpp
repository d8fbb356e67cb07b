#include "driver/postgres/queries/feed.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/bytes.h"
#include "driver/postgres/queries/quoting.h"
#include "driver/postgres/queries/session.h"

namespace parity::driver {
namespace {

std::string from_clause(const StreamPart& part, const std::string& alias) {
    return fmt::format("FROM {}{} AS {}", part.only ? "ONLY " : "", quote_identifier(part.name),
                       quote_identifier(alias));
}

std::string block_condition(const std::string& alias, const StreamItem& item) {
    const auto compare = [&](std::string_view operation, std::int64_t block) {
        return fmt::format("{}.ctid {} '({},0)'::pg_catalog.tid", quote_identifier(alias), operation, block);
    };
    std::string condition;
    if (item.first_block) condition = compare(">=", *item.first_block);
    if (item.end_block) condition += (condition.empty() ? "" : " AND ") + compare("<", *item.end_block);
    return condition;
}

std::string own_rows_condition(const std::string& alias, const StreamPart& part) {
    return part.has_locations ? fmt::format("{}.tableoid = {}::pg_catalog.oid", quote_identifier(alias), part.oid) : "";
}

/// The user's condition stands on lines of its own, so that a comment in it ends there.
std::string where_clause(const std::string& alias, const StreamItem& item, const std::string& filter,
                         const std::string& own_rows = {}) {
    std::vector<std::string> conditions;
    if (!own_rows.empty()) conditions.push_back(own_rows);
    if (item.first_block || item.end_block) conditions.push_back(block_condition(alias, item));
    if (!item.condition.empty()) conditions.push_back(fmt::format("({})", item.condition));
    if (!filter.empty()) conditions.push_back(fmt::format("(\n{}\n)", filter));
    return conditions.empty() ? "" : fmt::format(" WHERE {}", fmt::join(conditions, " AND "));
}

/// Whether no row of a column (`alias` of pg_attribute) holds NULL. From PostgreSQL 18 on a constraint may not count
/// for the rows that were there before it.
std::string never_null(std::string_view alias) {
    return fmt::format(
        "{0}.attnotnull AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS o "
        "WHERE o.conrelid = {0}.attrelid AND o.contype = 'n' AND o.conkey = ARRAY[{0}.attnum] "
        "AND NOT o.convalidated)",
        alias);
}

std::string select_list(const std::string& alias, const std::vector<std::string>& columns) {
    std::vector<std::string> list;
    for (const std::string& column : columns)
        list.push_back(fmt::format("{}.{}", quote_identifier(alias), quote_identifier(column)));
    return fmt::format("{}", fmt::join(list, ", "));
}

constexpr std::string_view kToStdout = "TO STDOUT (FORMAT binary)";

}  // namespace

Query streamed_columns_query(const std::vector<std::uint32_t>& oids) {
    return {R"(SELECT r.oid, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, '', '', '',
    CASE WHEN l.oid IS NULL THEN '' WHEN ln.nspname = 'pg_catalog' THEN l.collname::pg_catalog.text
        ELSE pg_catalog.format('%I.%I', ln.nspname, l.collname) END,
    a.attgenerated, COALESCE(pg_catalog.has_column_privilege(r.oid, a.attnum, 'SELECT'), false), a.atttypid
FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS r(oid)
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
LEFT JOIN pg_catalog.pg_namespace AS ln ON ln.oid = l.collnamespace
ORDER BY r.oid, a.attnum)",
            {array_literal(oids)}};
}

Query unique_indexes_query(const std::vector<std::uint32_t>& oids) {
    return {fmt::format(R"(SELECT i.indrelid, i.indexrelid, i.indisprimary, i.indimmediate,
    c.relkind <> 'p' AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE h.inhparent = c.oid), a.attname
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
CROSS JOIN LATERAL pg_catalog.generate_series(0, i.indnkeyatts - 1) AS k(no)
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.no]
WHERE i.indrelid = ANY ($1::pg_catalog.oid[]) AND i.indisunique AND i.indisvalid AND i.indisready AND i.indislive
AND i.indpred IS NULL AND i.indexprs IS NULL
AND NOT EXISTS (SELECT FROM pg_catalog.generate_series(0, i.indnkeyatts - 1) AS n(no)
    LEFT JOIN pg_catalog.pg_attribute AS b ON b.attrelid = i.indrelid AND b.attnum = i.indkey[n.no]
    WHERE NOT COALESCE(b.attnum > 0 AND {}, false))
ORDER BY i.indrelid, i.indexrelid, k.no)",
                        never_null("b")),
            {array_literal(oids)}};
}

Query stream_columns_query(std::uint32_t oid) {
    return {fmt::format(R"(WITH RECURSIVE tree(oid) AS (SELECT $1::pg_catalog.oid
    UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i JOIN tree AS t ON i.inhparent = t.oid)
SELECT a.attname, a.atttypid, (SELECT pg_catalog.bool_and({}) FROM tree AS t
    JOIN pg_catalog.pg_attribute AS b ON b.attrelid = t.oid AND b.attname = a.attname AND NOT b.attisdropped)
FROM pg_catalog.pg_attribute AS a
WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)",
                        never_null("b")),
            {std::to_string(oid)}};
}

Query stream_parts_query(std::uint32_t oid, const std::vector<std::string>& columns, bool without_children) {
    return {R"(WITH RECURSIVE tree(oid) AS (SELECT $1::pg_catalog.oid
    UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i JOIN tree AS t ON i.inhparent = t.oid
    WHERE NOT $3::pg_catalog.bool)
SELECT c.oid, n.nspname, c.relname,
    c.relkind IN ('r', 'm') AND COALESCE(am.amname = 'heap', false),
    CASE WHEN c.relkind IN ('r', 'm') THEN COALESCE(pg_catalog.pg_relation_size(c.oid)
        / pg_catalog.current_setting('block_size')::pg_catalog.int8, 0) ELSE 0 END,
    pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attname = ANY ($2::pg_catalog.text[])
        AND NOT COALESCE(pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT'), false)),
    COALESCE(pg_catalog.has_table_privilege(c.oid, 'SELECT'), false), pg_catalog.row_security_active(c.oid)
FROM tree AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.oid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
WHERE c.relkind <> 'p' AND c.relpersistence <> 't' ORDER BY c.oid)",
            {std::to_string(oid), array_literal(columns), without_children ? "t" : "f"}};
}

Query correlation_query(std::uint32_t oid, const std::string& column) {
    return {
        "SELECT s.correlation::pg_catalog.float8 FROM pg_catalog.pg_class AS c "
        "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
        "JOIN pg_catalog.pg_stats AS s ON s.schemaname = n.nspname AND s.tablename = c.relname "
        "WHERE c.oid = $1::pg_catalog.oid AND s.attname = $2::pg_catalog.name AND NOT s.inherited",
        {std::to_string(oid), column}};
}

Query span_indexes_query(std::uint32_t oid, const std::string& column) {
    return {
        "SELECT i.indexrelid::pg_catalog.text, "
        "COALESCE(pg_catalog.pg_relation_filenode(i.indexrelid), 0)::pg_catalog.text "
        "FROM pg_catalog.pg_index AS i "
        "JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid "
        "JOIN pg_catalog.pg_am AS am ON am.oid = c.relam "
        "JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attname = $2::pg_catalog.name "
        "WHERE i.indrelid = $1::pg_catalog.oid AND i.indisvalid AND am.amname <> 'hash' AND (a.attnum = ANY "
        "((i.indkey::pg_catalog.int2[])[0:i.indnkeyatts - 1]) OR i.indpred IS NOT NULL AND EXISTS (SELECT FROM "
        "pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = "
        "i.indexrelid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = i.indrelid AND "
        "d.refobjsubid = a.attnum)) ORDER BY i.indexrelid",
        {std::to_string(oid), column}};
}

Query leading_columns_query(std::uint32_t oid) {
    return {
        "SELECT DISTINCT a.attname, i.indcollation[0] = 'pg_catalog.\"C\"'::pg_catalog.regcollation "
        "FROM pg_catalog.pg_index AS i "
        "JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid "
        "JOIN pg_catalog.pg_am AS am ON am.oid = c.relam "
        "JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
        "WHERE i.indrelid = $1::pg_catalog.oid AND i.indisvalid AND i.indpred IS NULL AND am.amname = 'btree'",
        {std::to_string(oid)}};
}

std::string select_statement(const std::vector<std::string>& expressions, const StreamPart& part,
                             const std::string& alias, const StreamItem& item, const std::string& filter) {
    return fmt::format("SELECT {} {}{}", fmt::join(expressions, ", "), from_clause(part, alias),
                       where_clause(alias, item, filter, own_rows_condition(alias, part)));
}

std::string copy_statement(const std::vector<std::string>& expressions, const StreamPart& part,
                           const std::string& alias, const StreamItem& item, const std::string& filter) {
    return fmt::format("COPY ({}) {}", select_statement(expressions, part, alias, item, filter), kToStdout);
}

std::string plan_settings_statements() {
    return avoid_indexes_statements() + "SET LOCAL enable_tidscan = off;SET LOCAL quote_all_identifiers = on;";
}

std::string tree_statement(const QualifiedName& root) { return "SELECT FROM " + quote_identifier(root); }

std::string whole_statement(const StreamPart& whole, const std::string& alias,
                            const std::vector<std::string>& columns) {
    return fmt::format("SELECT {} {}", select_list(alias, columns), from_clause(whole, alias));
}

std::string count_statement(const StreamPart& whole, const std::string& alias, const std::string& filter) {
    return fmt::format("SELECT pg_catalog.count(*) {}{}", from_clause(whole, alias),
                       where_clause(alias, StreamItem{}, filter));
}

std::string count_at_statement(const StreamPart& part, const std::string& place) {
    return fmt::format("SELECT pg_catalog.count(*) {}{}", from_clause(part, part.name.name),
                       where_clause(part.name.name, StreamItem{}, place));
}

std::string any_row_statement(const StreamPart& whole, const std::string& alias,
                              const std::vector<std::string>& columns, const std::string& filter) {
    return fmt::format("SELECT {} {}{} LIMIT 1", select_list(alias, columns), from_clause(whole, alias),
                       where_clause(alias, StreamItem{}, filter));
}

std::string copy_sample_statement(const std::vector<std::string>& expressions, const StreamPart& part,
                                  const std::string& alias, double percent) {
    return fmt::format("COPY (SELECT {} {} TABLESAMPLE SYSTEM ({:.6f}) REPEATABLE (0)) {}",
                       fmt::join(expressions, ", "), from_clause(part, alias), percent, kToStdout);
}

std::string copy_histogram_statement(const QualifiedName& relation, const std::string& column, const std::string& type,
                                     bool with_descendants) {
    return fmt::format(
        "COPY (SELECT pg_catalog.unnest(s.histogram_bounds::pg_catalog.text::{}[]) FROM pg_catalog.pg_stats AS s "
        "WHERE s.schemaname = {} AND s.tablename = {} AND s.attname = {} AND s.inherited = {}) {}",
        type, quote_literal(relation.schema), quote_literal(relation.name), quote_literal(column),
        with_descendants ? "true" : "false", kToStdout);
}

std::string location_expression(const std::string& alias) { return quote_identifier(alias) + ".ctid"; }

std::string locations_condition(const std::string& alias, const std::vector<std::string>& locations) {
    std::vector<std::string> texts;
    for (const std::string& location : locations) {
        const core::ByteView bytes = core::as_bytes(location);
        texts.push_back(fmt::format("\"({},{})\"", core::load_be<std::uint32_t>(bytes.data()),
                                    core::load_be<std::uint16_t>(bytes.data() + sizeof(std::uint32_t))));
    }
    return fmt::format("{}.ctid = ANY ('{{{}}}'::pg_catalog.tid[])", quote_identifier(alias), fmt::join(texts, ","));
}

std::string block_range_condition(std::int64_t first, std::int64_t end, int lines) {
    if (lines == 0)
        return fmt::format("ctid >= '({},0)'::pg_catalog.tid AND ctid < '({},0)'::pg_catalog.tid", first, end);
    std::vector<std::string> locations;
    for (std::int64_t block = first; block < end; ++block)
        for (int line = 1; line <= lines; ++line) locations.push_back(fmt::format("\"({},{})\"", block, line));
    return fmt::format("ctid = ANY ('{{{}}}'::pg_catalog.tid[])", fmt::join(locations, ","));
}

std::string lines_condition(std::int64_t block, const std::vector<int>& lines) {
    std::vector<std::string> locations;
    for (const int line : lines) locations.push_back(fmt::format("\"({},{})\"", block, line));
    return fmt::format("ctid = ANY ('{{{}}}'::pg_catalog.tid[])", fmt::join(locations, ","));
}

std::string blocks_condition(const std::string& alias, const std::vector<std::int64_t>& blocks, int rows) {
    std::vector<std::string> locations;
    for (std::int64_t block : blocks)
        for (int row = 1; row <= rows; ++row) locations.push_back(fmt::format("\"({},{})\"", block, row));
    return fmt::format("{}.ctid = ANY ('{{{}}}'::pg_catalog.tid[])", quote_identifier(alias),
                       fmt::join(locations, ","));
}

}  // namespace parity::driver
