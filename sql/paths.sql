-- All paths and numbers of workers give the same digests.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_parity;
RESET client_min_messages;

CREATE SCHEMA test_paths;
SET search_path = test_paths;
CREATE TABLE t (id bigint PRIMARY KEY, n int, s text, d numeric, at timestamptz, j jsonb, u uuid, f float8, b bytea, a int[], o date, e text);
INSERT INTO t
SELECT g, g % 100, nullif(repeat('text ', g % 40), ''), g / 7.0, timestamptz '2020-01-01+00' + g * interval '1 s', jsonb_build_object('k', g, 'l', '[1, "x"]'::jsonb),
       md5(g::text)::uuid, g / 3.0, decode(md5(g::text), 'hex'), ARRAY[g, NULL], date '2000-01-01' + g % 1000, NULL
FROM generate_series(1, 30000) g;
DELETE FROM t WHERE id % 11 = 0;
UPDATE t SET n = n + 1 WHERE id % 13 = 0;
ANALYZE t;

-- The digests of a call as one value.
CREATE FUNCTION digests(path text, workers int, width int DEFAULT 64, key text[] DEFAULT NULL, ranges int DEFAULT 25) RETURNS text LANGUAGE sql AS $$
    SELECT md5(string_agg(concat_ws('|', range_no, encode(lower_key, 'hex'), encode(upper_key, 'hex'), row_count, key_digest, row_digest, column_digests), ';' ORDER BY range_no))
    FROM parity.range_digests('test_paths.t', ranges => ranges, path => path, workers => workers, width => width, key_columns => key)
$$;
CREATE VIEW answers AS
    SELECT width, key, count(DISTINCT digests(path, workers, width, key)) AS answers
    FROM (VALUES ('scan', 0), ('scan', 1), ('scan', 2), ('scan', 4), ('scan', NULL), ('aggregate', 0), ('aggregate', 2), ('aggregate', 4), ('aggregate', NULL)) AS p (path, workers),
         (VALUES (64), (128)) AS w (width), (VALUES (NULL::text[]), ('{s,n}'), ('{u}'), ('{}'), ('{e}')) AS k (key)
    GROUP BY width, key;

-- Workers off.
SET max_parallel_workers_per_gather = 0;
SELECT width, key, answers = 1 AS same FROM answers ORDER BY width, key;
SELECT digests('scan', 0) AS serial, digests('scan', 0, 128) AS serial_wide \gset

-- Workers forced on.
SET max_parallel_workers_per_gather = 4;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT width, key, answers = 1 AS same FROM answers ORDER BY width, key;
SELECT path, digests(path, NULL) = :'serial' AS same, digests(path, NULL, 128) = :'serial_wide' AS same_wide FROM unnest(ARRAY['scan', 'aggregate']) AS path;
SET parallel_leader_participation = off;
SELECT path, digests(path, NULL) = :'serial' AS same, digests(path, NULL, 128) = :'serial_wide' AS same_wide FROM unnest(ARRAY['scan', 'aggregate']) AS path;
RESET parallel_leader_participation;
SET enable_seqscan = off;
SELECT digests('aggregate', NULL) = :'serial' AS same;
RESET enable_seqscan;

-- The aggregate is a parallel one: partial aggregates below a Gather.
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SELECT bool_or(line ~ 'Gather') AS gather, bool_or(line ~ 'Partial Aggregate') AS partial, bool_or(line ~ 'Parallel Seq Scan') AS parallel
FROM plan($$ SELECT parity.digest_agg('{}', id, n, s, d, at, j, u, f, b, a, o, e) FROM t $$) AS line;
CREATE FUNCTION workers_launched(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
        IF line ~ 'Workers Launched: [1-9]' THEN RETURN true; END IF;
    END LOOP;
    RETURN false;
END $$;
SELECT workers_launched($$ SELECT parity.digest_agg('{}', id, n, s, d, at, j, u, f, b, a, o, e) FROM t $$);

-- digest_agg and slice_digests see what range_digests sees.
SELECT ARRAY[r.key_digest, r.row_digest]::text[] || r.column_digests::text[] = (SELECT parity.digest_agg('{}', id, a, at, b, d, e, f, j, n, o, s, u)::text[] FROM t) AS same
FROM parity.range_digests('t', ranges => 1) r;
SELECT array_agg(s.digest::text ORDER BY s.n) = (SELECT array_agg(x ORDER BY range_no, i) FROM parity.range_digests('t', ranges => 5) r, LATERAL unnest(ARRAY[key_digest, row_digest]::text[] || column_digests::text[]) WITH ORDINALITY u (x, i)) AS same
FROM parity.slice_digests('t', ranges => 5) WITH ORDINALITY s (range_no, lower_bound, upper_bound, slice, column_name, digest, n);

-- The server's statistics count it like any other scan.
BEGIN;
SELECT coalesce(sum(seq_scan), 0) AS scans, coalesce(sum(seq_tup_read), 0) AS read FROM pg_stat_xact_user_tables WHERE relid = 't'::regclass \gset
SELECT sum(row_count) AS row_count FROM parity.range_digests('t', path => 'scan', workers => 0) \gset
SELECT seq_scan - :scans AS scans, seq_tup_read - :read = :row_count AS all_rows FROM pg_stat_xact_user_tables WHERE relid = 't'::regclass;
SELECT count(*) = :row_count AS all_rows FROM parity.row_digests('t');
SELECT seq_scan - :scans AS scans, seq_tup_read - :read = 2 * :row_count AS all_rows_twice FROM pg_stat_xact_user_tables WHERE relid = 't'::regclass;
COMMIT;

-- The executor does not take an index for the table: a corrupt one has fewer rows.
CREATE TABLE indexed (id int PRIMARY KEY, filler text);
INSERT INTO indexed SELECT g, 'in the index' FROM generate_series(1, 100) g;
UPDATE pg_index SET indisready = false WHERE indrelid = 'indexed'::regclass;
INSERT INTO indexed VALUES (2000, 'not in the index');
UPDATE pg_index SET indisready = true WHERE indrelid = 'indexed'::regclass;
SET enable_seqscan = off;
SELECT count(*) AS by_index FROM (SELECT id FROM indexed) i;
SELECT path_taken, workers, row_count FROM (VALUES ('scan', NULL, NULL), ('aggregate', NULL, NULL), ('aggregate', 0, NULL), ('auto', NULL, 'true')) AS w (path, workers, filter),
    LATERAL parity.range_digests('indexed', ranges => 1, columns => '{}', path => w.path, workers => w.workers, filter => w.filter);
SELECT count(*) FROM parity.row_digests('indexed', columns => '{}', filter => 'true');
-- The session's own queries take one as before, also after an error that was caught.
DO $$ BEGIN
    PERFORM parity.range_digests('test_paths.indexed', ranges => 1, filter => 'id / (id - 50) > 0');
EXCEPTION WHEN division_by_zero THEN NULL;
END $$;
SELECT current_setting('enable_indexonlyscan') AS after;
RESET enable_seqscan;

-- Settings that change how values print do not matter.
SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'German'; SET IntervalStyle = 'sql_standard'; SET extra_float_digits = -15; SET bytea_output = 'escape'; SET search_path = '';
SELECT test_paths.digests(path, NULL) = :'serial' AS same FROM unnest(ARRAY['scan', 'aggregate']) AS path;
RESET ALL;

-- Progress is only told where it is asked for, and changes nothing.
SET parity.report_progress = on;
SELECT count(*) > 0 AS told FROM parity.range_digests('test_paths.t', ranges => 2);
RESET parity.report_progress;
SET client_min_messages = warning;
DROP SCHEMA test_paths CASCADE;
