-- parity.verify and parity.verify_schema against a server that leads back to this cluster.
SET client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pg_parity;
CREATE EXTENSION IF NOT EXISTS dblink;
DROP DATABASE IF EXISTS regress_parity_replica;
CREATE DATABASE regress_parity_replica;
RESET client_min_messages;
\set VERBOSITY terse
SELECT current_database() AS here, split_part(current_setting('unix_socket_directories'), ',', 1) AS host, current_setting('port') AS port \gset
CREATE SERVER replica FOREIGN DATA WRAPPER dblink_fdw OPTIONS (host :'host', port :'port', dbname 'regress_parity_replica');
CREATE SERVER loopback FOREIGN DATA WRAPPER dblink_fdw OPTIONS (host :'host', port :'port', dbname :'here');
CREATE USER MAPPING FOR CURRENT_USER SERVER replica;
CREATE USER MAPPING FOR CURRENT_USER SERVER loopback;
CREATE SCHEMA test_verify;
SET search_path = test_verify, public;
CREATE VIEW last_part AS
SELECT t.relation, t.target_relation AS target, t.status, t.source_rows, t.target_rows, t.divergent_ranges, t.divergent_rows, t.in_flight_rows, t.unnamed_ranges, t.divergent_columns,
    t.not_compared, t.sqlstate, t.message
FROM parity.run_table t WHERE t.run_id = (SELECT max(id) FROM parity.run) ORDER BY t.id;
CREATE VIEW last_divergence AS
SELECT d.kind, d.state, d.key, d.columns, d.occurrences, d.source_values, d.target_values
FROM parity.divergence d JOIN parity.run_table t ON t.id = d.run_table_id WHERE t.run_id = (SELECT max(id) FROM parity.run) ORDER BY d.kind, d.key, d.occurrences;

CREATE TABLE t (id bigint PRIMARY KEY, name text, amount numeric(10,2), at timestamptz);
INSERT INTO t SELECT n, 'name ' || n, n / 4.0, timestamptz '2024-01-01 00:00+00' + n * interval '1 min' FROM generate_series(1, 1000) n;
CREATE TABLE t2 (LIKE t INCLUDING ALL);
INSERT INTO t2 TABLE t;

-- The target must not be the same database by mistake.
CALL parity.verify('t', 'loopback') \gset
SELECT :'result' AS result, status, sqlstate, message FROM last_part;
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, recheck_delay => '10 ms') \gset
SELECT :'result' AS result, * FROM last_part;

-- Differences of each kind.
UPDATE t2 SET name = 'other', at = NULL WHERE id = 300;
DELETE FROM t2 WHERE id = 500;
INSERT INTO t2 VALUES (2000, 'new', 1, NULL);
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, recheck_delay => '10 ms') \gset
SELECT :'result' AS result, * FROM last_part;
SELECT * FROM last_divergence;
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, recheck_delay => '10 ms', with_values => true) \gset
SELECT kind, key, source_values, target_values FROM last_divergence;

-- What is not named is told as ranges.
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, recheck_delay => '10 ms', max_rows => 1, ranges => 10) \gset
SELECT * FROM last_part;
SELECT * FROM last_divergence;
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, recheck_delay => '10 ms', max_rows => 0, ranges => 2) \gset
SELECT status, divergent_rows, unnamed_ranges FROM last_part;

-- Parts of a table.
UPDATE t2 SET amount = -1 WHERE id = 7;
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, recheck_delay => '10 ms', filter => 'id < 300', columns => '{amount,name}') \gset
SELECT kind, key, columns FROM last_divergence;
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, recheck_delay => '10 ms', filter => 'id < 400', columns => '{amount}') \gset
SELECT kind, key, columns FROM last_divergence;
UPDATE t2 SET amount = 7 / 4.0 WHERE id = 7;
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, recheck_delay => '10 ms', filter => 'id < 300', columns => '{amount,name}') \gset
SELECT status, source_rows, target_rows FROM last_part;
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, recheck_delay => '10 ms', filter => 'id < 400', columns => '{amount}') \gset
SELECT status, source_rows, target_rows FROM last_part;

-- What more there is than what is named.
CREATE TABLE half (id bigint PRIMARY KEY, name text);
INSERT INTO half SELECT id, name FROM t2 WHERE id <= 500;
CALL parity.verify('t', 'loopback', 'half', allow_same_server => true, recheck_delay => '10 ms', max_rows => 1, ranges => 4) \gset
DROP TABLE half;

-- An error at the end, if asked for.
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, recheck_delay => '10 ms', fail => true);
SELECT status FROM last_part;

-- Without a key rows are counted.
CREATE TABLE heap (a int, b text);
INSERT INTO heap SELECT n % 5, 'x' FROM generate_series(1, 100) n;
INSERT INTO heap VALUES (NULL, NULL);
CREATE TABLE heap2 AS TABLE heap;
INSERT INTO heap2 SELECT 1, 'x' FROM generate_series(1, 3);
DELETE FROM heap2 WHERE a IS NULL;
CALL parity.verify('heap', 'loopback', 'heap2', allow_same_server => true, recheck_delay => '10 ms') \gset
SELECT :'result' AS result, divergent_rows FROM last_part;
SELECT * FROM last_divergence;

-- A key that is given and not unique.
CREATE TABLE many (k text, v int);
INSERT INTO many VALUES ('a', 1), ('a', 2), ('a', 2), ('b', 1), ('c', 1);
CREATE TABLE many2 AS TABLE many;
UPDATE many2 SET v = 3 WHERE ctid = '(0,1)';
DELETE FROM many2 WHERE ctid = '(0,3)';
DELETE FROM many2 WHERE k = 'b';
CALL parity.verify('many', 'loopback', 'many2', allow_same_server => true, recheck_delay => '10 ms', key_columns => '{k}') \gset
SELECT * FROM last_divergence;

-- Another type is compared under a common form; what has none, or is on one side only, was not compared and is told.
CREATE TABLE types (id int PRIMARY KEY, n int, v varchar(20), only_here int, x text, j jsonb);
CREATE TABLE types2 (j json, id bigint PRIMARY KEY, n numeric, v text, only_there int, x bytea);
INSERT INTO types SELECT n, n, n::text, n, n::text, jsonb_build_object('b', n, 'a', 1) FROM generate_series(1, 50) n;
INSERT INTO types2 SELECT json_build_object('a', 1, 'b', n), n, n, n::text, n, 'x' FROM generate_series(1, 50) n;
CALL parity.verify('types', 'loopback', 'types2', allow_same_server => true, recheck_delay => '10 ms') \gset
SELECT status, not_compared, message FROM last_part;
CALL parity.verify('types', 'loopback', 'types2', allow_same_server => true, recheck_delay => '10 ms', columns => '{n,v}') \gset
SELECT status, not_compared, message FROM last_part;
UPDATE types2 SET n = n + 0.5, j = json_build_object('a', 1.5, 'b', id) WHERE id = 7;
CALL parity.verify('types', 'loopback', 'types2', allow_same_server => true, recheck_delay => '10 ms', columns => '{n,v}') \gset
SELECT kind, key, columns FROM last_divergence;
CALL parity.verify('types', 'loopback', 'types2', allow_same_server => true, recheck_delay => '10 ms', columns => '{n,j}', forms => '{"j": "json"}') \gset
SELECT kind, key, columns FROM last_divergence;
UPDATE types2 SET n = id, j = json_build_object('a', 1, 'b', id) WHERE id = 7;
CALL parity.verify('types', 'loopback', 'types2', allow_same_server => true, recheck_delay => '10 ms', columns => '{n,j}', forms => '{"j": "json"}') \gset
SELECT status, message FROM last_part;

-- Empty tables, a key alone, a partitioned table, a materialised view.
CREATE TABLE empty (id int PRIMARY KEY, v int);
CREATE TABLE empty2 (LIKE empty INCLUDING ALL);
CALL parity.verify('empty', 'loopback', 'empty2', allow_same_server => true) \gset
SELECT status, source_rows, target_rows FROM last_part;
INSERT INTO empty2 VALUES (7, 7);
CALL parity.verify('empty', 'loopback', 'empty2', allow_same_server => true, recheck_delay => '10 ms') \gset
SELECT kind, key, columns FROM last_divergence;
DELETE FROM empty2;
CREATE TABLE keys (a uuid, b date, PRIMARY KEY (a, b)) PARTITION BY RANGE (b);
CREATE TABLE keys_1 PARTITION OF keys FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
CREATE TABLE keys_2 PARTITION OF keys DEFAULT;
INSERT INTO keys SELECT md5(n::text)::uuid, date '2024-01-25' + n FROM generate_series(1, 20) n;
CREATE MATERIALIZED VIEW keys2 AS SELECT b, a FROM keys WHERE b <> '2024-02-05';
CALL parity.verify('keys', 'loopback', 'keys2', allow_same_server => true, recheck_delay => '10 ms') \gset
SELECT status, divergent_columns FROM last_part;
SELECT * FROM last_divergence;

-- What goes wrong is recorded, and told.
CALL parity.verify('t', 'nowhere') \gset
SELECT :'result' AS result, sqlstate, message FROM last_part;
CALL parity.verify('t', 'loopback', 't3', allow_same_server => true) \gset
SELECT :'result' AS result, sqlstate, message FROM last_part;
CALL parity.verify('t', 'replica') \gset
SELECT :'result' AS result, sqlstate, message FROM last_part;
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, columns => '{nothing}') \gset
SELECT :'result' AS result, sqlstate, message FROM last_part;
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, forms => '{"name": "int"}') \gset
SELECT :'result' AS result, sqlstate, message FROM last_part;
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, filter => 'id / 0 = 1') \gset
SELECT :'result' AS result, sqlstate, message FROM last_part;
-- An error that quotes a value has its text where readers and logs do not see it.
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, filter => 'name::int > 0', forms => '{}', fail => true);
SELECT s.scope, s.result, s.message, e.sqlstate, e.message ~ '"name \d+"' AS quoted FROM parity.status s JOIN parity.run_error e USING (run_id) ORDER BY run_id DESC LIMIT 1;
CREATE VIEW trap AS TABLE t;
CALL parity.verify('t', 'loopback', 'trap', allow_same_server => true) \gset
SELECT :'result' AS result FROM last_part;
CREATE OR REPLACE VIEW trap AS SELECT id, CASE id WHEN 7 THEN 'other' ELSE name END AS name, amount, at FROM t;
CALL parity.verify('t', 'loopback', 'trap', allow_same_server => true, recheck_delay => '10 ms') \gset
SELECT kind, key, columns FROM last_divergence;
SELECT count(*) AS connections FROM unnest(dblink_get_connections()) c WHERE c LIKE 'pg_parity%';
SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'advisory';

-- Wrong arguments are errors, and recorded, but where they name nothing that a record could be about. So is a relation that is not there.
SELECT max(id) AS runs FROM parity.run \gset
CALL parity.verify(NULL, 'loopback');
CALL parity.verify('t', NULL);
CALL parity.verify('t', 'loopback', rechecks => 0);
CALL parity.verify('t', 'loopback', ranges => 0);
CALL parity.verify('t', 'loopback', max_rows => -1);
CALL parity.verify('t', 'loopback', lock_timeout => '-1 s');
CALL parity.verify('t', 'loopback', callback => 'no_such_function');
CALL parity.verify('nope', 'loopback');
CALL parity.verify('nowhere."No pe"', 'loopback', fail => true);
CALL parity.verify('a..b', 'loopback');
CALL parity.verify('4294967295', 'loopback');
CALL parity.verify('t', 'loopback', 'a..b');
SET quote_all_identifiers = on;
CALL parity.verify('nope', 'loopback', max_rows => -1);
RESET quote_all_identifiers;
SELECT r.status AS run, t.relation, t.target_relation, t.scope, t.status, t.sqlstate, t.message FROM parity.run r JOIN parity.run_table t ON t.run_id = r.id WHERE r.id > :runs ORDER BY r.id;
SELECT relation, scope, result FROM parity.status WHERE run_id > :runs ORDER BY run_id;
-- What is refused has the line of what is not: the target has one name, however it is written.
SELECT name, target, parity_internal.verify_target(name, target) FROM (VALUES ('s.t', NULL), ('s.t', 't'), ('s.t', 'T'), ('s.t', '"T"'), ('s.t', 'S.T'), ('s.t', ' s . "t"'),
    ('"S 1".t', 'u'), ('s.t', 'a.b.c'), ('s.t', 'a..b'), ('4711', 'u'), ('4711', 'a.u')) AS n(name, target);
CALL parity.verify('lined', 'loopback', 'LINED', allow_same_server => true) \gset
CALL parity.verify('lined', 'loopback', 'test_verify.Lined2', rechecks => 0);
CALL parity.verify('lined', 'loopback', 'Lined2', allow_same_server => true) \gset
CREATE TABLE lined (id int PRIMARY KEY);
CREATE TABLE lined2 (id int PRIMARY KEY);
CALL parity.verify('lined', 'loopback', allow_same_server => true) \gset
SELECT relation, scope, result FROM parity.status WHERE relation ~ 'lined' ORDER BY run_id;
CALL parity.verify('lined', 'loopback', 'lined2', allow_same_server => true) \gset
DROP TABLE lined;
CALL parity.verify('lined', 'loopback', 'lined2');
CALL parity.verify('lined', 'loopback');
SELECT relation, scope, result, last_identical IS NOT NULL AS was_identical FROM parity.status WHERE relation ~ 'lined' ORDER BY run_id;
DROP TABLE lined2;
-- A call in a transaction block is an error at once.
SELECT max(id) AS runs FROM parity.run \gset
BEGIN;
CALL parity.verify('t', 'loopback');
ROLLBACK;
SELECT max(id) = :runs AS nothing_recorded FROM parity.run;

-- What was found of a part is not taken for the whole.
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, recheck_delay => '10 ms') \gset
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, filter => 'false') \gset
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, columns => '{}', filter => 'id < 300') \gset
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, key_columns => '{}', filter => 'id < 300') \gset
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, forms => '{"name": "trimmed"}', filter => 'id < 300') \gset
SELECT scope, result, last_identical IS NOT NULL AS was_identical FROM parity.status WHERE relation = 'test_verify.t' AND scope ->> 'target_relation' = 'test_verify.t2' ORDER BY run_id;

-- A relation that another session verifies is left to it.
SELECT dblink_connect('other', format('host=%s port=%s dbname=%s', :'host', :'port', :'here'));
SELECT granted FROM dblink('other', format('SELECT pg_try_advisory_lock(parity_internal.verify_lock_class(''verify'', ''loopback''), %s)', 't'::regclass::oid::int)) AS l(granted boolean);
SET client_min_messages = error;
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true) \gset
RESET client_min_messages;
SELECT :'result' AS result, regexp_replace(message, '\d+', '…') AS message FROM last_part;
-- Against another server it may be verified meanwhile.
CALL parity.verify('t', 'nowhere') \gset
SELECT :'result' AS result, message FROM last_part;
SELECT dblink_disconnect('other');

-- What a run that was broken off left in this session is let go of by the next one, of any kind and table.
CREATE VIEW held AS SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
SELECT pg_advisory_lock(parity_internal.verify_lock_class('verify', 'nowhere'), n), pg_advisory_lock(parity_internal.verify_lock_class('verify', 'nowhere'), n) FROM generate_series(4711, 4713) n;
SELECT pg_advisory_lock(7, 4711);
CALL parity.verify('empty', 'loopback', 'empty2', allow_same_server => true) \gset
SELECT * FROM held;
SELECT pg_advisory_lock(parity_internal.verify_lock_class('verify', 'nowhere'), 4711);
CALL parity.verify_schema('nowhere', '{test_verify.empty}') \gset
SELECT * FROM held;
SELECT pg_advisory_lock(parity_internal.verify_lock_class('verify', 'nowhere'), -4711);
CALL parity.verify_baseline('empty', 'no such');
SELECT * FROM held;
SELECT pg_advisory_unlock(7, 4711);

-- A callback gets what NOTIFY gets. Its failure is told, and changes nothing.
CREATE TABLE heard (payload jsonb);
CREATE FUNCTION hear(payload jsonb) RETURNS void LANGUAGE sql AS 'INSERT INTO test_verify.heard VALUES (payload)';
CREATE FUNCTION fail(payload jsonb) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'nobody listens'; END $$;
CALL parity.verify('t', 'loopback', 't2', allow_same_server => true, recheck_delay => '10 ms', callback => 'hear') \gset
SELECT payload - 'run' FROM heard;
CALL parity.verify('empty', 'loopback', 'empty2', allow_same_server => true, callback => 'fail') \gset
SELECT :'result' AS result, r.status, r.sqlstate, r.message FROM parity.run r ORDER BY id DESC LIMIT 1;

-- Objects that a search path has first are not taken for the system's.
CREATE SCHEMA decoy;
CREATE FUNCTION decoy.equal(a text, b text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'decoy'; END $$;
CREATE OPERATOR decoy.= (LEFTARG = text, RIGHTARG = text, FUNCTION = decoy.equal);
CREATE OPERATOR decoy.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = decoy.equal);
CREATE FUNCTION decoy.jsonb_build_object(VARIADIC "any") RETURNS jsonb LANGUAGE internal AS 'jsonb_build_object_noargs';
CREATE FUNCTION decoy.current_database() RETURNS name LANGUAGE sql AS 'SELECT ''decoy''::name';
CREATE FUNCTION decoy.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'decoy'; END $$;
CREATE FUNCTION decoy.dblink_connect(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'decoy'; END $$;
CREATE TABLE decoy.pg_class (oid oid);
CREATE TEMPORARY TABLE pg_foreign_server (srvname text);
CREATE DOMAIN decoy.jsonb AS int;
CREATE DOMAIN pg_temp.text AS int;
SET search_path = decoy, pg_catalog, parity, public, pg_temp;
CALL parity.verify('test_verify.t', 'loopback', 'test_verify.t2', allow_same_server => true, recheck_delay => '10 ms') \gset
CALL parity.verify_schema('loopback', '{test_verify.empty}', allow_same_server => true) \gset
SET search_path = test_verify, public;
DROP DOMAIN pg_temp.text;
DROP TABLE pg_temp.pg_foreign_server;
SELECT :'result' AS result, relation, status FROM last_part;
DROP SCHEMA decoy CASCADE;

-- Many tables.
\connect regress_parity_replica
SET client_min_messages = error;
CREATE EXTENSION pg_parity;
CREATE SCHEMA test_verify;
SET search_path = test_verify, public;
CREATE TABLE one (id int PRIMARY KEY);
CREATE TABLE two (id int PRIMARY KEY);
INSERT INTO two VALUES (1);
CREATE TABLE "Three.x" (id int PRIMARY KEY);
CREATE TABLE parted (id int PRIMARY KEY);
\connect :here
\set VERBOSITY terse
SET search_path = test_verify, public;
CREATE TABLE one (id int PRIMARY KEY);
CREATE TABLE two (id int PRIMARY KEY);
CREATE TABLE "Three.x" (id int PRIMARY KEY);
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY HASH (id);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CALL parity.verify_schema('replica', '{test_verify.one,"test_verify.\"Three.x\"",*.part*}') \gset
SELECT :'result' AS result;
SELECT relation, target, status FROM last_part;
-- Those come first that were not looked at, then by time.
CALL parity.verify_schema('replica', '{test_verify.*}', exclude => '{*.t,*.t2,heap*,many*,types*,empty*,keys*,h?ard}', recheck_delay => '10 ms') \gset
SELECT :'result' AS result;
SELECT relation, status, divergent_rows FROM last_part;
SELECT relation, target, result, divergent_rows FROM parity.status WHERE target = 'replica' ORDER BY relation;
-- A budget that is spent leaves tables for the next time, and says so.
CALL parity.verify_schema('replica', '{test_verify.one,test_verify.parted}', budget => '0 s') \gset
SELECT :'result' AS result, status, message FROM parity.run ORDER BY id DESC LIMIT 1;
SELECT relation, status, message FROM last_part;
CALL parity.verify_schema('nowhere', '{one,two}') \gset
SELECT :'result' AS result;
SELECT relation, status, message FROM last_part;
-- The error that fail makes names the first tables that ended so.
SET client_min_messages = error;
CALL parity.verify_schema('nowhere', '{one,two}', fail => true);
RESET client_min_messages;
-- A table that was never reached is seen, and the run as a whole is told of.
CREATE SERVER elsewhere FOREIGN DATA WRAPPER dblink_fdw OPTIONS (host :'host', port :'port', dbname 'regress_parity_replica');
CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere;
TRUNCATE heard;
CALL parity.verify_schema('elsewhere', '{test_verify.one,test_verify.two}', budget => '0 s', callback => 'hear') \gset
SELECT payload - 'run' FROM heard;
SELECT relation, result, message FROM parity.status WHERE target = 'elsewhere';
CALL parity.verify_schema('elsewhere', '{test_verify.one}') \gset
SELECT relation, result, last_identical IS NOT NULL AS was_identical FROM parity.status WHERE target = 'elsewhere' ORDER BY 1;
CALL parity.verify_schema('elsewhere', '{test_verify.one}', budget => '0 s') \gset
SELECT relation, result FROM parity.status WHERE target = 'elsewhere' ORDER BY 1;
-- One that is gone when its turn comes is passed over, and no alarm for ever.
SELECT jsonb_build_object('ask', parity_internal.verify_check_options('{"server": "elsewhere", "max_rows": 1, "with_values": false, "recheck_delay": "1 s", "rechecks": 9, "replay_timeout": "1 min",
    "lock_timeout": "1 s", "allow_same_server": false, "fail": false}'), 'run', parity_internal.record_run_start('verify', 'here', 'elsewhere', 'test'),
    'left', '[{"oid": 1, "name": "test_verify.gone"}]'::jsonb, 'statuses', '["identical"]'::jsonb, 'until', now() + interval '1 h') AS work \gset
SELECT n.job IS NULL AS done, parity_internal.verify_end_schema(n.rest) ->> 'status' AS status FROM parity_internal.verify_next(:'work') n;
SELECT relation, status, message FROM last_part;
SELECT count(*) FROM parity.status WHERE relation = 'test_verify.gone';
-- One that cannot be begun has a result, and does not end the run.
CREATE TYPE pg_temp.next_of AS (rest jsonb, job jsonb);
SELECT parity_internal.verify_next(jsonb_set(CAST(:'work' AS jsonb), '{ask,target_relation}', '"a..b"') || jsonb_build_object('run', parity_internal.record_run_start('verify', 'here', 'elsewhere', 'test'),
    'left', jsonb_build_array(jsonb_build_object('oid', 'one'::regclass::oid, 'name', 'test_verify.one'), '{"oid": 1, "name": "test_verify.gone"}'::jsonb))) AS next \gset
SELECT n.job ->> 'step' AS step, n.job ->> 'status' AS status, n.job ->> 'sqlstate' AS sqlstate, jsonb_array_length(n.rest -> 'left') AS left_over,
    parity_internal.verify_note(n.rest, n.job) -> 'statuses' AS statuses FROM (SELECT x.rest, x.job FROM CAST(:'next' AS pg_temp.next_of) x) n;
SELECT relation, status, message FROM last_part;
SELECT * FROM held;
-- What a callback does wrong is told where it cannot be recorded, and its cancel is the run's.
CREATE FUNCTION give_up(payload jsonb) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'gave up' USING ERRCODE = '57014'; END $$;
SELECT parity_internal.verify_tell('{"run": 4711, "ask": {"callback": "test_verify.fail"}}', '{}') ->> 'callback_message' AS message;
SELECT parity_internal.verify_end_schema(CAST(:'work' AS jsonb) || jsonb_build_object('ask', '{"callback": "test_verify.give_up"}'::jsonb, 'stop', 'not reached within the budget',
    'run', parity_internal.record_run_start('verify', 'here', 'elsewhere', 'test'))) AS ended \gset
SELECT j ->> 'status' AS status, j ->> 'message' AS message FROM CAST(:'ended' AS jsonb) j;
SELECT status, sqlstate, message FROM parity.run ORDER BY id DESC LIMIT 1;
SELECT parity_internal.verify_raise(:'ended', 'cancelled');
-- What differs is waited for no longer than there is time left.
SELECT left_over, ask ->> 'rechecks' AS rechecks, round((ask ->> 'replay_timeout')::numeric) AS replay_timeout
FROM unnest('{0 s,30 s,2 min,5 min,1 day,NULL}'::interval[]) AS t(left_over), parity_internal.verify_within(:'work'::jsonb -> 'ask', clock_timestamp() + left_over) ask;
-- Nor is the whole table taken for verified when a part was.
CALL parity.verify('one', 'elsewhere', filter => 'true') \gset
CALL parity.verify('two', 'elsewhere', filter => 'false') \gset
SELECT r ->> 'name' AS turn FROM jsonb_array_elements(parity_internal.verify_relations('elsewhere', '{test_verify.one,test_verify.two}', '{}')) r;
-- An error of one table does not keep the others from being tried, one of the connection does.
SELECT parity_internal.verify_is_hopeless(jsonb_build_object('hopeless', true, 'server', server, 'sqlstate', state, 'message', message)) AS hopeless, server, state, message
FROM unnest('{elsewhere,elsewhere,no_such,elsewhere,elsewhere,elsewhere}'::text[], '{08001,42704,42704,55000,55000,55000}'::text[], ARRAY['could not connect', 'type "x" does not exist', 'server "no_such" does not exist',
    'materialized view "m" has not been populated', 'digests of format 1 here cannot be compared with format 2 on the target', 'extension "pg_parity" is not installed on the target']) AS e(server, state, message);

-- An option of the session changes no pattern and no name.
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SET quote_all_identifiers = on;
CALL parity.verify_schema('elsewhere', '{test_verify.one}') \gset
CALL parity.verify('one', 'elsewhere') \gset
RESET standard_conforming_strings;
RESET escape_string_warning;
RESET quote_all_identifiers;
SELECT DISTINCT relation FROM parity.run_table WHERE relation ~ 'one"?$';

-- Of functions of one name that with a jsonb is called.
CREATE FUNCTION hear(payload text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the wrong one'; END $$;
CREATE FUNCTION hear(payload anyelement) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the wrong one'; END $$;
TRUNCATE heard;
CALL parity.verify('one', 'elsewhere', callback => 'hear') \gset
SELECT payload ->> 'status' AS heard FROM heard;
DROP USER MAPPING FOR CURRENT_USER SERVER elsewhere;
DROP SERVER elsewhere;

-- A pattern that chooses nothing is an error.
CALL parity.verify_schema('replica', '{one,nothing.*}');
SELECT relation, target, result, message FROM parity.status WHERE relation IS NULL;
CALL parity.verify_schema('replica', '{one}') \gset
SELECT relation, target, result, message FROM parity.status WHERE relation IS NULL;
CALL parity.verify_schema('replica', '{}');
CALL parity.verify_schema('replica', '{a.b.c}');
CALL parity.verify_schema('replica', NULL);

-- The steps of a job, one by one. What has none ends.
SELECT parity_internal.verify_step(NULL);
SELECT parity_internal.verify_step('{"relation": "1"}');
CALL parity_internal.verify_table('{"relation": "0", "name": "nothing", "step": "nowhere", "ask": {"lock_timeout": "1000"}}') \gset
SELECT j ->> 'status' AS status, j ->> 'message' AS message FROM CAST(:'job' AS jsonb) j;
SELECT jsonb_build_object('ask', a.ask, 'server', 'loopback', 'relation', 't'::regclass::oid, 'name', 'test_verify.t', 'target', 'test_verify.t2') AS job
FROM (SELECT '{"wait": 0, "lock_timeout": "10000", "statement_timeout": "0", "allow_same_server": true, "target_relation": "t2"}'::jsonb AS ask) a \gset
SELECT parity_internal.verify_connect(parity_internal.verify_open(:'job')) AS job \gset
SELECT parity_internal.verify_remote_begin(:'job') AS job \gset
SELECT parity_internal.verify_ask('SELECT current_setting(''idle_in_transaction_session_timeout'')', 5) AS before_the_pass;
SELECT parity_internal.verify_is_as_planned(:'job');
SELECT parity_internal.verify_ask('SELECT current_setting(''idle_in_transaction_session_timeout'')', 5) AS in_the_pass;
-- A transaction takes its number after the target's snapshot is taken, and not before: where that fails, it has none.
BEGIN;
SET LOCAL synchronous_commit = remote_apply;
SELECT parity_internal.verify_step(CAST(:'job' AS jsonb) || '{"step": "snapshot", "phase": "comparing"}') ->> 'step' AS step, pg_current_xact_id_if_assigned() IS NOT NULL AS numbered;
SHOW synchronous_commit;
COMMIT;
SELECT parity_internal.verify_disconnect(false);
BEGIN;
SELECT parity_internal.verify_step(CAST(:'job' AS jsonb) || '{"step": "snapshot", "phase": "comparing"}') ->> 'step' AS step, pg_current_xact_id_if_assigned() IS NOT NULL AS numbered;
COMMIT;
SELECT parity_internal.verify_connect(parity_internal.verify_open(:'job')) AS job \gset
SELECT parity_internal.verify_remote_begin(:'job') AS job \gset
-- Values are recorded as far as they fit.
SELECT jsonb_set(:'job', '{ask,with_values}', 'true') AS job \gset
SELECT parity_internal.verify_rows(:'job', NULL, NULL, (SELECT array_agg(d.key) FROM parity.row_digests('t', filter => 'id IN (300, 400, 500)') d), NULL, NULL, NULL)
    -> 'rows' AS rows \gset
SELECT v.left_out, r ->> 'key' AS key, r -> 'source_values' AS source_values, r -> 'target_values' AS target_values
FROM unnest('{1000,180,50}'::bigint[]) AS m(most), parity_internal.verify_values(:'job', :'rows', m.most) v, jsonb_array_elements(v.with_values) r;
-- Each range that differs does so in a finer division.
SELECT array_agg(s.bound ORDER BY s.bound_no) AS fine, array_agg(s.bound_text ORDER BY s.bound_no) AS texts FROM parity.split_keys('t', 8) s \gset
SELECT jsonb_array_length(work) AS finer FROM parity_internal.verify_finer(:'job', :'fine', :'texts', 4, 4, '[{"no": 1}, {"no": 2}]');
SELECT jsonb_array_length(work) FROM parity_internal.verify_finer(:'job', :'fine', :'texts', 1, 1, '[{"no": 1}, {"no": 3}]');
-- Versions are found under a form that was asked for, too.
SELECT forms, v.source IS NOT NULL AS source, v.target IS NOT NULL AS target
FROM unnest('{NULL,"{}","{\"name\": \"trimmed\"}","{\"id\": \"int\"}"}'::jsonb[]) AS f(forms),
    parity_internal.verify_versions_by_key(CAST(:'job' AS jsonb) || jsonb_build_object('ask', CAST(:'job' AS jsonb) -> 'ask' || jsonb_strip_nulls(jsonb_build_object('forms', forms))),
        (SELECT array_agg(d.key) FROM parity.row_digests('t', filter => 'id = 300') d)) v;
SELECT parity_internal.verify_disconnect(false);
-- How long the target may be silent: an hour, or ten times as long as this side read, if nothing is said.
SELECT parity_internal.verify_patience('{"wait": 0, "lock_timeout": "10000"}') AS question, parity_internal.verify_patience('{"wait": 7, "lock_timeout": "10000"}', now()) AS told,
    parity_internal.verify_patience('{"wait": 0, "lock_timeout": "10000"}', now()) AS reading,
    round(parity_internal.verify_patience('{"wait": 0, "lock_timeout": "10000"}', clock_timestamp() - interval '1 h')) AS reading_long;
-- Ranges that are not recorded are told of.
SELECT jsonb_array_length(parity_internal.verify_findings(j.job)) AS recorded, parity_internal.verify_message(j.job, false) AS message
FROM (SELECT jsonb_build_object('plan', '{"key": ["id"], "columns": [], "key_forms": ["int"]}'::jsonb, 'found', jsonb_build_object('rows', '[]'::jsonb,
        'ranges', (SELECT jsonb_agg('{"state": "divergent"}'::jsonb) FROM generate_series(1, 10007))), 'ask', '{"max_rows": 0}'::jsonb) AS job) j;
-- What is proved, of one row or range: the last look, and this one.
SELECT what, follows, parity_internal.verify_judge(jsonb_build_object('look', 2, 'open', open, 'ranges', '[]'::jsonb, 'rows', jsonb_build_array(
    jsonb_build_object('state', 'moving', 'source', 's', 'target', 't', 'source_extra', 1, 'target_extra', 1) || row ||
    jsonb_build_object('before', jsonb_build_object('source', 's', 'target', 't') || before))), follows) #>> '{rows,0,state}' AS state
FROM (VALUES
    ('the same hashes, no replication', 'no', '{"1": [], "2": []}'::jsonb, '{}'::jsonb, '{}'::jsonb),
    ('the same hashes', 'replayed', '{"1": [], "2": []}', '{}', '{}'),
    ('another version here', 'replayed', '{"1": [], "2": []}', '{"source_version": "2"}', '{"source_version": "1"}'),
    ('one version here', 'replayed', '{"1": [], "2": []}', '{"source_version": "1"}', '{"source_version": "1"}'),
    ('one version here', 'late', '{"1": [], "2": []}', '{"source_version": "1"}', '{"source_version": "1"}'),
    ('one version here, more there', 'replayed', '{"1": [], "2": []}', '{"source_version": "1", "target_extra": 2}', '{"source_version": "1"}'),
    ('one version here, a writer', 'replayed', '{"1": [], "2": ["9"]}', '{"source_version": "1"}', '{"source_version": "1"}'),
    ('one version here, a writer elsewhere', 'replayed', '{"1": [], "2": ["9"]}', '{"source_version": "1", "free": true}', '{"source_version": "1"}'),
    ('one version here, the writer ended', 'late', '{"1": [], "2": ["9"]}', '{"source_version": "1"}', '{"source_version": "1", "source_since": "1"}'),
    ('one version there', 'replayed', '{"1": [], "2": ["9"]}', '{"target_version": "1"}', '{"target_version": "1", "target_since": "1", "target_sure": true}'),
    ('one version there', 'late', '{"1": [], "2": []}', '{"target_version": "1"}', '{"target_version": "1", "target_since": "1", "target_sure": true}'),
    ('one version there, a writer', 'replayed', '{"1": [], "2": []}', '{"target_version": "1"}', '{"target_version": "1", "target_since": "1", "target_sure": false}'),
    ('another version there', 'replayed', '{"1": [], "2": []}', '{"target_version": "2"}', '{"target_version": "1", "target_since": "1", "target_sure": true}')
) AS c(what, follows, open, row, before);
-- After a conflict the target may not have replayed what the last look saw, unless that had been waited for already.
SELECT step, state, j ->> 'step' AS next, j ->> 'follows' AS follows, j ->> 'conflicts' AS conflicts
FROM unnest('{decide,delay,replay,snapshot,pass,decide,decide}'::text[], '{40001,40001,40P01,40001,40001,XX002,22012}'::text[]) AS e(step, state),
    parity_internal.verify_failed(jsonb_build_object('step', step, 'follows', 'replayed', 'found', '{}'::jsonb), state, 'm', '', '') j;
SELECT (parity_internal.verify_judge('{"look": 2, "open": {"1": [], "2": []}, "ranges": [], "rows": [{"state": "moving", "source": "s", "target": "t", "source_extra": 1, "target_extra": 1,
    "source_version": "1", "target_version": "1", "free": true, "before": {"source": "s", "target": "t", "source_version": "1", "target_version": "1", "target_since": "1", "target_sure": true}}]}',
    'first') #> '{rows,0}') - '{source,target,source_version,target_version}'::text[] AS row;
-- Rows whose keys are too long to be named all are told as ranges.
CREATE TABLE documents (v text);
INSERT INTO documents SELECT n || repeat('x', 600000) FROM generate_series(1, 9) n;
CREATE TABLE documents2 (v text);
SET client_min_messages = error;  -- which ranges they are in is by a random hash
CALL parity.verify('documents', 'loopback', 'documents2', allow_same_server => true, recheck_delay => '10 ms', ranges => 4) \gset
RESET client_min_messages;
SELECT status, divergent_rows BETWEEN 1 AND 8 AS some, unnamed_ranges > 0 AS others FROM last_part;

SELECT p.pattern, x.* FROM unnest('{orders,public.*,"\"Sales\".o?_1","a.\"x.*\"",Ä.b$|c}'::text[]) AS p(pattern), parity_internal.verify_pattern(p.pattern) x;

-- What key_values takes apart.
SELECT parity.key_values(key, '{int,text}'), key_text FROM parity.row_digests('t', key_columns => '{id,name}') ORDER BY key_text LIMIT 1;
SELECT parity.key_values('\x00', '{int}');
SELECT parity.key_values('\x01', '{int}');
SELECT parity.key_values('\x0000', '{int}');
SELECT parity.key_values('\x00', '{no_form}');

SET client_min_messages = error;
DROP SCHEMA test_verify CASCADE;
DROP SERVER replica CASCADE;
DROP SERVER loopback CASCADE;
DROP EXTENSION dblink;
DELETE FROM parity.run;
DROP DATABASE regress_parity_replica;
