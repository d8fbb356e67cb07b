-- filter: one expression, on its own.
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

CREATE SCHEMA test_filter;
SET search_path = test_filter;
CREATE TABLE t (id int PRIMARY KEY, v text, "or" boolean);
INSERT INTO t SELECT n, nullif('v' || n % 4, 'v0'), n % 2 = 0 FROM generate_series(1, 100) n;
CREATE TABLE other (id int PRIMARY KEY);
INSERT INTO other VALUES (1), (2), (3);
CREATE SEQUENCE counter;
CREATE FUNCTION changing(n int) RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT n > 50';
CREATE FUNCTION steady(n int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT n > 50';
CREATE VIEW volatile_view AS SELECT id FROM other WHERE random() < 2;

-- How many rows a filter leaves in all ranges, in one range of them, and in the rows' list; or its error.
CREATE FUNCTION rows_of(filter text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE bounds bytea[] := ARRAY['\x6b011500000000000000'::bytea, '\x6b012900000000000000']; answer text;
BEGIN
    SELECT sum(row_count) || ', ' || sum(row_count) FILTER (WHERE range_no = 2) || ', ' || (SELECT count(*) FROM parity.row_digests('t', bounds => bounds, only_ranges => '{2}', filter => filter)) INTO answer
    FROM parity.range_digests('t', bounds => bounds, filter => filter);
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || CASE WHEN SQLSTATE ~ '^(22023|42601)' THEN ' ' || SQLERRM ELSE '' END;
END $$;
SELECT filter, rows_of(filter) FROM unnest(ARRAY[
    'true', 'false', NULL, 'NULL', 'id > 50', 'id > 50 OR id < 10', 'v IS NULL', 't.id % 2 = 0', '"or"', 'NOT "or" AND t."or" IS NOT NULL', E'id\n>\n50', '(id > 50)', '((id) > (50))', 'id > 50 -- a comment', E'id > 50 /* a comment */',
    E'-- a comment first\nid > 50', 'id IN (SELECT id FROM test_filter.other)', 'EXISTS (SELECT FROM test_filter.other o WHERE o.id = t.id)', 'test_filter.steady(id)', 'id = ANY (ARRAY[1, 2, 30])', 'id::text LIKE ''%7''', 'v = $$v1$$', 'v = ''--''',
    'CASE WHEN id > 50 THEN true END', 'id > (SELECT max(id) FROM test_filter.other)', 'id > 50 AND id > 50; ']) AS filter;

-- Nothing gets out of its parentheses, and nothing else than one expression gets in.
SELECT filter, rows_of(filter) FROM unnest(ARRAY[
    '', ' ', 'true) --', 'true) OR (true', '1=1) OR (1=1', 'true) /*', '/*', '*/', 'true /*', 'true; DROP TABLE test_filter.t', 'true; SELECT 1', ';', ';true', 'true, false', 'true AS x', 'true x', 'true FROM test_filter.other', 'true WHERE true', 'DISTINCT true', 'ALL true', 'true UNION SELECT true',
    'true ORDER BY 1', 'true LIMIT 1', 'true FOR UPDATE', 'true INTO x', 'SELECT true', '*', 't.*', 't', 'true GROUP BY id', 'true HAVING true', 'true)', '(true', ')', '''', '$$', 'E''\''', '"', E'true\n) OR (\ntrue', '$1 IS NOT NULL', 'id > $1', '$2', 'VALUES (true)', 'TABLE t']) AS filter;

-- Volatile functions choose other rows each time.
SELECT filter, rows_of(filter) FROM unnest(ARRAY[
    'random() < 2', 'test_filter.changing(id)', 'nextval(''test_filter.counter'') > 0', 'clock_timestamp() > ''2000-01-01''', 'id IN (SELECT (random() * 0)::int FROM test_filter.other)', 'id IN (SELECT id FROM test_filter.volatile_view)',
    'EXISTS (WITH w AS (SELECT random() AS r) SELECT FROM w WHERE r < 2)', 'id < (SELECT count(*) FROM generate_series(1, (random() * 9)::int))', 'now() > ''2000-01-01''']) AS filter;
SELECT last_value, is_called FROM counter;

-- Other errors are SQL's own.
SELECT filter, rows_of(filter) FROM unnest(ARRAY[
    'nope', 'id', 'nope.id = 1', 'id = ''x''', 'count(*) > 1', 'row_number() OVER () > 1', 'generate_series(1, 2) > 1', 'id / 0 = 1', 'EXISTS (SELECT FROM test_filter.other FOR UPDATE)', 'EXISTS (WITH d AS (DELETE FROM test_filter.t RETURNING 1) SELECT FROM d)', 'EXISTS (SELECT FROM test_filter.nope)', 't', 'ROW(1)']) AS filter;
SELECT count(*) FROM t;

-- A filter keeps the scan from running, and does not run as anybody else.
SELECT DISTINCT path_taken FROM parity.range_digests('t', filter => 'true');
SELECT pg_temp.error_of($$ SELECT * FROM parity.range_digests('test_filter.t', filter => 'true', path => 'scan') $$);
CREATE FUNCTION who(n int) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN current_user = session_user; END $$;
SELECT rows_of('test_filter.who(id)');

-- The same filter, the same digests; another one, others.
SELECT x.row_digest, x.row_digest OPERATOR(parity.=) y.row_digest AS same FROM parity.range_digests('t', 1, filter => 'id > 50') x, parity.range_digests('t', 1, filter => 'NOT id <= 50') y;
SELECT x.row_digest OPERATOR(parity.+) y.row_digest OPERATOR(parity.=) z.row_digest AS adds_up
FROM parity.range_digests('t', 1, filter => 'id > 50') x, parity.range_digests('t', 1, filter => 'NOT id > 50') y, parity.range_digests('t', 1) z;
SET client_min_messages = warning;
DROP SCHEMA test_filter CASCADE;
