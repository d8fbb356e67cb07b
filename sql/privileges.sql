-- What a caller may read; what the functions promise.
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

CREATE SCHEMA test_privileges;
GRANT USAGE ON SCHEMA test_privileges TO PUBLIC;
SET client_min_messages = warning;
DROP ROLE IF EXISTS regress_parity_reader;
CREATE ROLE regress_parity_reader;
RESET client_min_messages;
SET search_path = test_privileges;
CREATE TABLE t (id int PRIMARY KEY, shown text, hidden text);
INSERT INTO t SELECT n, 's' || n, 'h' || n FROM generate_series(1, 500) n;
CREATE TABLE unreadable (id int PRIMARY KEY);
INSERT INTO unreadable VALUES (1);
CREATE TABLE partitioned (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE partition PARTITION OF partitioned FOR VALUES FROM (0) TO (1000);
INSERT INTO partitioned SELECT id FROM t;
CREATE VIEW owners_view AS SELECT id, hidden FROM t;
CREATE VIEW unreadable_view AS SELECT 1 AS id;
GRANT SELECT (id, shown) ON t TO regress_parity_reader;
GRANT SELECT ON partitioned, owners_view TO regress_parity_reader;
CREATE TABLE secured (id int PRIMARY KEY, owner text);
INSERT INTO secured SELECT n, CASE WHEN n % 10 = 0 THEN 'regress_parity_reader' ELSE 'other' END FROM generate_series(1, 500) n;
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secured USING (owner = current_user);
GRANT SELECT ON secured TO regress_parity_reader;

SET ROLE regress_parity_reader;
-- Columns: those that are read need SELECT, others do not.
SELECT pg_temp.error_of(format('SELECT * FROM parity.%s', call)) AS error, call FROM unnest(ARRAY[
    $$range_digests('t')$$, $$range_digests('t', columns => '{hidden}')$$, $$range_digests('t', key_columns => '{hidden}', columns => '{shown}')$$, $$range_digests('t', filter => 'hidden = ''h1''', columns => '{shown}')$$, $$range_digests('t', key_columns => '{}')$$,
    $$slice_digests('t')$$, $$row_digests('t')$$, $$row_digests('t', with_values => true, columns => '{hidden}')$$, $$row_digests('t', key_columns => '{hidden}', columns => '{}')$$, $$split_keys('t', 5, '{hidden}')$$,
    $$range_digests('unreadable')$$, $$row_digests('unreadable')$$, $$split_keys('unreadable')$$, $$range_digests('unreadable_view')$$, $$range_digests('partition')$$, $$split_keys('partition')$$, $$range_digests('pg_authid', columns => '{rolname}', key_columns => '{}')$$]) AS call;
SELECT sum(row_count) FROM parity.range_digests('t', columns => '{shown}');
SELECT count(*) FROM parity.row_digests('t', columns => '{shown}', with_values => true);
SELECT count(*) FROM parity.split_keys('t', 5);
SELECT sum(row_count) FROM parity.range_digests('t', columns => '{}', filter => 'shown > ''s3''');

-- Through a partitioned table, its partitions; through a view, its owner's columns.
SELECT path, sum(row_count) FROM unnest(ARRAY['scan', 'aggregate']) AS path, LATERAL parity.range_digests('partitioned', path => path) GROUP BY path ORDER BY path;
SELECT count(*) > 0 AS bounds FROM parity.split_keys('partitioned', 3);
SELECT sum(row_count) FROM parity.range_digests('owners_view', key_columns => '{id}');

-- Row security: visible rows on the aggregate's path, divided by hash; an error where it is off; no bounds from the index.
SELECT min(path_taken), sum(row_count), min(upper_bound) FROM parity.range_digests('secured', 4);
SELECT count(*) FROM parity.row_digests('secured');
SELECT pg_temp.error_of($$ SELECT * FROM parity.split_keys('secured') $$);
SELECT pg_temp.error_of($$ SELECT * FROM parity.range_digests('secured', path => 'scan') $$);
SET row_security = off;
SELECT pg_temp.error_of(format('SELECT * FROM parity.%s(''secured'')', f)) FROM unnest(ARRAY['range_digests', 'row_digests', 'slice_digests', 'split_keys']) AS f;
RESET row_security;
RESET ROLE;
-- Its owner is not held back.
SELECT min(path_taken), sum(row_count) FROM parity.range_digests('secured', 4);
ALTER TABLE secured FORCE ROW LEVEL SECURITY;
SET ROLE regress_parity_reader;
SELECT sum(row_count) FROM parity.range_digests('secured', 4);
RESET ROLE;

-- A role without any right on the extension's schema but usage can use everything that reads what it may read. Records are another matter (records.sql).
SELECT p.proname FROM pg_proc p WHERE pronamespace::regnamespace::text ~ '^parity(_internal)?$' AND NOT has_function_privilege('regress_parity_reader', p.oid, 'EXECUTE')
    AND p.prolang = (SELECT oid FROM pg_language WHERE lanname = 'c') AND p.proname NOT IN ('greater_bound', 'record_warn');
SELECT s.name, has_schema_privilege('regress_parity_reader', s.name, 'USAGE') AS usage, has_schema_privilege('regress_parity_reader', s.name, 'CREATE') AS create
FROM unnest('{parity,parity_internal}'::text[]) AS s(name);

-- None of them runs as its owner, or leaks arguments past security barriers.
SELECT count(*) FROM pg_proc WHERE pronamespace::regnamespace::text ~ '^parity(_internal)?$' AND (prosecdef AND proacl IS NULL OR proleakproof);

-- Volatility and parallel safety, as promised.
SELECT p.oid::regprocedure::text COLLATE "C" AS function, CASE provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END AS volatility,
    CASE proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END AS parallel, proisstrict AS strict
FROM pg_proc p WHERE pronamespace::regnamespace::text ~ '^parity(_internal)?$' AND proacl IS NULL ORDER BY 1;
SET client_min_messages = warning;
DROP SCHEMA test_privileges CASCADE;
DROP ROLE regress_parity_reader;
