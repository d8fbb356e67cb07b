-- Columns that may hold NULL although they look as if they did not.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_parity;
RESET client_min_messages;
CREATE SCHEMA test_not_null;
SET search_path = test_not_null;

-- PostgreSQL 18 has NOT NULL constraints that old rows need not meet. Before, the column is merely nullable, and the answers are the same.
CREATE TABLE t (id int, v int);
INSERT INTO t SELECT n, n FROM generate_series(1, 50000) n;
INSERT INTO t VALUES (NULL, 1), (NULL, 1);
DO $$ BEGIN
    IF current_setting('server_version_num')::int >= 180000 THEN
        EXECUTE 'ALTER TABLE t ADD CONSTRAINT filled NOT NULL id NOT VALID';
    END IF;
END $$;
CREATE UNIQUE INDEX ON t (id);
VACUUM ANALYZE t;

-- Its unique index is no proof: two rows have no key.
SELECT * FROM parity.key('t');

-- The rows of the last range are all read, those without a key too.
CREATE VIEW division AS SELECT array_agg(bound ORDER BY bound_no) AS bounds, count(*)::int + 1 AS last FROM parity.split_keys('t', 100, '{id}');
SELECT (SELECT count(*) FROM parity.row_digests('t', bounds => bounds, only_ranges => ARRAY[last], key_columns => '{id}'))
     - (SELECT row_count FROM parity.range_digests('t', bounds => bounds, only_ranges => ARRAY[last], key_columns => '{id}')) AS missed,
       (SELECT count(*) FROM parity.row_digests('t', bounds => bounds, only_ranges => ARRAY[last], key_columns => '{id}') WHERE key = '\x00') AS without_key
FROM division;
SET client_min_messages = warning;
DROP SCHEMA test_not_null CASCADE;
