-- range_digests and slice_digests: results, arguments, errors.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_parity;
RESET client_min_messages;
-- The SQLSTATE and message of a statement that fails.
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ' ' || SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;

CREATE SCHEMA test_range_digests;
SET search_path = test_range_digests;
CREATE TABLE t (id int PRIMARY KEY, b text, a numeric);
INSERT INTO t SELECT n, nullif('v' || n % 5, 'v0'), n / 4.0 FROM generate_series(1, 20) n;

\x on
SELECT * FROM parity.range_digests('t', bounds => ARRAY['\x6b010b00000000000000'::bytea]);
\x off
SELECT * FROM parity.slice_digests('t', bounds => ARRAY['\x6b010b00000000000000'::bytea]);

-- Every row is in one range, and the ranges add up to the whole, at either width.
SELECT w, r, count(*), sum(row_count), parity.sum(key_digest), parity.sum(row_digest)
FROM unnest(ARRAY[64, 128]) AS w, unnest(ARRAY[1, 2, 7, 1000]) AS r, LATERAL parity.range_digests('t', r, width => w, key_columns => '{}') GROUP BY w, r ORDER BY w, r;
SELECT count(*), sum(row_count) FROM parity.range_digests('t', 8);
-- So it is where the result is of many kilobytes, megabytes, and more than is kept in memory.
SELECT r, count(*), count(DISTINCT range_no), sum(row_count), parity.sum(row_digest) FROM unnest(ARRAY[1000, 10000, 100000]) AS r,
    LATERAL parity.range_digests('t', r, key_columns => '{}') GROUP BY r ORDER BY r;

-- Seeds: other hashes, and digests that cannot be mixed.
SELECT seed, key_digest FROM unnest(ARRAY[0, -1, 9223372036854775807, -9223372036854775808]) AS seed, LATERAL parity.range_digests('t', 1, seed => seed) ORDER BY seed;

-- Columns: by the bytes of their names, or as listed.
SELECT column_name, digest FROM parity.slice_digests('t', 1) WHERE slice = 'column';
SELECT column_name, digest FROM parity.slice_digests('t', 1, columns => '{b,a}') WHERE slice = 'column';
SELECT pg_temp.error_of($$ SELECT x.row_digest OPERATOR(parity.=) y.row_digest FROM parity.range_digests('t', 1) x, parity.range_digests('t', 1, columns => '{b,a}') y $$) AS error;
SELECT cardinality(column_digests) FROM parity.range_digests('t', 1, columns => '{}');

-- Only some ranges: the digests are those of the whole call.
SELECT range_no, lower_bound, upper_bound, row_count, row_digest FROM parity.range_digests('t', bounds => ARRAY['\x6b010500000000000000'::bytea, '\x6b010a00000000000000', '\x6b010f00000000000000']);
SELECT range_no, lower_bound, upper_bound, row_count, row_digest FROM parity.range_digests('t', bounds => ARRAY['\x6b010500000000000000'::bytea, '\x6b010a00000000000000', '\x6b010f00000000000000'], only_ranges => '{4,2,2}');
SELECT count(*) FROM parity.range_digests('t', only_ranges => '{}');

-- Bounds: none, NULL as a bound, outside of all keys, hashes.
SELECT range_no, row_count, lower_key, upper_key FROM parity.range_digests('t', bounds => '{}');
INSERT INTO t VALUES (-2147483648, NULL, NULL), (2147483647, 'x', 'NaN');
SELECT range_no, lower_bound, upper_bound, row_count
FROM parity.range_digests('t', bounds => ARRAY['\x6b010000000000000080'::bytea, '\x6b01000000ffffffffff', '\x6b010000000001000000', '\x6b00']);
SELECT range_no, lower_bound, upper_bound, row_count FROM parity.range_digests('t', bounds => ARRAY['\x684000000000000000'::bytea, '\x68c000000000000000']);

-- Empty tables.
CREATE TABLE empty (id int PRIMARY KEY, v text);
SELECT range_no, lower_bound, row_count, key_digest, row_digest, column_digests, path_taken FROM parity.range_digests('empty');
SELECT range_no, row_count FROM parity.range_digests('empty', bounds => ARRAY['\x6b010b00000000000000'::bytea]);

-- What is refused.
SELECT arguments, pg_temp.error_of(format('SELECT * FROM parity.range_digests(%s)', arguments)) AS error FROM unnest(ARRAY[
    $$'t', 0$$, $$'t', -1$$, $$'t', 1000001$$, $$'t', 2147483647$$,
    $$NULL$$, $$'t', NULL$$, $$'t', seed => NULL$$, $$'t', width => NULL$$,
    $$'t', width => 65$$, $$'t', width => 0$$, $$'t', width => -64$$, $$'t', workers => -1$$, $$'t', workers => 1025$$, $$'t', path => 'index'$$, $$'t', path => ''$$,
    $$'t', key_columns => '{nope}'$$, $$'t', key_columns => '{id,id}'$$, $$'t', key_columns => '{NULL}'$$, $$'t', key_columns => '{{id},{b}}'$$, $$'t', key_columns => '{ctid}'$$, $$'t', key_columns => '{ID}'$$,
    $$'t', columns => '{nope}'$$, $$'t', columns => '{id}'$$, $$'t', columns => '{a,a}'$$, $$'t', columns => ARRAY[NULL]$$, $$'t', columns => '{tableoid}'$$, $$'t', key_columns => '{}', columns => '{}'$$,
    $$'t', forms => '{"nope": "int"}'$$, $$'t', forms => '{"a": "int"}'$$, $$'t', forms => '{"a": "nope"}'$$, $$'t', forms => '{"a": 5}'$$, $$'t', forms => '{"a": null}'$$, $$'t', forms => '[]'$$, $$'t', forms => '"a"'$$,
    $$'t', forms => '{"a": "key"}'$$, $$'t', forms => '{"a": "decimal[]"}'$$,
    $$'t', only_ranges => '{0}'$$, $$'t', bounds => '{}', only_ranges => '{2}'$$, $$'t', only_ranges => '{NULL}'$$, $$'t', only_ranges => '{-1}'$$, $$'t', only_ranges => '{{1},{1}}'$$,
    $$'t', bounds => '{NULL}'$$, $$'t', bounds => '{""}'$$, $$'t', bounds => ARRAY['\x6b'::bytea]$$, $$'t', bounds => ARRAY['\x6b01'::bytea]$$, $$'t', bounds => ARRAY['\x6b0100000000'::bytea]$$,
    $$'t', bounds => ARRAY['\x6b01000000000000000000'::bytea]$$, $$'t', bounds => ARRAY['\x78'::bytea]$$, $$'t', bounds => ARRAY['\x6800'::bytea]$$,
    $$'t', bounds => ARRAY['\x6b010a00000000000000'::bytea, '\x6b010a00000000000000']$$, $$'t', bounds => ARRAY['\x6b010a00000000000000'::bytea, '\x6b010500000000000000']$$,
    $$'t', bounds => ARRAY['\x6b010a00000000000000'::bytea, '\x68ffffffffffffffff']$$, $$'t', bounds => ARRAY['\x6b010a00000000000000'::bytea], key_columns => '{}'$$,
    $$'t', bounds => ARRAY['\x6b010a00000000000000'::bytea], forms => '{"id": "decimal"}'$$, $$0::regclass$$]) AS arguments;
SELECT pg_temp.error_of('SELECT parity.range_digests()') AS error;

-- The path that was taken shows.
SELECT DISTINCT path_taken FROM parity.range_digests('t', path => 'scan') UNION ALL SELECT DISTINCT path_taken FROM parity.range_digests('t', path => 'aggregate') UNION ALL
SELECT DISTINCT path_taken FROM parity.range_digests('t', path => 'auto') UNION ALL SELECT DISTINCT path_taken FROM parity.range_digests('t', path => NULL) UNION ALL
SELECT DISTINCT path_taken FROM parity.range_digests('t', filter => 'id > 0');
SET client_min_messages = warning;
DROP SCHEMA test_range_digests CASCADE;
