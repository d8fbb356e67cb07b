#include "driver/postgres/queries/catalog.h"

#include <fmt/core.h>

#include "driver/postgres/queries/quoting.h"
#include "driver/postgres/queries/record.h"
#include "driver/postgres/queries/session.h"

namespace parity::driver {

namespace {

/// $1 … $3: table patterns; $4: schema patterns; $5, $6: exclusions; $7 … $10: names that are of interest although no
/// pattern may choose them, with the names that patterns see instead (empty: their own): on the target those that --map
/// gives, on the source those that options about columns give. An empty schema or name is any.
std::vector<Parameter> selection_parameters(const Selection& selection, const NameMap& maps, Side side,
                                            const std::vector<TableScope>& named = {}) {
    std::vector<std::optional<std::string>> table_schemas, excluded_schemas;
    std::vector<std::string> tables, exact, schemas, excluded;
    for (const NamePattern& pattern : selection.tables) {
        table_schemas.push_back(pattern.schema_regex);
        tables.push_back(pattern.name_regex);
        exact.push_back(pattern.exact ? "t" : "f");
    }
    for (const NamePattern& pattern : selection.schemas) schemas.push_back(pattern.name_regex);
    for (const NamePattern& pattern : selection.excluded) {
        excluded_schemas.push_back(pattern.schema_regex);
        excluded.push_back(pattern.name_regex);
    }
    std::vector<std::string> own_schemas, own_names, source_schemas, source_names;
    const auto add_name = [&](const QualifiedName& own, const QualifiedName& source) {
        own_schemas.push_back(own.schema);
        own_names.push_back(own.name);
        source_schemas.push_back(source.schema);
        source_names.push_back(source.name);
    };
    if (side == Side::kSource) {
        for (const TableScope& scope : named) add_name({scope.schema, scope.table}, {});
    } else {
        for (const NameMap::Entry& entry : maps.entries()) {
            add_name({entry.target.schema.empty() ? entry.source.schema : entry.target.schema, entry.target.name},
                     entry.source);
        }
    }
    return {array_literal(table_schemas), array_literal(tables),           array_literal(exact),
            array_literal(schemas),       array_literal(excluded_schemas), array_literal(excluded),
            array_literal(own_schemas),   array_literal(own_names),        array_literal(source_schemas),
            array_literal(source_names)};
}

/// The relations of some kinds with the names that the patterns apply to: on the target those that --map gives them on
/// the source. NameMap::to_source decides in the same order. Temporary tables, TOAST tables and those that --state
/// keeps runs in never take part.
std::string named_relations(std::string_view kinds) {
    return fmt::format(
        R"(WITH RECURSIVE
pattern AS (SELECT * FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[]),
        pg_catalog.unnest($3::pg_catalog.bool[])) WITH ORDINALITY AS p(schema_regex, name_regex, exact, no)),
schema_pattern AS (SELECT * FROM pg_catalog.unnest($4::pg_catalog.text[]) WITH ORDINALITY AS p(regex, no)),
excluded AS (SELECT * FROM ROWS FROM (pg_catalog.unnest($5::pg_catalog.text[]), pg_catalog.unnest($6::pg_catalog.text[]))
        WITH ORDINALITY AS p(schema_regex, name_regex, no)),
map AS (SELECT * FROM ROWS FROM (pg_catalog.unnest($7::pg_catalog.text[]), pg_catalog.unnest($8::pg_catalog.text[]),
        pg_catalog.unnest($9::pg_catalog.text[]), pg_catalog.unnest($10::pg_catalog.text[])) WITH ORDINALITY AS m(own_schema, own_name, source_schema, source_name, no)),
relation AS (
    SELECT c.oid, c.relnamespace, n.nspname, c.relname, c.relkind, c.relpersistence, c.relispopulated, c.relispartition,
        COALESCE(NULLIF(m.source_schema, ''), n.nspname::pg_catalog.text) AS schema_as,
        COALESCE(NULLIF(m.source_name, ''), c.relname::pg_catalog.text) AS name_as,
        m.no IS NOT NULL AS mapped,
        n.nspname = ANY ('{{pg_catalog,information_schema}}'::pg_catalog.name[]) AS of_system,
        EXISTS (SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.objsubid = 0
            AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e') AS of_extension
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN LATERAL (SELECT m.* FROM map AS m
        WHERE (m.own_schema = '' OR m.own_schema = n.nspname) AND (m.own_name = '' OR m.own_name = c.relname)
        ORDER BY m.own_name = '', m.own_schema = '', m.no LIMIT 1) AS m ON true
    WHERE c.relkind IN ({}) AND c.relpersistence <> 't' AND n.nspname <> 'pg_toast' AND NOT {}))",
        kinds, is_state_table());
}

/// exclusively_locked_query() of the relations that fulfil a condition on pg_locks l.
std::string exclusively_locked(std::string_view condition) {
    return fmt::format(R"(SELECT DISTINCT ON (l.relation) l.relation, l.pid, a.usename, a.application_name,
    EXTRACT(EPOCH FROM pg_catalog.clock_timestamp() - a.xact_start)::pg_catalog.int8, pg_catalog."left"(a.query, 80)
FROM pg_catalog.pg_locks AS l LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND {}
AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
ORDER BY l.relation, l.granted DESC, a.xact_start)",
                       condition);
}

}  // namespace

Query extension_query() {
    return {
        "SELECT e.extversion, pg_catalog.has_schema_privilege(e.extnamespace, 'USAGE') "
        "FROM pg_catalog.pg_extension AS e WHERE e.extname = 'pg_parity'",
        {}};
}

Query format_version_query() { return {"SELECT parity.format_version()", {}}; }

Query server_query() {
    return {
        "SELECT pg_catalog.current_setting('server_version'), pg_catalog.current_setting('server_version_num'), "
        "d.datname, pg_catalog.pg_encoding_to_char(d.encoding), "
        "CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() "
        "ELSE pg_catalog.pg_current_wal_insert_lsn() END, SESSION_USER, "
        "pg_catalog.array_to_string(ARRAY(SELECT s.name FROM pg_catalog.pg_settings AS s WHERE s.setting = 'on' AND "
        "s.name IN ('zero_damaged_pages', 'ignore_checksum_failure', 'ignore_system_indexes') ORDER BY s.name), ' and "
        "') "
        "FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()",
        {}};
}

Query money_query() {
    return {
        "SELECT pg_catalog.current_setting('lc_monetary'), "
        "pg_catalog.scale(((1::pg_catalog.int4)::pg_catalog.money)::pg_catalog.numeric), "
        "COALESCE(pg_catalog.substring(((12::pg_catalog.int4)::pg_catalog.money)::pg_catalog.text, '12([^0-9]*)0'), "
        "'')",
        {}};
}

Query relations_mark_query() {
    return {R"(WITH
relation AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition,
        (SELECT pg_catalog.string_agg(i.inhparent::pg_catalog.text, ',' ORDER BY i.inhseqno)
         FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = c.oid) AS parents
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f') AND c.relpersistence <> 't')
SELECT pg_catalog.concat_ws(' ', pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(
        pg_catalog.row_to_json(r)::pg_catalog.text, 0)),
    (SELECT pg_catalog.sum(d.objid::pg_catalog.int8) FROM pg_catalog.pg_depend AS d
     WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'e'))
FROM relation AS r)",
            {}};
}

Query other_database_query(const Selection& selection) {
    std::vector<std::string> databases, texts;
    for (const auto* list : {&selection.tables, &selection.excluded}) {
        for (const NamePattern& pattern : *list) {
            if (!pattern.database) continue;
            databases.push_back(*pattern.database);
            texts.push_back(pattern.text);
        }
    }
    return {
        "SELECT p.text FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]), "
        "pg_catalog.unnest($2::pg_catalog.text[])) "
        "WITH ORDINALITY AS p(regex, text, no) WHERE pg_catalog.current_database() !~ p.regex ORDER BY p.no LIMIT 1",
        {array_literal(databases), array_literal(texts)}};
}

Query relations_query(const Selection& selection, const NameMap& maps, const std::vector<TableScope>& named,
                      Side side) {
    return {named_relations("'r', 'p', 'm', 'v', 'f'") + R"(,
matched AS (
    SELECT r.*, tables.numbers AS tables, COALESCE(tables.exact, false) AS named, COALESCE(tables.exact_schema, false) AS named_schema,
        schemas.numbers AS schemas,
        EXISTS (SELECT FROM excluded AS e
            WHERE (e.schema_regex IS NULL OR r.schema_as ~ e.schema_regex) AND r.name_as ~ e.name_regex) AS excluded
    FROM relation AS r
    CROSS JOIN LATERAL (SELECT pg_catalog.string_agg(p.no::pg_catalog.text, ',') AS numbers,
            pg_catalog.bool_or(p.exact) AS exact, pg_catalog.bool_or(p.exact AND p.schema_regex IS NOT NULL) AS exact_schema
        FROM pattern AS p
        WHERE (p.schema_regex IS NULL OR r.schema_as ~ p.schema_regex) AND r.name_as ~ p.name_regex) AS tables
    CROSS JOIN LATERAL (SELECT pg_catalog.string_agg(p.no::pg_catalog.text, ',') AS numbers
        FROM schema_pattern AS p WHERE r.schema_as ~ p.regex) AS schemas),
chosen AS (
    SELECT m.*,
        (m.tables IS NOT NULL OR NOT EXISTS (SELECT FROM pattern))
        AND (m.schemas IS NOT NULL OR NOT EXISTS (SELECT FROM schema_pattern))
        AND (m.named_schema OR NOT m.of_system) AND (m.named OR NOT m.of_extension) AS chosen
    FROM matched AS m),
lineage(oid, ancestor) AS (  -- of inheritance children
    SELECT i.inhrelid, i.inhparent FROM pg_catalog.pg_inherits AS i JOIN relation AS r ON r.oid = i.inhrelid AND NOT r.relispartition
        AND r.relkind IN ('r', 'f')
    UNION SELECT l.oid, i.inhparent FROM lineage AS l JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = l.ancestor),
child AS (
    SELECT l.oid, pg_catalog.string_agg(l.ancestor::pg_catalog.text, ',') AS ancestors,
        pg_catalog.bool_or(c.chosen AND NOT c.excluded) AS chosen
    FROM lineage AS l LEFT JOIN chosen AS c ON c.oid = l.ancestor GROUP BY l.oid)
SELECT c.oid, c.nspname, c.relname, c.relkind,
    CASE WHEN c.relispartition THEN (SELECT pg_catalog.string_agg(a.relid::pg_catalog.oid::pg_catalog.text, ',')
        FROM pg_catalog.pg_partition_ancestors(c.oid::pg_catalog.regclass) AS a(relid) WHERE a.relid <> c.oid)
        ELSE COALESCE(h.ancestors, '') END,
    c.relispopulated, pg_catalog.row_security_active(c.oid), c.chosen AND NOT c.excluded,
    (c.chosen OR COALESCE(h.chosen, false)) AND c.excluded, c.named,
    COALESCE(c.tables, ''), COALESCE(c.schemas, ''), c.relispartition,
    CASE WHEN h.oid IS NULL THEN '' ELSE (SELECT pg_catalog.string_agg(i.inhparent::pg_catalog.text, ',' ORDER BY i.inhseqno)
        FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = c.oid) END,
    h.oid IS NOT NULL AND EXISTS (SELECT FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attinhcount = 0),
    COALESCE(pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE'), false),
    CASE WHEN h.oid IS NULL THEN '' ELSE COALESCE((SELECT pg_catalog.string_agg(pg_catalog.pg_get_constraintdef(o.oid), ' AND '
            ORDER BY pg_catalog.pg_get_constraintdef(o.oid) COLLATE "C")
        FROM pg_catalog.pg_constraint AS o WHERE o.conrelid = c.oid AND o.contype = 'c'), '') END,
    c.relkind <> 'p' AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid)
FROM chosen AS c LEFT JOIN child AS h ON h.oid = c.oid
WHERE c.chosen OR h.chosen OR (c.mapped AND NOT c.of_system AND NOT c.of_extension)
ORDER BY c.nspname, c.relname)",
            selection_parameters(selection, maps, side, named)};
}

Query matched_exclusions_query(const Selection& selection, const NameMap& maps, Side side) {
    return {named_relations("'r', 'p', 'm', 'v', 'f'") + R"(
SELECT DISTINCT e.no FROM excluded AS e
JOIN relation AS r ON (e.schema_regex IS NULL OR r.schema_as ~ e.schema_regex) AND r.name_as ~ e.name_regex)",
            selection_parameters(selection, maps, side)};
}

Query table_names_query(const Selection& selection, const NameMap& maps, Side side) {
    return {named_relations("'r', 'p', 'm', 'v', 'f'") + R"(
SELECT r.schema_as, r.name_as FROM relation AS r WHERE NOT r.of_system AND NOT r.of_extension ORDER BY 1, 2 LIMIT 10000)",
            selection_parameters(selection, maps, side)};
}

Query relation_sizes_query(const std::vector<std::uint32_t>& oids, const std::vector<std::uint32_t>& without_children) {
    return {R"(WITH RECURSIVE tree(root, oid) AS (
    SELECT r.oid, r.oid FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS r(oid)
    UNION SELECT t.root, i.inhrelid FROM tree AS t JOIN pg_catalog.pg_inherits AS i ON i.inhparent = t.oid
    WHERE t.root <> ALL ($2::pg_catalog.oid[])),
part AS (
    SELECT t.root, c.oid, c.relkind, c.reltuples, c.relpages, c.relpersistence = 'u' AS unlogged,
        CASE WHEN c.relkind <> 'p' THEN pg_catalog.pg_relation_filenode(c.oid) END AS file,
        CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(c.oid) END AS main_size,
        CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_table_size(c.oid) ELSE 0 END AS table_size
    FROM tree AS t JOIN pg_catalog.pg_class AS c ON c.oid = t.oid),
estimate AS (
    SELECT p.*, CASE WHEN p.relkind = 'p' OR p.main_size = 0 THEN 0
        WHEN p.relkind IN ('r', 'm') AND p.relpages > 0 AND p.reltuples >= 0
        THEN p.reltuples / p.relpages * (p.main_size / pg_catalog.current_setting('block_size')::pg_catalog.int8)
        WHEN p.relkind = 'f' AND p.reltuples > 0 THEN p.reltuples END AS rows
    FROM part AS p),
collation_version AS MATERIALIZED (
    SELECT l.oid, pg_catalog.format('%I %s', l.collname, pg_catalog.pg_collation_actual_version(l.oid)) AS text
    FROM pg_catalog.pg_collation AS l WHERE l.oid IN (SELECT a.attcollation FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = ANY ($1::pg_catalog.oid[]) AND a.attnum > 0 AND NOT a.attisdropped))
SELECT e.root,
    CASE WHEN pg_catalog.bool_or(e.rows IS NULL) THEN -1 ELSE pg_catalog.round(pg_catalog.sum(e.rows)::pg_catalog.numeric) END,
    COALESCE(pg_catalog.sum(e.table_size), 0), pg_catalog.bool_or(e.relkind = 'f'),
    COALESCE(pg_catalog.has_table_privilege(e.root, 'SELECT'), false), )" +
                columns_text_of("e.root") +
                R"(,
    CASE WHEN NOT pg_catalog.pg_is_in_recovery() OR NOT pg_catalog.bool_or(e.unlogged) THEN 'nothing'
        WHEN pg_catalog.bool_and(e.unlogged) FILTER (WHERE e.relkind <> 'p') THEN 'whole' ELSE 'parts' END,
    pg_catalog.string_agg(e.oid || COALESCE('=' || e.file, ''), ' ' ORDER BY e.oid), pg_catalog.bool_or(e.unlogged),
    COALESCE((SELECT pg_catalog.string_agg(v.text, ', ' ORDER BY v.text) FROM collation_version AS v WHERE EXISTS (
        SELECT FROM pg_catalog.pg_attribute AS a
        WHERE a.attrelid = e.root AND a.attcollation = v.oid AND a.attnum > 0 AND NOT a.attisdropped)), '')
FROM estimate AS e GROUP BY e.root)",
            {array_literal(oids), array_literal(without_children)}};
}

Query columns_query(const std::vector<std::uint32_t>& oids) {
    return {R"(SELECT r.oid, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
    COALESCE(f.form, ''), COALESCE(pg_catalog.array_to_string(f.other_forms, ','), ''), COALESCE(f.reason, ''),
    CASE WHEN l.oid IS NULL THEN '' WHEN ln.nspname = 'pg_catalog' THEN l.collname::pg_catalog.text
        ELSE pg_catalog.format('%I.%I', ln.nspname, l.collname) END,
    a.attgenerated, COALESCE(pg_catalog.has_column_privilege(r.oid, a.attnum, 'SELECT'), false),
    a.atttypid, COALESCE(pg_catalog.array_to_string(f.lossy_forms, ','), '')
FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS r(oid)
CROSS JOIN LATERAL parity.forms(r.oid::pg_catalog.regclass) AS f
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND a.attname = f.column_name AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = a.attcollation
LEFT JOIN pg_catalog.pg_namespace AS ln ON ln.oid = l.collnamespace
ORDER BY r.oid, a.attnum)",
            {array_literal(oids)}};
}

Query keys_query(const std::vector<std::uint32_t>& oids) {
    return {R"(SELECT r.oid, c.name, COALESCE(k.proven, false)
FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS r(oid)
CROSS JOIN LATERAL parity.key(r.oid::pg_catalog.regclass) AS k
CROSS JOIN LATERAL pg_catalog.unnest(k.key_columns) WITH ORDINALITY AS c(name, no)
ORDER BY r.oid, c.no)",
            {array_literal(oids)}};
}

Query exclusively_locked_query(const std::vector<std::uint32_t>& oids) {
    return {exclusively_locked("l.relation = ANY ($1::pg_catalog.oid[])"), {array_literal(oids)}};
}

Query exclusively_locked_below_query(std::uint32_t oid) {
    return {R"(WITH RECURSIVE member (oid) AS (
    SELECT $1::pg_catalog.oid
    UNION SELECT below.oid FROM member AS m CROSS JOIN LATERAL (
        SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = m.oid
        UNION ALL SELECT d.refobjid FROM pg_catalog.pg_class AS v
            JOIN pg_catalog.pg_rewrite AS r ON r.ev_class = v.oid
            JOIN pg_catalog.pg_depend AS d ON d.objid = r.oid
                AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
            WHERE v.oid = m.oid AND v.relkind = 'v') AS below (oid)),
heap (oid) AS (
    SELECT m.oid FROM member AS m
    UNION ALL SELECT c.reltoastrelid FROM pg_catalog.pg_class AS c JOIN member AS m ON m.oid = c.oid)
)" + exclusively_locked("(l.relation IN (SELECT h.oid FROM heap AS h) OR l.relation IN (SELECT i.indexrelid "
                        "FROM pg_catalog.pg_index AS i JOIN heap AS h ON h.oid = i.indrelid))"),
            {std::to_string(oid)}};
}

Query sequences_query(const Selection& selection, const NameMap& maps, Side side) {
    return {named_relations("'S'") + R"(
SELECT r.oid, r.nspname, r.relname,
    pg_catalog.format('%s, start %s, increment %s, minimum %s, maximum %s, %s, cache %s',
        pg_catalog.format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
        CASE WHEN s.seqcycle THEN 'cycle' ELSE 'no cycle' END, s.seqcache),
    COALESCE(pg_catalog.has_sequence_privilege(r.oid, 'SELECT'), false)
        AND COALESCE(pg_catalog.has_schema_privilege(r.relnamespace, 'USAGE'), false),
    NOT EXISTS (SELECT FROM schema_pattern) OR EXISTS (SELECT FROM schema_pattern AS p WHERE r.schema_as ~ p.regex),
    s.seqincrement, s.seqmin, s.seqmax, s.seqcycle, r.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery()
FROM relation AS r
JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = r.oid
WHERE NOT r.of_system AND NOT r.of_extension
ORDER BY r.nspname, r.relname)",
            selection_parameters(selection, maps, side)};
}

Query sequence_uses_query(const std::vector<std::uint32_t>& oids) {
    return {R"(SELECT u.sequence, u.user_oid, u.owns, n.nspname, c.relname FROM (
    SELECT d.objid AS sequence, d.refobjid AS user_oid, true AS owns FROM pg_catalog.pg_depend AS d
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = ANY ($1::pg_catalog.oid[])
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
    UNION ALL
    SELECT d.refobjid, a.adrelid, false FROM pg_catalog.pg_depend AS d
    JOIN pg_catalog.pg_attrdef AS a ON a.oid = d.objid
    WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = ANY ($1::pg_catalog.oid[])
    AND d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass) AS u
JOIN pg_catalog.pg_class AS c ON c.oid = u.user_oid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace)",
            {array_literal(oids)}};
}

Query sequence_values_query(const std::vector<QualifiedName>& names) {
    std::string sql;
    for (std::size_t i = 0; i < names.size(); ++i) {
        sql += fmt::format("{}SELECT {} AS i, s.last_value, s.is_called, s.log_cnt FROM {} AS s",
                           i ? " UNION ALL " : "", i, quote_identifier(names[i]));
    }
    return {sql, {}};
}

/// In PostgreSQL 13 not everybody may read a subscription's oid in its catalog, but in the view.
Query subscribed_relations_query() {
    return {R"(SELECT DISTINCT r.srrelid FROM pg_catalog.pg_subscription_rel AS r
JOIN pg_catalog.pg_stat_subscription AS i ON i.subid = r.srsubid
JOIN pg_catalog.pg_subscription AS s ON s.subname = i.subname AND s.subenabled
AND s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()))",
            {}};
}

Query wal_end_query() { return {"SELECT pg_catalog.pg_current_wal_insert_lsn()", {}}; }

/// The position to insert at may stand behind a page's header, of 40 bytes at most, where no record ends. No record of
/// a sequence is as short.
Query has_replayed_query(const std::string& lsn) {
    return {"SELECT pg_catalog.pg_wal_lsn_diff($1::pg_catalog.pg_lsn, pg_catalog.pg_last_wal_replay_lsn()) <= 40",
            {lsn}};
}

/// pg_temp is left out as a schema of types: nobody but the session itself makes any there.
Query extension_tables_query(const Selection& selection, const NameMap& maps, Side side) {
    return {named_relations("'r', 'p'") + R"(
SELECT r.oid, r.nspname, r.relname, r.relkind, pg_catalog.row_security_active(r.oid), e.extname, COALESCE(k.condition, ''),
    COALESCE(pg_catalog.has_table_privilege(r.oid, 'SELECT'), false)
        AND pg_catalog.has_schema_privilege(r.nspname, 'USAGE'), )" +
                columns_text_of("r.oid") +
                R"(,
    (SELECT pg_catalog.string_agg(a.attname::pg_catalog.text, E'\n') FROM pg_catalog.pg_attribute AS a
        JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
        WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
        AND t.typnamespace <> 'pg_catalog'::pg_catalog.regnamespace)
FROM relation AS r
JOIN pg_catalog.pg_extension AS e ON r.oid = ANY (e.extconfig)
CROSS JOIN LATERAL (SELECT c.condition
    FROM ROWS FROM (pg_catalog.unnest(e.extconfig), pg_catalog.unnest(e.extcondition)) AS c(config, condition)
    WHERE c.config = r.oid LIMIT 1) AS k
WHERE e.extname <> 'pg_parity'
AND (NOT EXISTS (SELECT FROM schema_pattern) OR EXISTS (SELECT FROM schema_pattern AS p WHERE r.schema_as ~ p.regex))
AND NOT EXISTS (SELECT FROM excluded AS x
    WHERE (x.schema_regex IS NULL OR r.schema_as ~ x.schema_regex) AND r.name_as ~ x.name_regex)
ORDER BY r.nspname, r.relname)",
            selection_parameters(selection, maps, side)};
}

Query extension_row_count_query(const QualifiedName& name, bool only, const std::string& condition) {
    std::string sql = fmt::format("SELECT pg_catalog.count(*) FROM {}{} AS {}", only ? "ONLY " : "",
                                  quote_identifier(name), quote_identifier(name.name));
    if (!condition.empty()) sql += fmt::format(" WHERE (\n{}\n)", condition);
    return {sql, {}};
}

Query other_objects_query() {
    return {R"(WITH own AS (
    SELECT n.oid FROM pg_catalog.pg_namespace AS n
    WHERE n.nspname <> ALL ('{pg_catalog,information_schema,pg_toast}'::pg_catalog.name[]) AND n.nspname !~ '^pg_temp_'),
object(kind, classid, oid) AS (
    SELECT CASE c.relkind WHEN 'v' THEN 'view' ELSE 'foreign table' END, 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid
    FROM pg_catalog.pg_class AS c WHERE c.relkind IN ('v', 'f') AND c.relnamespace IN (SELECT o.oid FROM own AS o)
    UNION ALL
    SELECT CASE c.relkind WHEN 'S' THEN 'extension sequence' ELSE 'extension table' END,
        'pg_catalog.pg_class'::pg_catalog.regclass, c.oid
    FROM pg_catalog.pg_class AS c WHERE c.relkind IN ('r', 'p', 'm', 'S') AND c.relnamespace IN (SELECT o.oid FROM own AS o)
        AND c.relnamespace NOT IN (SELECT e.extnamespace FROM pg_catalog.pg_extension AS e WHERE e.extname = 'pg_parity')  -- records
    UNION ALL
    SELECT 'function', 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid
    FROM pg_catalog.pg_proc AS p WHERE p.pronamespace IN (SELECT o.oid FROM own AS o)
    UNION ALL
    SELECT CASE t.typtype WHEN 'e' THEN 'enum type' ELSE 'domain' END, 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid
    FROM pg_catalog.pg_type AS t WHERE t.typtype IN ('e', 'd') AND t.typnamespace IN (SELECT o.oid FROM own AS o)
    UNION ALL
    SELECT 'trigger', 'pg_catalog.pg_trigger'::pg_catalog.regclass, g.oid
    FROM pg_catalog.pg_trigger AS g WHERE NOT g.tgisinternal
    UNION ALL
    SELECT 'policy', 'pg_catalog.pg_policy'::pg_catalog.regclass, p.oid FROM pg_catalog.pg_policy AS p)
SELECT b.kind, pg_catalog.count(*) FROM object AS b
WHERE (b.kind IN ('extension table', 'extension sequence')) = EXISTS (SELECT FROM pg_catalog.pg_depend AS d
    WHERE d.classid = b.classid AND d.objid = b.oid AND d.objsubid = 0 AND d.deptype = 'e')
GROUP BY b.kind ORDER BY b.kind)",
            {}};
}

}  // namespace parity::driver
