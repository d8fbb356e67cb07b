-- Isolation levels, savepoints, exceptions, cursors, read-only transactions.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_parity;
RESET client_min_messages;

\set VERBOSITY terse
CREATE SCHEMA test_transactions;
SET search_path = test_transactions;
CREATE TABLE t (id int PRIMARY KEY, v text);
INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 5000) n;

-- Serializable transactions need predicate locks, which the scan does not take.
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT DISTINCT path_taken, sum(row_count) OVER () FROM parity.range_digests('t', 3);
SAVEPOINT s;
SELECT * FROM parity.range_digests('t', path => 'scan');
ROLLBACK TO s;
SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'SIReadLock' AND relation = 't'::regclass LIMIT 1;
COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT DISTINCT path_taken, sum(row_count) OVER () FROM parity.range_digests('t', 3, workers => 2);
SELECT count(*) FROM parity.row_digests('t');
SELECT count(*) FROM parity.split_keys('t', 3);
SELECT count(*) FROM parity.slice_digests('t', 3, filter => 'true');
COMMIT;

-- A transaction sees what it did itself, in workers as well.
BEGIN;
INSERT INTO t SELECT n, 'new' FROM generate_series(5001, 6000) n;
SELECT path, workers, sum(row_count) FROM (VALUES ('scan', 0), ('scan', 2), ('aggregate', 0)) AS p (path, workers), LATERAL parity.range_digests('t', path => path, workers => workers) GROUP BY 1, 2 ORDER BY 1, 2;
SAVEPOINT s;
DELETE FROM t WHERE id <= 5500;
SELECT sum(row_count) FROM parity.range_digests('t', workers => 2);
ROLLBACK TO s;
SELECT sum(row_count) FROM parity.range_digests('t', workers => 2);
TRUNCATE t;
SELECT sum(row_count) FROM parity.range_digests('t', workers => 2);
INSERT INTO t VALUES (1, 'x');
ALTER TABLE t ADD w int DEFAULT 5, ALTER v TYPE varchar(10), ADD CHECK (id > 0);
SELECT sum(row_count) FROM parity.range_digests('t', workers => 2);
CREATE TABLE made_here AS SELECT * FROM generate_series(1, 3000) n;
SELECT sum(row_count) FROM parity.range_digests('made_here', workers => 2);
ROLLBACK;

-- Errors inside the functions, in the leader or in workers, leave the session as it was.
CREATE TABLE broken (id int PRIMARY KEY, j json);
INSERT INTO broken SELECT n, CASE WHEN n = 4000 THEN '"\u0000"'::json ELSE '1' END FROM generate_series(1, 5000) n;
DO $$
DECLARE workers int; path text;
BEGIN
    FOREACH path IN ARRAY ARRAY['scan', 'aggregate'] LOOP
        FOREACH workers IN ARRAY ARRAY[0, 1, 3] LOOP
            BEGIN
                PERFORM * FROM parity.range_digests('broken', forms => '{"j": "json"}', path => path, workers => workers);
                RAISE 'no error';
            EXCEPTION WHEN untranslatable_character THEN
                IF (SELECT sum(row_count) FROM parity.range_digests('broken', path => path, workers => workers)) <> 5000 THEN
                    RAISE 'wrong after an error';
                END IF;
            END;
        END LOOP;
    END LOOP;
END $$;
BEGIN;
SAVEPOINT s;
SELECT * FROM parity.range_digests('broken', forms => '{"j": "json"}', workers => 2);
ROLLBACK TO s;
SELECT sum(row_count) FROM parity.range_digests('broken', workers => 2);
RELEASE s;
COMMIT;

-- The planner's limit on workers is what it was, after success and failure.
SET max_parallel_workers_per_gather = 3;
SELECT sum(row_count) FROM parity.range_digests('t', path => 'aggregate', workers => 1);
SHOW max_parallel_workers_per_gather;
SELECT * FROM parity.range_digests('broken', forms => '{"j": "json"}', path => 'aggregate', workers => 1);
SHOW max_parallel_workers_per_gather;
RESET max_parallel_workers_per_gather;

-- Cursors, also beyond their transaction; functions, views, tables made from the results; arguments from other tables.
BEGIN;
DECLARE c CURSOR FOR SELECT range_no, row_count FROM parity.range_digests('t', bounds => ARRAY['\x6b010a00000000000000'::bytea, '\x6b01e803000000000000'], workers => 2);
DECLARE held CURSOR WITH HOLD FOR SELECT range_no, row_count FROM parity.range_digests('t', bounds => ARRAY['\x6b010a00000000000000'::bytea, '\x6b01e803000000000000'], workers => 2);
FETCH 1 FROM c;
DELETE FROM t WHERE id < 5;
FETCH ALL FROM c;
COMMIT;
FETCH ALL FROM held;
CLOSE held;
CREATE VIEW digests AS SELECT * FROM parity.range_digests('test_transactions.t', 3, workers => 1);
SELECT sum(row_count) FROM digests;
CREATE TABLE stored AS SELECT range_no, row_count, row_digest, column_digests FROM digests;
INSERT INTO t VALUES (0, 'more');
SELECT count(*) AS ranges, count(*) FILTER (WHERE s.row_digest OPERATOR(parity.<>) d.row_digest) AS changed FROM stored s JOIN digests d USING (range_no);
SELECT c.relname, sum(row_count) FROM pg_class c, LATERAL parity.range_digests(c.oid) WHERE relnamespace = 'test_transactions'::regnamespace AND relkind = 'r' AND relname IN ('t', 'broken') GROUP BY 1 ORDER BY 1;
PREPARE p (regclass) AS SELECT sum(row_count) FROM parity.range_digests($1, workers => 1);
EXECUTE p ('t');
EXECUTE p ('broken');
DROP TABLE broken;
EXECUTE p ('t');
SELECT (parity.range_digests('t', 2)).row_count > 0 AS in_a_select_list;
CREATE PROCEDURE digest_and_commit() LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. 3 LOOP
        PERFORM * FROM parity.range_digests('t', workers => 2);
        COMMIT;
    END LOOP;
END $$;
CALL digest_and_commit();
-- Rows that find no room, after the workers have told all: nothing of theirs is left behind.
CREATE FUNCTION digest_without_room() RETURNS text LANGUAGE plpgsql SET work_mem = '64kB' SET temp_file_limit = 0 AS $$
BEGIN
    PERFORM * FROM parity.slice_digests('t', 500, workers => 2);
    RETURN 'there was room';
EXCEPTION WHEN configuration_limit_exceeded THEN
    RETURN SQLSTATE;
END $$;
BEGIN;
SELECT digest_without_room();
INSERT INTO t VALUES (-1, 'written');
SELECT digest_without_room();
SELECT sum(row_count) FROM parity.range_digests('t', workers => 2);
ROLLBACK;
SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker' AND datname = current_database();
SET client_min_messages = warning;
DROP SCHEMA test_transactions CASCADE;
