-- Records of runs: who may read and write them, what is told, what is removed.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_parity;
TRUNCATE parity.run, parity.baseline RESTART IDENTITY CASCADE;
\set VERBOSITY terse
SELECT parity.format_version() AS loaded;
-- The privileges of every table and view, and of each function that not everybody may call.
CREATE VIEW pg_temp.member AS
    SELECT d.classid, d.objid FROM pg_depend d
    WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_parity') AND d.deptype = 'e';
SELECT c.oid::regclass::text COLLATE "C" AS relation, a.grantee::regrole, string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type) AS privileges
FROM pg_temp.member m JOIN pg_class c ON c.oid = m.objid AND m.classid = 'pg_class'::regclass, aclexplode(c.relacl) AS a
WHERE a.grantee <> c.relowner GROUP BY 1, 2 ORDER BY 1, 2;
SELECT c.oid::regclass::text COLLATE "C" AS relation, a.attname, a.attacl IS NOT NULL AS granted
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.oid = 'parity.baseline'::regclass AND a.attnum > 0 ORDER BY a.attnum;
SELECT p.oid::regprocedure::text COLLATE "C" AS function, p.prosecdef AS definer, p.proconfig IS NOT NULL AS pinned,
       (SELECT string_agg(CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, ', ') FROM aclexplode(p.proacl) AS a WHERE a.grantee <> p.proowner) AS granted_to
FROM pg_temp.member m JOIN pg_proc p ON p.oid = m.objid AND m.classid = 'pg_proc'::regclass
WHERE p.proacl IS NOT NULL AND p.proname !~ '^verify(_|$)' OR p.proname ~ '^verify_baseline' ORDER BY 1;
-- Of what was made since, nothing is PUBLIC's; what runs as its owner has a pinned search_path.
SELECT p.oid::regprocedure FROM pg_temp.member m JOIN pg_proc p ON p.oid = m.objid AND m.classid = 'pg_proc'::regclass
WHERE (p.proname ~ '^(record|verify|baseline|schedule|unschedule|capture|drop_)' AND p.proacl IS NULL)
   OR EXISTS (SELECT FROM aclexplode(p.proacl) AS a WHERE a.grantee = 0)
   OR p.prosecdef AND (p.prolang = (SELECT oid FROM pg_language WHERE lanname = 'c') OR NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false));
SELECT r.rolname, r.rolcanlogin, r.rolsuper, ARRAY(SELECT m.member::regrole FROM pg_auth_members m WHERE m.roleid = r.oid) AS members
FROM pg_roles r WHERE r.rolname ~ '^parity_' ORDER BY 1;

-- What a reader and an operator can do, and others cannot.
CREATE ROLE regress_parity_nobody;
CREATE ROLE regress_parity_reader;
CREATE ROLE regress_parity_operator;
GRANT parity_reader TO regress_parity_reader;
GRANT parity_operator TO regress_parity_operator;
CREATE FUNCTION public.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE TABLE public.attempt AS SELECT row_number() OVER () AS no, statement FROM unnest(ARRAY[
    'SELECT * FROM parity.status', 'SELECT * FROM parity.run', 'SELECT * FROM parity.run_table', 'SELECT * FROM parity.divergence',
    'SELECT label FROM parity.baseline', 'SELECT seed FROM parity.baseline', 'SELECT highest_key FROM parity.baseline', 'SELECT * FROM parity.baseline_range',
    $$INSERT INTO parity.run (kind, source, target, tool) VALUES ('verify', 's', 't', 'x')$$, 'UPDATE parity.run_table SET status = ''identical''',
    'DELETE FROM parity.divergence', 'DELETE FROM parity.baseline', 'TRUNCATE parity.run CASCADE', $$SELECT nextval('parity.run_id_seq')$$,
    $$SELECT parity_internal.record_run_start('verify', 's', 't', 'x')$$, 'SELECT parity_internal.record_trim()', 'SELECT parity_internal.record_dead_runs()',
    'SELECT parity_internal.record_tell(1, NULL)', 'SELECT parity_internal.record_check(1)', 'SELECT parity_internal.record_run_finish(1, ''identical'')',
    $$SELECT parity.drop_baseline('pg_class', 'x')$$, 'SELECT parity.unschedule(''x'')', 'SET parity.history_days = 1']) AS statement;
GRANT SELECT ON public.attempt TO PUBLIC;
SET SESSION AUTHORIZATION regress_parity_nobody;
SELECT statement, public.error_of(statement) FROM public.attempt ORDER BY no;
SET SESSION AUTHORIZATION regress_parity_reader;
SELECT statement, public.error_of(statement) FROM public.attempt ORDER BY no;
SET SESSION AUTHORIZATION regress_parity_operator;
SELECT statement, public.error_of(statement) FROM public.attempt ORDER BY no;
RESET SESSION AUTHORIZATION;
TRUNCATE parity.run RESTART IDENTITY CASCADE;

-- A run from its start to its end, and how it stands meanwhile.
SET SESSION AUTHORIZATION regress_parity_operator;
SELECT parity_internal.record_run_start('verify', 'here', 'replica', 'test', '{"limit": 5}') AS run \gset
SELECT parity_internal.record_table_start(:run, 'public.orders', 'public.orders') AS part \gset
SELECT relation, target, result, age, regexp_replace(running, 'for .*\(|pid \d+', '…', 'g') AS running, run_id FROM parity.status;
SELECT parity_internal.record_table_phase(:part, 'digesting');
SELECT regexp_replace(running, 'for .*\(|pid \d+', '…', 'g') AS running FROM parity.status;
SELECT parity_internal.record_divergences(:part, '[{"kind": "mismatch", "state": "divergent", "key": {"id": "1"}, "columns": ["v"]}, {"kind": "range", "state": "in_flight"}]');
SELECT parity_internal.record_table_finish(:part, 'divergent', '{"divergent_rows": 7, "divergent_ranges": 2, "unnamed_ranges": 1, "source_rows": 5, "run_id": 99, "not_compared": [1]}');
-- Begun once more, nothing of it counts; finished a second time, it counts once.
SELECT parity_internal.record_table_again(:part);
SELECT status, finished IS NULL AS goes_on, (SELECT count(*) FROM parity.divergence) AS divergences FROM parity.run_table;
SELECT parity_internal.record_divergences(:part, '[{"kind": "mismatch", "state": "divergent", "key": {"id": "1"}, "columns": ["v"]}, {"kind": "range", "state": "in_flight"}]');
SELECT parity_internal.record_table_finish(:part, 'divergent', '{"divergent_rows": 7, "divergent_ranges": 2, "unnamed_ranges": 1, "source_rows": 5, "run_id": 99, "not_compared": [1]}');
SELECT parity_internal.record_run_finish(:run, 'divergent');
SELECT run_id, relation, status, source_rows, target_rows, divergent_rows, unnamed_ranges, not_compared, phase FROM parity.run_table;
SELECT kind, source, target, status, finished >= started AS ended, tool, performer, options FROM parity.run;
SELECT kind, state, key, columns, occurrences FROM parity.divergence ORDER BY id;
-- It is over.
SELECT statement, public.error_of(format(statement, :run, :part)) FROM unnest(ARRAY[
    'SELECT parity_internal.record_run_finish(%1$s, ''identical'')', 'SELECT parity_internal.record_table_start(%1$s, ''a'', ''b'')', 'SELECT parity_internal.record_table_finish(%2$s, ''identical'')',
    'SELECT parity_internal.record_table_phase(%2$s, ''x'')', 'SELECT parity_internal.record_table_again(%2$s)', 'SELECT parity_internal.record_divergences(%2$s, ''[]'')', 'SELECT parity_internal.record_table_phase(4711, ''x'')',
    'SELECT parity_internal.record_run_finish(4711, ''failed'')']) AS statement;
SELECT public.error_of($$SELECT parity_internal.record_run_start('other', 's', 't', 'x')$$);

-- Other sessions: a run of theirs is none of ours, and one whose session is gone has died.
SELECT parity_internal.record_run_start('compare', 'here', 'there', 'test') AS run \gset
SELECT parity_internal.record_table_start(:run, 'public.items', 'public.items') AS part \gset
\set before :run
\c -
\set VERBOSITY terse
SET client_min_messages = warning;
SELECT statement, public.error_of(format(statement, :before, :part)) FROM unnest(ARRAY[
    'SELECT parity_internal.record_run_finish(%1$s, ''identical'')', 'SELECT parity_internal.record_table_finish(%2$s, ''identical'')']) AS statement;
SELECT parity_internal.record_run_start('compare', 'here', 'there', 'test') AS run \gset
SELECT id - :before AS after, status, message FROM parity.run WHERE id >= :before ORDER BY id;
SELECT relation, status, finished IS NOT NULL AS finished FROM parity.run_table ORDER BY id;
SELECT parity_internal.record_run_finish(:run, 'failed', '08006', 'the other side is away');
SELECT relation, kind, target, result, age IS NOT NULL AS aged, divergent_ranges, divergent_rows, running, message FROM parity.status;

-- What is told is JSON of less than 8000 bytes, whatever the texts are.
SELECT parity_internal.record_run_start('verify', 'here', repeat('ü', 5000), 'test') AS run \gset
SELECT parity_internal.record_table_start(:run, repeat(E'\x01', 5000), 'b') AS part \gset
SET client_min_messages = error;
SELECT parity_internal.record_table_finish(:part, 'failed', jsonb_build_object('message', repeat(E'\x01"\\€', 3000), 'sqlstate', repeat('x', 9000)));
SELECT parity_internal.record_run_finish(:run, 'failed', '08006', repeat('m', 100000));
SET client_min_messages = warning;
SELECT octet_length(parity_internal.record_payload(:run, :part)::text) < 8000 AS short, parity_internal.record_payload(:run, :part) ->> 'status' AS status,
       octet_length(parity_internal.record_payload(:run, NULL)::text) < 8000 AS short_too;
SELECT array_length(regexp_split_to_array(string_agg(k, ','), ','), 1) AS members FROM jsonb_object_keys(parity_internal.record_payload(:run, :part)) AS k;

-- Old runs go; the last result of each table stays, and its last identical one.
TRUNCATE parity.run RESTART IDENTITY CASCADE;
INSERT INTO parity.run (kind, status, source, target, tool, started, finished)
SELECT 'verify', s, 'here', 't', 'test', now() - make_interval(days => d), now() - make_interval(days => d)
FROM unnest(ARRAY['identical', 'identical', 'divergent', 'divergent', 'skipped', 'failed'], ARRAY[400, 300, 200, 150, 120, 10]) WITH ORDINALITY AS x(s, d, n) ORDER BY n;
INSERT INTO parity.run_table (run_id, relation, target_relation, status, started, finished)
SELECT id, CASE id WHEN 6 THEN 'b' ELSE 'a' END, 'x', status, started, finished FROM parity.run;
SHOW parity.history_days;
SET parity.history_days = 0;
SELECT parity_internal.record_trim();
SET parity.history_days = 500;
SELECT parity_internal.record_trim();
RESET parity.history_days;
SELECT parity_internal.record_trim();
SELECT id, status FROM parity.run ORDER BY id;
SELECT relation, result, last_identical IS NOT NULL AS was_identical FROM parity.status;

-- A run over a part is not the whole table's, nor kept for ever; one against a table of another name is.
TRUNCATE parity.run RESTART IDENTITY CASCADE;
INSERT INTO parity.run (kind, status, source, target, tool, started, finished)
SELECT k, 'identical', 'here', 'there', 'test', now() - make_interval(days => 300 + n::int), now() - make_interval(days => 300 + n::int)
FROM unnest('{verify,verify,verify,baseline,verify}'::text[]) WITH ORDINALITY AS x(k, n);
INSERT INTO parity.run_table (run_id, relation, target_relation, scope, status, started, finished)
SELECT r.id, 'a', 'a', (ARRAY['{"filter": "false"}', '{"columns": []}', '{"target_relation": "b"}', '{"filter": "x"}', '{}'])[r.id]::jsonb, CASE r.id WHEN 5 THEN 'divergent' ELSE r.status END,
    r.started, r.finished FROM parity.run r;
SELECT relation, kind, scope, result, last_identical IS NOT NULL AS was_identical, performer = SESSION_USER AS own FROM parity.status ORDER BY run_id;
SELECT parity_internal.record_trim();
SELECT kind, scope, result FROM parity.status ORDER BY run_id;

-- A table without an end of its own has no result.
SET client_min_messages = error;
SELECT parity_internal.record_run_start('verify', 'here', 'there', 'test') AS run \gset
SELECT parity_internal.record_table_start(:run, 'public.begun', 'public.begun');
SELECT parity_internal.record_run_finish(:run, 'identical');
SELECT r.status AS run, t.status, t.message FROM parity.run r JOIN parity.run_table t ON t.run_id = r.id WHERE r.id = :run;
SELECT parity_internal.record_run_start('verify', 'here', 'there', 'test') AS run \gset
SELECT parity_internal.record_table_start(:run, 'public.begun', 'public.begun');
SELECT parity_internal.record_run_finish(:run, 'divergent');
SELECT r.status AS run, t.status, t.message FROM parity.run r JOIN parity.run_table t ON t.run_id = r.id WHERE r.id = :run;

-- An end is an end, and a run says nothing better than its tables do.
SELECT parity_internal.record_run_start('verify', 'here', 'there', 'test') AS run \gset
SELECT parity_internal.record_table_start(:run, 'public.begun', 'public.begun') AS part \gset
SELECT status, public.error_of(format('SELECT parity_internal.record_table_finish(%s, %L)', :part, status)), public.error_of(format('SELECT parity_internal.record_run_finish(%s, %L)', :run, status))
FROM unnest('{running,NULL,perfect}'::text[]) AS status;
SELECT parity_internal.record_run_finish(:run, 'failed');
CREATE FUNCTION pg_temp.ended(part_statuses text[], status text, details jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE run bigint := parity_internal.record_run_start('compare', 'here', 'ended', 'test');
BEGIN
    PERFORM parity_internal.record_table_finish(parity_internal.record_table_start(run, 'elsewhere.' || s, 'x'), s, jsonb_build_object('details', details)) FROM unnest(part_statuses) AS s;
    PERFORM parity_internal.record_run_finish(run, ended.status);
    RETURN (SELECT r.status FROM parity.run r WHERE r.id = run);
END $$;
SELECT parts, s AS said, pg_temp.ended(parts::text[], s) AS ended
FROM unnest('{"{}","{identical}","{identical,skipped}","{skipped}","{identical,incomplete}","{identical,failed}","{identical,failed,in_flight}","{failed,divergent}","{divergent,cancelled}"}'::text[]) AS parts,
    unnest('{identical,skipped,incomplete,in_flight,divergent,failed}'::text[]) AS s ORDER BY parts::text[], s \crosstabview parts said ended
SELECT pg_temp.ended('{identical}', 'identical'), pg_temp.ended('{skipped}', 'identical', '{"dropped": true}');
-- What was dropped keeps no run.
UPDATE parity.run SET finished = now() - interval '200 days' WHERE target = 'ended';
UPDATE parity.run_table t SET finished = r.finished, status = 'failed' FROM parity.run r WHERE r.id = t.run_id AND r.target = 'ended' AND t.details ? 'dropped';
SELECT parity_internal.record_trim() > 0 AS trimmed;
SELECT count(*) AS kept FROM parity.run_table WHERE details ? 'dropped';

-- The text of an error may quote a value: only operators read it, and it is in no log.
SELECT parity_internal.record_run_start('verify', 'here', 'there', 'test') AS run \gset
SELECT parity_internal.record_table_start(:run, 'public.sec', 'public.sec') AS part \gset
SET client_min_messages = warning;
SELECT parity_internal.record_table_finish(:part, 'failed', '{"sqlstate": "22P02", "message": "invalid input syntax for type uuid: \"ssn-123\""}');
SELECT parity_internal.record_run_finish(:run, 'failed', 'P0001', 'ssn-124');
SELECT message FROM parity.run WHERE id = :run;
SELECT message FROM parity.status WHERE relation = 'public.sec';
SELECT run_table_id IS NULL AS of_run, sqlstate, message FROM parity.run_error ORDER BY id;
SELECT sqlstate, parity_internal.record_message(sqlstate, message) FROM (VALUES ('42P01', 'relation "x" does not exist'), ('22023', 'column "c" of type text has no form "int"'),
    ('22023', 'time zone "ssn-1" not recognized'), ('22023', 'on the target: cannot compare these digests: the seeds differ'), ('22P02', 'x'), ('22012', 'division by zero'), ('23514', 'x'),
    ('XX000', 'x'), ('XX099', 'x'), (NULL, 'x'), ('22P02', NULL)) AS e(sqlstate, message);

-- Who may not read a table says nothing about its rows. Only whoever captured a baseline, or a superuser, replaces or removes it.
SET client_min_messages = error;
CREATE TABLE public.guarded (id int PRIMARY KEY, v int);
CREATE ROLE regress_parity_column;
GRANT parity_operator TO regress_parity_column;
GRANT SELECT (id) ON public.guarded TO regress_parity_column;
SET SESSION AUTHORIZATION regress_parity_operator;
SELECT parity_internal.record_run_start('verify', 'here', 'there', 'test') AS run \gset
SELECT parity_internal.record_table_start(:run, 'public.guarded', 'public.guarded') AS part \gset
SELECT status, public.error_of(format('SELECT parity_internal.record_table_finish(%s, %L)', :part, status)) FROM unnest('{identical,divergent,in_flight,failed}'::text[]) AS status;
SELECT parity_internal.record_table_start(:run, 'elsewhere.guarded', 'elsewhere.guarded') AS part \gset
SELECT parity_internal.record_table_finish(:part, 'identical');
SELECT parity_internal.record_run_finish(:run, 'failed');
SET SESSION AUTHORIZATION regress_parity_column;
SELECT parity_internal.record_run_start('verify', 'here', 'there', 'test') AS run \gset
SELECT parity_internal.record_table_start(:run, 'public.guarded', 'public.guarded') AS part \gset
SELECT public.error_of(format('SELECT parity_internal.record_table_finish(%s, %L)', :part, 'identical'));
SELECT parity_internal.record_table_start(:run, 'public.guarded', 'public.guarded', '{"columns": []}') AS part \gset
SELECT public.error_of(format('SELECT parity_internal.record_table_finish(%s, %L)', :part, 'identical'));
SELECT parity_internal.record_run_finish(:run, 'failed');
-- By a role that was set, too.
RESET SESSION AUTHORIZATION;
CREATE ROLE regress_parity_set NOINHERIT;
GRANT regress_parity_reader, regress_parity_operator TO regress_parity_set;
GRANT SELECT ON public.guarded TO regress_parity_operator;
SET SESSION AUTHORIZATION regress_parity_set;
SET ROLE regress_parity_operator;
SELECT parity_internal.record_run_start('verify', 'here', 'there', 'test') AS run \gset
SELECT parity_internal.record_table_start(:run, 'public.guarded', 'public.guarded') AS part \gset
SELECT parity_internal.record_table_finish(:part, 'identical');
SELECT parity_internal.record_run_finish(:run, 'identical');
RESET ROLE;
SET SESSION AUTHORIZATION regress_parity_operator;
SELECT captured_rows FROM parity.capture('guarded', 'theirs');
RESET SESSION AUTHORIZATION;
GRANT SELECT ON public.guarded TO regress_parity_column;
SELECT id AS theirs FROM parity.baseline \gset
SET SESSION AUTHORIZATION regress_parity_column;
SELECT public.error_of(format(statement, :theirs)) FROM unnest(ARRAY['SELECT parity_internal.baseline_remove(%s)', 'SELECT parity.drop_baseline(''guarded'', ''theirs'')',
    'SELECT parity.capture(''guarded'', ''theirs'', replace => true)']) AS statement;
RESET SESSION AUTHORIZATION;
REVOKE SELECT ON public.guarded FROM regress_parity_operator;
SET SESSION AUTHORIZATION regress_parity_operator;
SELECT public.error_of('SELECT parity.drop_baseline(''guarded'', ''theirs'')');
RESET SESSION AUTHORIZATION;
SELECT parity.drop_baseline('guarded', 'theirs');
DROP OWNED BY regress_parity_column, regress_parity_set;
DROP TABLE public.guarded;
DROP ROLE regress_parity_column, regress_parity_set;
SET client_min_messages = warning;

-- What is not to be shown any more is forgotten, by who may have recorded it: a table against one target, a run that came to none.
TRUNCATE parity.run RESTART IDENTITY CASCADE;
SET client_min_messages = error;
CREATE TABLE public.guarded (id int PRIMARY KEY, v int);
SELECT parity_internal.record_run_start('verify', 'here', 'replica', 'test') AS run \gset
SELECT parity_internal.record_table_start(:run, 'public.guarded', 'public.guarded') AS part \gset
SELECT parity_internal.record_divergences(:part, '[{"kind": "mismatch", "state": "divergent", "key": {"id": "1"}, "columns": ["v"]}]');
SELECT parity_internal.record_table_finish(:part, 'divergent');
SELECT parity_internal.record_table_start(:run, 'public.no_more', 'public.no_more') AS part \gset
SELECT parity_internal.record_table_finish(:part, 'failed', '{"sqlstate": "42P01", "message": "it is gone"}');
SELECT parity_internal.record_run_finish(:run, 'failed');
SELECT parity_internal.record_run_start('verify', 'here', 'replcia', 'test') AS run \gset
SELECT parity_internal.record_run_finish(:run, 'failed', '42704', 'server "replcia" does not exist');
SELECT run_id, relation, target, scope, kind, state, key, columns FROM parity.findings;
SELECT parity_internal.record_run_start('verify', 'here', 'replica', 'test') AS run \gset
SELECT parity_internal.record_table_start(:run, 'public.no_more', 'public.no_more') AS part \gset
SET SESSION AUTHORIZATION regress_parity_reader;
SELECT public.error_of($$SELECT parity.forget('public.no_more', 'verify', 'replica')$$);
SELECT public.error_of($$SELECT * FROM parity.findings$$);
SET SESSION AUTHORIZATION regress_parity_operator;
SELECT public.error_of($$SELECT parity.forget('public.guarded', 'verify', 'replica')$$), public.error_of($$SELECT parity.forget(NULL, 'verify', 'replica')$$),
       public.error_of($$SELECT parity.forget('public.guarded', 'verify', NULL)$$);
SELECT parity.forget('public.no_more', 'verify', 'replica'), parity.forget('public.no_more', 'verify', 'replica') AS again, parity.forget(NULL, 'verify', 'replcia') AS mistyped;
RESET SESSION AUTHORIZATION;
SELECT relation, target, result, running IS NOT NULL AS running, sqlstate FROM parity.status;
SELECT parity_internal.record_run_finish(:run, 'failed');
SELECT parity.forget(NULL, 'baseline', 'replica') AS other_kind, parity.forget(NULL, 'verify', 'replica');
SELECT count(*) FROM parity.run;
DROP TABLE public.guarded;
SET client_min_messages = warning;

-- Without pg_cron there is nothing to schedule with; arguments are checked before.
CREATE TABLE public.ledger (id int PRIMARY KEY);
SELECT captured_rows FROM parity.capture('ledger', 'x');
SELECT statement, public.error_of('SELECT parity.' || statement) FROM unnest(ARRAY[
    $$schedule('j', '0 3 * * *', 'CALL x()')$$, $$schedule('j', '0 3 * * *', relation => 'ledger', label => 'x')$$, $$unschedule('j')$$,
    $$schedule('j', '0 3 * * *')$$, $$schedule('j', '0 3 * * *', relation => 'ledger')$$, $$schedule('j', '0 3 * * *', relation => 'ledger', server => 'a', label => 'b')$$,
    $$schedule('j', '0 3 * * *', 'CALL x()', server => 'a')$$, $$schedule(NULL, 'x', 'y')$$,
    $$schedule('j', '0 3 * * *', relation => 'ledger', label => 'x', options => '{"nothing": 1}')$$,
    $$schedule('j', '0 3 * * *', relation => 'ledger', label => 'x', options => '{"run_id": 1}')$$,
    $$schedule('j', '0 3 * * *', relation => 'ledger', label => 'x', options => '["fail"]')$$,
    $$schedule('j', '0 3 * * *', relation => 'ledger', label => 'y')$$, $$schedule('j', '0 3 * * *', relation => 'ledger', server => 'nowhere')$$]) AS statement;
CREATE TABLE public."Odd ' table" (id int PRIMARY KEY);
SELECT parity_internal.schedule_command('"Odd '' table"', NULL, $$it's$$, '{"allow_appends": true, "max_ranges": 5, "callback": "SELECT ''x''", "captured_as": null}');

SELECT parity_internal.schedule_command('ledger', NULL, 'x', '{}');
CREATE TEMPORARY TABLE fleeting (id int PRIMARY KEY);
SELECT public.error_of($$SELECT parity_internal.schedule_command('fleeting', 'replica', NULL, '{}')$$);
DROP TABLE public.ledger, public."Odd ' table", public.attempt;
DROP FUNCTION public.error_of(text);
DROP OWNED BY regress_parity_operator;
DROP ROLE regress_parity_nobody, regress_parity_reader, regress_parity_operator;
TRUNCATE parity.run, parity.baseline RESTART IDENTITY CASCADE;
