-- parity.max_digest_memory.
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

CREATE SCHEMA test_memory;
SET search_path = test_memory;
CREATE TABLE t (id int PRIMARY KEY, a int, b int, c int);
INSERT INTO t SELECT n, n, n, n FROM generate_series(1, 1000) n;
SELECT parity.format_version();
SHOW parity.max_digest_memory;
-- The code alone: the message's wording is the server's, and newer ones show units.
SELECT left(pg_temp.error_of('SET parity.max_digest_memory = 0'), 5) AS error_of;
SELECT pg_temp.error_of('SET parity.max_digest_memory = ''nonsense''');

-- Each range takes 8 bytes for its count and for each of 5 sums, in each process.
SET parity.max_digest_memory = '64kB';
SELECT arguments, pg_temp.error_of(format('SELECT * FROM parity.range_digests(''t'', key_columns => ''{b}'', workers => 0, %s)', arguments)) AS error
FROM unnest(ARRAY['ranges => 2000', 'ranges => 2000, width => 128', 'ranges => 2000, columns => ''{a}''', 'ranges => 1000000']) AS arguments;
SELECT pg_temp.error_of($$ SELECT * FROM parity.range_digests('t', 1000, key_columns => '{b}', workers => 3) $$);
SELECT pg_temp.error_of($$ SELECT * FROM parity.range_digests('t', 1000, key_columns => '{b}', path => 'aggregate', workers => 3) $$);
SELECT pg_temp.error_of($$ SELECT * FROM parity.slice_digests('t', 2000, key_columns => '{b}', workers => 0) $$);

-- The number that the error names fits; one more does not.
SELECT count(*), sum(row_count) FROM parity.range_digests('t', 1365, key_columns => '{b}', workers => 0);
SELECT pg_temp.error_of($$ SELECT * FROM parity.range_digests('t', 1366, key_columns => '{b}', workers => 0) $$);
CREATE FUNCTION fits(ranges int, width int, workers int, path text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text; named int; ok boolean;
BEGIN
    PERFORM * FROM parity.range_digests('t', ranges, key_columns => '{b}', width => fits.width, workers => fits.workers, path => fits.path);
    RETURN 'fits';
EXCEPTION WHEN program_limit_exceeded THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    named := substring(hint FROM 'at most (\d+) ranges');
    SELECT sum(row_count) = 1000 AND count(*) = named INTO ok FROM parity.range_digests('t', named, key_columns => '{b}', width => fits.width, workers => fits.workers, path => fits.path);
    RETURN format('%s fit: %s', named, ok);
END $$;
SELECT width, workers, path, fits(5000, width, workers, path) FROM unnest(ARRAY[64, 128]) AS width, unnest(ARRAY[0, 1, 4]) AS workers, unnest(ARRAY['scan', 'aggregate']) AS path ORDER BY 1, 2, 3;

-- Not even one range: fewer columns.
DO $$ BEGIN EXECUTE 'CREATE TABLE wide (id int PRIMARY KEY, ' || (SELECT string_agg(format('c%s int', n), ', ') FROM generate_series(1, 1500) n) || ')'; END $$;
SELECT row_count FROM parity.range_digests('wide', 1, workers => 0);
SELECT pg_temp.error_of($$ SELECT row_count FROM parity.range_digests('wide', 1, width => 128, workers => 5) $$);
RESET parity.max_digest_memory;
SELECT row_count FROM parity.range_digests('wide', 1, width => 128, workers => 5);
SET client_min_messages = warning;
DROP SCHEMA test_memory CASCADE;
