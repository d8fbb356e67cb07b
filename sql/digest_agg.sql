-- digest_agg: options, errors, groups, parallel plans.
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

CREATE SCHEMA test_digest_agg;
SET search_path = test_digest_agg;
CREATE TABLE t (id int, k text, v numeric);
INSERT INTO t SELECT n, 'k' || n % 3, nullif(n % 7, 0) FROM generate_series(1, 2000) n;

-- Key, row, columns; the first argument is the key unless told otherwise.
SELECT unnest(parity.digest_agg('{}', id, k, v)) FROM t;
SELECT unnest(parity.digest_agg('{"key": 2}', id, k, v)) FROM t;
SELECT unnest(parity.digest_agg('{"key": 3, "width": 128}', id, k, v)) FROM t;
SELECT unnest(parity.digest_agg('{"key": 0, "seed": -5}', id, k, v)) FROM t;
SELECT unnest(parity.digest_agg('{"forms": ["decimal", null, "decimal"], "seed": 9223372036854775807}', id, k, v)) FROM t;
SELECT parity.digest_agg('{}', id) FROM t WHERE false;
SELECT parity.digest_agg('{}', NULL::int, NULL::text);

-- It says what range_digests says.
SELECT parity.digest_agg('{"seed": 3}', id, k, v)::text[] = (SELECT ARRAY[key_digest, row_digest]::text[] || column_digests::text[] FROM parity.range_digests('t', 1, key_columns => '{id}', seed => 3)) AS same FROM t;
SELECT parity.digest_agg('{"key": 0}', id, k, v)::text[] = (SELECT ARRAY[key_digest, row_digest]::text[] || column_digests::text[] FROM parity.range_digests('t', 1)) AS same FROM t;

-- The order of rows does not matter, and groups add up to the whole.
SELECT parity.digest_agg('{}', id, v ORDER BY v, id DESC)::text = parity.digest_agg('{}', id, v)::text AS same FROM t;
SELECT array_agg(d ORDER BY i) = (SELECT parity.digest_agg('{}', id, v)::text[] FROM t) AS same FROM (
    SELECT i, parity.sum(d)::text AS d FROM (SELECT parity.digest_agg('{}', id, v) AS digests FROM t GROUP BY k) g, unnest(digests) WITH ORDINALITY u (d, i) GROUP BY i) s;
SELECT k, (parity.digest_agg('{}', id, v))[2] FROM t GROUP BY k ORDER BY k;
SELECT k, (parity.digest_agg('{}', id, v) FILTER (WHERE v > 3))[1] FROM t GROUP BY ROLLUP (k) ORDER BY k;
SELECT id, (parity.digest_agg('{}', id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW))[1] FROM t WHERE id <= 3 ORDER BY id;
SELECT (parity.digest_agg('{"seed": 1}', id))[1], (parity.digest_agg('{"seed": 2}', id))[1] FROM t;

-- Parallel plans give the same, with and without grouping.
SELECT md5(string_agg(d::text, ',' ORDER BY k)) AS serial FROM (SELECT k, parity.digest_agg('{"width": 128}', id, k, v) AS d FROM t GROUP BY k) g \gset
SELECT parity.digest_agg('{}', id, k, v)::text AS serial_all FROM t \gset
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
ALTER TABLE t SET (parallel_workers = 3);
CREATE FUNCTION is_parallel(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line ~ 'Partial .*Aggregate' THEN RETURN true; END IF;
    END LOOP;
    RETURN false;
END $$;
SELECT is_parallel($$ SELECT parity.digest_agg('{}', id, k, v) FROM t $$);
SELECT parity.digest_agg('{}', id, k, v)::text = :'serial_all' AS same FROM t;
SELECT md5(string_agg(d::text, ',' ORDER BY k)) = :'serial' AS same FROM (SELECT k, parity.digest_agg('{"width": 128}', id, k, v) AS d FROM t GROUP BY k) g;
RESET ALL;
SET search_path = test_digest_agg;

-- Prepared statements, with the options as a parameter.
PREPARE p (jsonb) AS SELECT (parity.digest_agg($1, id, v))[1] FROM t;
EXECUTE p ('{}');
EXECUTE p ('{"seed": 7}');
SET plan_cache_mode = force_generic_plan;
EXECUTE p ('{"seed": 7}');
RESET plan_cache_mode;

-- What is refused.
SELECT arguments, pg_temp.error_of(format('SELECT parity.digest_agg(%s) FROM test_digest_agg.t', arguments)) AS error FROM unnest(ARRAY[
    $$NULL, id$$, $$'[]', id$$, $$'1', id$$, $$'{"nope": 1}', id$$, $$'{"key": 4}', id, k, v$$, $$'{"key": -1}', id$$, $$'{"key": "1"}', id$$, $$'{"key": null}', id$$, $$'{"width": 65}', id$$, $$'{"width": 100000000000}', id$$, $$'{"seed": "x"}', id$$,
    $$'{"seed": 9223372036854775808}', id$$, $$'{"key": 1.5}', id, k, v$$, $$'{"width": 64.5}', id$$, $$'{"forms": ["int"]}', id, k$$, $$'{"forms": "int"}', id$$, $$'{"forms": {"a": "int"}}', id$$, $$'{"forms": ["nope"]}', id$$, $$'{"forms": [5]}', id$$, $$'{"forms": ["key"]}', id$$, $$'{"forms": ["text"]}', id$$,
    $$'{}', NULL::pg_dependencies$$, $$'{}', ROW(1)$$, $$'{}', 'unknown'$$, $$'{}', VARIADIC ARRAY[id]$$, $$'{}'$$, $$jsonb_build_object('seed', id), id$$, $$CASE WHEN id < 9 THEN jsonb '{}' END, id$$]) AS arguments;
SET client_min_messages = warning;
DROP SCHEMA test_digest_agg CASCADE;
