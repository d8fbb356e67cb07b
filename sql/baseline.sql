-- A table is captured and compared with its past: equal, changed, appended to, altered, refused.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_parity;
TRUNCATE parity.run, parity.baseline RESTART IDENTITY CASCADE;
CREATE SCHEMA test_baseline;
SET search_path = test_baseline;
\set VERBOSITY terse
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ' ' || SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
-- What the last run recorded.
CREATE VIEW last AS
    SELECT t.relation, t.status, t.source_rows AS now, t.target_rows AS captured, t.divergent_columns AS columns, t.message,
           (SELECT string_agg(concat_ws(' ', d.kind, d.key, d.columns), '; ' ORDER BY d.id) FROM parity.divergence d WHERE d.run_table_id = t.id) AS findings
    FROM parity.run_table t WHERE t.id = (SELECT max(id) FROM parity.run_table);

-- Keys of every kind of order.
CREATE TABLE one (id bigint PRIMARY KEY, v text, n numeric, j jsonb);
INSERT INTO one SELECT i, repeat(md5(i::text), i % 3), i / 7.0, jsonb_build_object('i', i) FROM generate_series(-10000, 10000) i;
CREATE TABLE pair (a int NOT NULL, b text COLLATE "C" NOT NULL, v int, PRIMARY KEY (a, b));
INSERT INTO pair SELECT i / 5000, md5(i::text), i FROM generate_series(1, 10000) i;
CREATE TABLE descending (k numeric NOT NULL, v int);
CREATE UNIQUE INDEX ON descending (k DESC);
INSERT INTO descending SELECT i / 3.0, i FROM generate_series(1, 5000) i;
CREATE TABLE parts (v int, k date NOT NULL, PRIMARY KEY (k)) PARTITION BY RANGE (k);
CREATE TABLE parts_old PARTITION OF parts FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
CREATE TABLE parts_new PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);
INSERT INTO parts SELECT i, date '2000-01-01' + i FROM generate_series(1, 10000) i;
CREATE TABLE worded (w text PRIMARY KEY, v int);
INSERT INTO worded SELECT chr(65 + i % 58) || md5(i::text), i FROM generate_series(1, 5000) i;
CREATE TABLE keyless (v int, w text);
INSERT INTO keyless SELECT i % 100, md5((i % 100)::text) FROM generate_series(1, 5000) i;
CREATE TABLE empty (k int PRIMARY KEY, v text);
CREATE TABLE emptied (k int PRIMARY KEY, v text);
INSERT INTO emptied SELECT i, i FROM generate_series(1, 5000) i;
DELETE FROM emptied;
-- The highest keys are gone, and the index still has them.
CREATE TABLE thinned (k int PRIMARY KEY, v text);
INSERT INTO thinned SELECT i, i FROM generate_series(1, 20000) i;
DELETE FROM thinned WHERE k > 7000;
CREATE TABLE few (k timestamptz PRIMARY KEY, v text);
INSERT INTO few VALUES ('2024-01-01 00:00+00', 'a'), ('2024-01-02 00:00+00', 'b'), ('infinity', 'c');
CREATE MATERIALIZED VIEW copied AS SELECT * FROM one WHERE id < 1000;
CREATE UNIQUE INDEX ON copied (id);
CREATE VIEW viewed AS SELECT * FROM one WHERE id < 500;
CREATE TABLE names AS SELECT ARRAY['one', 'pair', 'descending', 'parts', 'worded', 'keyless', 'empty', 'emptied', 'thinned', 'few', 'copied', 'viewed'] AS list;

SELECT t.name, c.* FROM names, unnest(list) WITH ORDINALITY AS t(name, place),
    LATERAL parity.capture(t.name::regclass, 'first', ranges => CASE t.name WHEN 'few' THEN 1 ELSE 20 END) AS c ORDER BY t.place;
SELECT relation, key_columns, columns, all_columns, forms, width, ranges, row_count, highest_bound, seed <> 0 AS seeded FROM parity.baseline ORDER BY id;
SELECT count(DISTINCT seed) = count(*) AS seeds_differ FROM parity.baseline;
-- The last range has the highest key alone.
SELECT b.relation, b.highest_key, r.lower_bound, r.row_count FROM parity.baseline b JOIN parity.baseline_range r ON r.baseline_id = b.id AND r.range_no = b.ranges
WHERE b.highest_bound IS NOT NULL ORDER BY b.id;

-- Nothing has changed; nor does it matter how rows are stored, or what the session's settings are.
CLUSTER one USING one_pkey;
VACUUM FULL pair;
SET DateStyle = 'German';
SET TimeZone = 'Asia/Kolkata';
SET extra_float_digits = -3;
DO $$ DECLARE name text; run bigint; result text; BEGIN
    FOREACH name IN ARRAY (SELECT list FROM names) LOOP CALL parity.verify_baseline(name, 'first', run_id => run, result => result); END LOOP;
END $$;
RESET DateStyle; RESET TimeZone; RESET extra_float_digits;
SELECT relation, target_relation, status, ranges, divergent_ranges, unnamed_ranges, message, finished IS NOT NULL AS finished FROM parity.run_table ORDER BY id;

-- Appended rows are counted where keys have an order, and refused where not.
INSERT INTO one SELECT i, 'new', i, '{}' FROM generate_series(10001, 10020) i;
INSERT INTO pair VALUES (2, 'zz', 1), (3, '', 2);
INSERT INTO descending VALUES (1666.7, 1), ('NaN', 2);
INSERT INTO parts VALUES (1, '2027-05-20'), (2, 'infinity');
INSERT INTO worded VALUES ('ü', 1), ('zzzz', 2);
INSERT INTO empty VALUES (1, 'one');
INSERT INTO thinned VALUES (7001, 'new');
DO $$ DECLARE name text; run bigint; result text; BEGIN
    FOREACH name IN ARRAY '{one,pair,descending,parts,worded,empty,emptied,thinned,few}'::text[] LOOP
        CALL parity.verify_baseline(name, 'first', allow_appends => true, run_id => run, result => result);
    END LOOP;
END $$;
SELECT relation, status, source_rows, target_rows, message, details -> 'appended_rows' AS appended FROM parity.run_table WHERE id > 12 ORDER BY id;
\set VERBOSITY default
\set SHOW_CONTEXT never
CALL parity.verify_baseline('keyless', 'first', allow_appends => true);
CALL parity.verify_baseline('viewed', 'first', allow_appends => true);
\set VERBOSITY terse
-- Not allowed, they are differences.
CALL parity.verify_baseline('one', 'first');
SELECT * FROM last;

-- Rows below the highest key are no appended ones; nor may the highest one change, move or go.
INSERT INTO thinned VALUES (-5, 'below');
CALL parity.verify_baseline('thinned', 'first', allow_appends => true);
SELECT * FROM last;
DELETE FROM thinned WHERE k = -5;
UPDATE thinned SET v = 'x' WHERE k = 7000;
CALL parity.verify_baseline('thinned', 'first', allow_appends => true);
SELECT * FROM last;
DELETE FROM thinned WHERE k = 7000;
CALL parity.verify_baseline('thinned', 'first', allow_appends => true);
SELECT * FROM last;
INSERT INTO thinned VALUES (7000, '7000');
DELETE FROM thinned WHERE k = 1234;
UPDATE thinned SET v = 'other' WHERE k = 5000;
CALL parity.verify_baseline('thinned', 'first', allow_appends => true);
SELECT * FROM last;
-- Rows that swap values, rows of a multiset, a limit of what is recorded, an error at the end.
UPDATE one SET v = CASE id WHEN 2 THEN repeat(md5('-2'), 1) ELSE v END, n = CASE id WHEN 5 THEN 6 / 7.0 WHEN 6 THEN 5 / 7.0 ELSE n END WHERE id IN (2, 5, 6);
CALL parity.verify_baseline('one', 'first', allow_appends => true);
SELECT * FROM last;
UPDATE keyless SET w = '' WHERE ctid = '(0,1)';
SET client_min_messages = error; -- one range or two: bounds are of hashes
CALL parity.verify_baseline('keyless', 'first');
SET client_min_messages = warning;
SELECT relation, status, columns @> '{w}' AS column_w, message FROM last;
UPDATE descending SET v = 0;
CALL parity.verify_baseline('descending', 'first', allow_appends => true, max_ranges => 2, fail => true);
SELECT relation, status, findings, message FROM last;

-- A filter is read the same under all settings.
SET TimeZone = 'Asia/Kolkata';
SELECT captured_rows FROM parity.capture('few', 'filtered', filter => 'k < ''2024-01-02''');
SET TimeZone = 'America/Lima';
UPDATE few SET v = '!' || v WHERE k = '2024-01-01 00:00+00';
CALL parity.verify_baseline('few', 'filtered', fail => true);
UPDATE few SET v = ltrim(v, '!');
CALL parity.verify_baseline('few', 'filtered', fail => true);
RESET TimeZone;

-- Other columns.
SELECT * FROM parity.capture('few', 'part', columns => '{v}', forms => '{"v": "trimmed"}', width => 128, filter => 'v <> ''z''');
ALTER TABLE few ADD w int;
CALL parity.verify_baseline('few', 'first');
SELECT relation, status, message FROM last;
SELECT not_compared FROM parity.run_table ORDER BY id DESC LIMIT 1;
CALL parity.verify_baseline('few', 'part');
UPDATE few SET w = 1, v = v || ' ';
UPDATE few SET v = '!' || v WHERE k = '2024-01-01 00:00+00';
CALL parity.verify_baseline('few', 'part', allow_appends => true);
UPDATE few SET v = ltrim(v, '!');
CALL parity.verify_baseline('few', 'part', allow_appends => true);
UPDATE few SET v = rtrim(v);
ALTER TABLE few ALTER v TYPE varchar(10), DROP w;
CALL parity.verify_baseline('few', 'first');
UPDATE few SET v = '!' || v WHERE k = '2024-01-01 00:00+00';
CALL parity.verify_baseline('few', 'first');
ALTER TABLE few ALTER v TYPE bytea USING v::bytea;
CALL parity.verify_baseline('few', 'first');
ALTER TABLE few DROP v;
CALL parity.verify_baseline('few', 'first');
ALTER TABLE parts DROP CONSTRAINT parts_pkey;
DELETE FROM parts WHERE k > '2027-05-19';
CALL parity.verify_baseline('parts', 'first', allow_appends => true);
UPDATE parts SET v = -1 WHERE k = '2000-01-02';
CALL parity.verify_baseline('parts', 'first', allow_appends => true);

-- Renamed, or another table.
ALTER TABLE worded RENAME TO "Worded ""2""";
\set VERBOSITY default
CALL parity.verify_baseline('"Worded ""2"""', 'first');
\set VERBOSITY terse
UPDATE "Worded ""2""" SET v = -v WHERE v = 7;
CALL parity.verify_baseline('"Worded ""2"""', 'first', allow_appends => true, captured_as => 'test_baseline.worded');
UPDATE "Worded ""2""" SET v = -v WHERE v = -7;
CALL parity.verify_baseline('"Worded ""2"""', 'first', allow_appends => true, captured_as => 'test_baseline.worded');
SELECT relation, target_relation FROM parity.run_table ORDER BY id DESC LIMIT 1;
SELECT relation, kind, target, result, divergent_ranges, message FROM parity.status WHERE relation ~ 'few|thinned|Worded' ORDER BY relation, target;

-- A baseline is one line, whatever rows and columns are captured, and whether or not it can be taken.
CREATE TABLE lined (id int PRIMARY KEY, v int);
INSERT INTO lined SELECT n, n FROM generate_series(1, 20) n;
SELECT captured_rows FROM parity.capture('lined', 'line', filter => 'id < 5');
UPDATE lined SET v = -1 WHERE id = 3;
CALL parity.verify_baseline('lined', 'line');
UPDATE lined SET v = 3 WHERE id = 3;
CALL parity.verify_baseline('lined', 'line');
SELECT scope, result FROM parity.status WHERE relation = 'test_baseline.lined';
SELECT captured_rows FROM parity.capture('lined', 'line', filter => 'id < 9', columns => '{}', replace => true);
UPDATE lined SET id = -3 WHERE id = 3;
CALL parity.verify_baseline('lined', 'line');
UPDATE lined SET id = 3 WHERE id = -3;
CALL parity.verify_baseline('lined', 'line');
SELECT scope, result FROM parity.status WHERE relation = 'test_baseline.lined';
ALTER TABLE lined RENAME TO lined_2;
CALL parity.verify_baseline('lined', 'line');
CALL parity.verify_baseline('lined_2', 'line', captured_as => 'test_baseline.lined');
UPDATE lined_2 SET id = -3 WHERE id = 3;
CALL parity.verify_baseline('lined_2', 'line', captured_as => 'test_baseline.lined', allow_appends => true);
UPDATE lined_2 SET id = 3 WHERE id = -3;
CALL parity.verify_baseline('lined_2', 'line', captured_as => 'test_baseline.lined', allow_appends => true);
CALL parity.verify_baseline('lined_3', 'line', captured_as => 'test_baseline.lined');
ALTER TABLE lined_2 RENAME TO lined_3;
CALL parity.verify_baseline('lined_3', 'line', captured_as => 'test_baseline.lined');
SELECT relation, scope, result, last_identical IS NOT NULL AS was_identical FROM parity.status WHERE relation ~ 'lined' ORDER BY relation;

-- Replaced and dropped.
SELECT error_of($$SELECT parity.capture('thinned', 'first')$$);
SELECT captured_rows, highest_key FROM parity.capture('thinned', 'first', replace => true);
CALL parity.verify_baseline('thinned', 'first');
UPDATE thinned SET v = 'y' WHERE k = 7000;
CALL parity.verify_baseline('thinned', 'first');
SELECT parity.drop_baseline('thinned', 'first'), parity.drop_baseline('thinned', 'first'), parity.drop_baseline('test_baseline.worded', 'first');
\set VERBOSITY default
CALL parity.verify_baseline('thinned', 'first');
\set VERBOSITY terse
SELECT count(*) FROM parity.baseline_range r LEFT JOIN parity.baseline b ON b.id = r.baseline_id WHERE b.id IS NULL;

-- Refused.
CREATE TEMPORARY TABLE temporary (id int PRIMARY KEY);
CREATE TABLE odd (id int PRIMARY KEY, t pg_node_tree);
SELECT statement, error_of('SELECT parity.' || statement) FROM unnest(ARRAY[
    $$capture('one', 'x', forms => '{"j": "jsonb_raw"}')$$, $$capture('one', 'x', forms => '{"j": "jsonb_raw[]"}')$$, $$capture('temporary', 'x')$$,
    $$capture('odd', 'x')$$, $$capture('one', 'x', columns => '{nothing}')$$, $$capture('one', 'x', key_columns => '{n}', ranges => 0)$$,
    $$capture('one', '')$$, $$capture('one', NULL)$$, $$capture(NULL, 'x')$$, $$capture('one', 'x', width => 65)$$,
    $$capture('one', 'x', filter => 'true) OR (true')$$, $$capture('one', 'x', filter => 'random() > 1')$$, $$capture('one_pkey', 'x')$$]) AS statement;
SELECT captured_rows FROM parity.capture('odd', 'x', columns => '{}');
\set VERBOSITY default
CALL parity.verify_baseline('one', NULL);
\set VERBOSITY terse
-- It commits, so that it cannot run in a transaction or a function.
BEGIN;
CALL parity.verify_baseline('few', 'part');
ROLLBACK;

-- What was kept and cannot be compared is an error, not a difference.
UPDATE parity.baseline SET format_version = 0 WHERE relation = 'test_baseline.odd';
CALL parity.verify_baseline('odd', 'x');
UPDATE parity.baseline SET format_version = 1, ranges = 5 WHERE relation = 'test_baseline.odd';
CALL parity.verify_baseline('odd', 'x');
DELETE FROM parity.baseline_range WHERE baseline_id = (SELECT id FROM parity.baseline WHERE relation = 'test_baseline.pair') AND range_no = 3;
CALL parity.verify_baseline('pair', 'first', allow_appends => true);
UPDATE parity.baseline SET seed = 0 WHERE relation = 'test_baseline.copied';
CALL parity.verify_baseline('copied', 'first');

-- A key that is not unique, the highest twice.
CREATE TABLE twice (k int NOT NULL, v int);
CREATE INDEX ON twice (k);
INSERT INTO twice VALUES (1, 1), (2, 2), (2, 3);
SELECT * FROM parity.capture('twice', 'x', key_columns => '{k}');
CALL parity.verify_baseline('twice', 'x');
UPDATE twice SET v = 4 WHERE v = 3;
CALL parity.verify_baseline('twice', 'x');
UPDATE twice SET v = 3 WHERE v = 4;

-- Functions, operators and tables on the search path before the server's own are passed over.
CREATE SCHEMA decoy;
CREATE TABLE decoy.run (id int);
CREATE TABLE decoy.pg_class (oid oid, relname name);
CREATE FUNCTION decoy.wrong(anyelement, anyelement) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'decoy'; END $$;
CREATE OPERATOR decoy.= (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = decoy.wrong);
CREATE OPERATOR decoy.<> (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = decoy.wrong);
CREATE FUNCTION decoy.wrong_path(jsonb, text[]) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'decoy'; END $$;
CREATE OPERATOR decoy.#>> (LEFTARG = jsonb, RIGHTARG = text[], FUNCTION = decoy.wrong_path);
CREATE FUNCTION decoy.jsonb_strip_nulls(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE 'decoy'; END $$;
CREATE FUNCTION decoy.to_regclass(text) RETURNS regclass LANGUAGE plpgsql AS $$ BEGIN RAISE 'decoy'; END $$;
CREATE DOMAIN decoy.int8 AS text CHECK (false);
CREATE DOMAIN decoy.jsonb AS text CHECK (false);
CREATE DOMAIN decoy.text AS pg_catalog.text CHECK (false);
SET search_path = decoy, pg_catalog, test_baseline;
SELECT captured_rows FROM parity.capture('twice', 'decoyed');
CALL parity.verify_baseline('twice', 'decoyed', fail => true);
SET search_path = test_baseline;
UPDATE twice SET v = 4 WHERE v = 3;
SET search_path = decoy, pg_catalog, test_baseline;
SET client_min_messages = error; -- one range or two: bounds are of hashes
CALL parity.verify_baseline('twice', 'decoyed');
SET client_min_messages = warning;
SET search_path = test_baseline;
UPDATE twice SET v = 3 WHERE v = 4;
SET search_path = decoy, pg_catalog, test_baseline;
SELECT parity.drop_baseline('twice', 'decoyed');
SET search_path = test_baseline;

-- Where something can be won by it, workers take part.
CREATE TABLE large (id int PRIMARY KEY, v text);
INSERT INTO large SELECT i, repeat('x', 200) FROM generate_series(1, 100000) i;
SELECT captured_rows, captured_ranges FROM parity.capture('large', 'x', workers => 2);
SELECT path, workers_launched > 0 AS workers FROM parity.last_digest();
CALL parity.verify_baseline('large', 'x', workers => 2);
SELECT status, details ->> 'path' AS path, (details ->> 'workers_launched')::int > 0 AS workers FROM parity.run_table ORDER BY id DESC LIMIT 1;
UPDATE large SET v = 'other' WHERE id = 77777;
CALL parity.verify_baseline('large', 'x', workers => 2);
-- An operator needs no more than SELECT; a filter of another's is not run.
CREATE ROLE regress_parity_one;
CREATE ROLE regress_parity_other;
GRANT parity_operator TO regress_parity_one, regress_parity_other;
GRANT USAGE ON SCHEMA test_baseline TO parity_operator;
GRANT SELECT ON twice, last TO parity_operator;
GRANT CREATE ON SCHEMA test_baseline TO regress_parity_one;
SET SESSION AUTHORIZATION regress_parity_one;
SELECT captured_rows FROM parity.capture('twice', 'one', filter => 'k > 1');
SELECT error_of($$SELECT captured_rows FROM parity.capture('one', 'one')$$);
CALL parity.verify_baseline('twice', 'one');
RESET SESSION AUTHORIZATION;
UPDATE twice SET v = 4 WHERE v = 3;
SET SESSION AUTHORIZATION regress_parity_one;
SET client_min_messages = error;
CALL parity.verify_baseline('twice', 'one');
SET client_min_messages = warning;
RESET SESSION AUTHORIZATION;
UPDATE twice SET v = 3 WHERE v = 4;
SET SESSION AUTHORIZATION regress_parity_other;
CALL parity.verify_baseline('twice', 'one');
CALL parity.verify_baseline('twice', 'x');
CALL parity.verify_baseline('one', 'first');
SELECT parity.drop_baseline('twice', 'one');
RESET SESSION AUTHORIZATION;
-- Under row security the answer would be about some rows.
CREATE POLICY none ON twice USING (false);
ALTER TABLE twice ENABLE ROW LEVEL SECURITY;
SET SESSION AUTHORIZATION regress_parity_other;
CALL parity.verify_baseline('twice', 'x');
SELECT error_of($$SELECT captured_rows FROM parity.capture('twice', 'other', key_columns => '{k}')$$);
RESET SESSION AUTHORIZATION;

-- A callback gets what is notified; one that fails says so.
CREATE TABLE told (what jsonb);
CREATE FUNCTION tell(what jsonb) RETURNS void LANGUAGE sql AS 'INSERT INTO test_baseline.told VALUES (what)';
CREATE FUNCTION wrong(what jsonb) RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE 'no mail today'; END $$;
CALL parity.verify_baseline('twice', 'x', callback => 'tell');
CALL parity.verify_baseline('twice', 'x', callback => 'wrong');
SELECT status, sqlstate, message FROM parity.run ORDER BY id DESC LIMIT 1;
SELECT what - 'run' AS what FROM told;

SET client_min_messages = error;
DROP SCHEMA test_baseline, decoy CASCADE;
DROP OWNED BY regress_parity_one, regress_parity_other;
DROP ROLE regress_parity_one, regress_parity_other;
TRUNCATE parity.run, parity.baseline RESTART IDENTITY CASCADE;
