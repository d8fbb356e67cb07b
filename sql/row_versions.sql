-- Which versions of rows there are: by the bytes of keys, and by ranges.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_parity;
DROP SCHEMA IF EXISTS test_row_versions CASCADE;
CREATE SCHEMA test_row_versions;
SET search_path = test_row_versions;
RESET client_min_messages;

-- Keys of every kind, of which many are shown as something else than they are written: of each row its version is found, and no other's.
CREATE FUNCTION versions(relation regclass, keyed boolean DEFAULT true) RETURNS TABLE (same boolean, rows bigint)
LANGUAGE plpgsql AS $$
DECLARE
    truth text;
    told text;
    key_names text[] := CASE WHEN keyed THEN (parity.key(relation)).key_columns::text[] ELSE '{}' END;
BEGIN
    EXECUTE format('SELECT string_agg(concat_ws(%L, xmin, xmax), %L ORDER BY xmin::text, xmax::text) FROM %s', ' ', ',', relation)
        INTO truth;
    SELECT string_agg(concat_ws(' ', v.xmin, v.xmax), ',' ORDER BY v.xmin::text, v.xmax::text), count(*) INTO told, rows
    FROM (SELECT array_agg(d.key) AS keys FROM parity.row_digests(relation, key_columns => key_names) d) k,
        parity.row_versions(relation, k.keys, key_columns => key_names) v;
    same := truth = told;
    -- One key at a time: what is found has that key.
    IF same THEN
        SELECT bool_and(v.key = d.key AND v.n = d.n) INTO same
        FROM (SELECT k.key, count(*) AS n FROM parity.row_digests(relation, key_columns => key_names) k GROUP BY 1) d,
            LATERAL (SELECT min(v.key::text)::bytea AS key, count(*) AS n
                     FROM parity.row_versions(relation, ARRAY[d.key], key_columns => key_names) v) v;
    END IF;
    RETURN NEXT;
END
$$;
CREATE DOMAIN checked AS int CHECK (VALUE > 0);
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE FUNCTION fill(name text, type text, VARIADIC shown text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    one text;
BEGIN
    EXECUTE format('CREATE TABLE %I (k %s PRIMARY KEY, v int DEFAULT 0)', name, type);
    FOREACH one IN ARRAY shown LOOP  -- each in a transaction of its own, as far as numbers go
        BEGIN
            EXECUTE format('INSERT INTO %I VALUES (%L)', name, one);
        EXCEPTION WHEN division_by_zero THEN
            NULL;
        END;
    END LOOP;
END
$$;
DO $fill$
BEGIN
PERFORM fill('k_int', 'int', '1', '2', '-7');
PERFORM fill('k_money', 'money', '$1.00', '$100.00', '$0.01', '$10,000.00');
PERFORM fill('k_char', '"char"', 'a', '\', '1', '');
PERFORM fill('k_bit', 'bit(4)', '0000', '0001', '1000');
PERFORM fill('k_varbit', 'varbit', '', '0', '00', '1', '00000000000000000000000000000000');
PERFORM fill('k_blind', 'text COLLATE blind', 'a1', 'b1', 'B2');
PERFORM fill('k_text', 'text', 'a', 'A', '', ' a', '\x61', 'NULL', '''');
PERFORM fill('k_bpchar', 'char(3)', 'a', 'ab', '');
PERFORM fill('k_domain', 'checked', '1', '2');
PERFORM fill('k_float', 'float8', '0', '1', 'NaN', 'Infinity', '-Infinity', '1e-300', '0.1');
PERFORM fill('k_float4', 'float4', '0.1', '1', 'NaN', '16777217');
PERFORM fill('k_numeric', 'numeric', '1', '1.5', 'NaN', '0', '100');
PERFORM fill('k_date', 'date', '2020-01-01', 'infinity', '-infinity', '0044-03-15 BC');
PERFORM fill('k_timestamptz', 'timestamptz', '2020-01-01 00:00+00', 'infinity', '-infinity');
PERFORM fill('k_timetz', 'timetz', '00:00+00', '01:00+01', '24:00-05');
PERFORM fill('k_interval', 'interval', '1 day', '25 hours', '-1 mon');
PERFORM fill('k_range', 'int4range', 'empty', '(,)', '[1,5)', '[1,)');
PERFORM fill('k_array', 'text[]', '{}', '{NULL}', '{"NULL"}', '{a,b}', '[0:1]={a,b}');
PERFORM fill('k_enum', 'mood', 'sad', 'happy');
PERFORM fill('k_record', 'pair', '(1,)', '(1,"")', '(,x)');
PERFORM fill('k_inet', 'inet', '10.0.0.1', '10.0.0.1/24', '::1');
PERFORM fill('k_bytea', 'bytea', '', '\x00', '\x5c78');
PERFORM fill('k_jsonb', 'jsonb', '"1"', '1', 'null', '{}');
PERFORM fill('k_bool', 'boolean', 'true', 'false');
PERFORM fill('k_uuid', 'uuid', '00000000-0000-0000-0000-000000000001', 'ffffffff-ffff-ffff-ffff-ffffffffffff');
END
$fill$;
UPDATE k_money SET v = 1 WHERE k = '$1.00';
UPDATE k_blind SET k = 'A1' WHERE k = 'a1';
SELECT c.relname, v.same, v.rows FROM pg_class c, versions(c.oid) v WHERE c.relname ~ '^k_' AND c.relkind = 'r' ORDER BY c.oid;
SELECT count(*) FROM parity.row_digests('k_blind', keys => ARRAY(SELECT d.key FROM parity.row_digests('k_blind') d));
SELECT path FROM parity.last_digest();
SELECT count(*) FROM parity.row_digests('k_money', keys => ARRAY(SELECT d.key FROM parity.row_digests('k_money') d));
SELECT path FROM parity.last_digest();

-- Money "100" is what one dollar is shown as.
SELECT d.key_text, t.k::numeric AS of_row, v.xmin = t.xmin AS its_version
FROM k_money t JOIN parity.row_digests('k_money', with_values => true) d ON d.key_text::int = (t.k * 100)::numeric::int,
    parity.row_versions('k_money', ARRAY[d.key]) v ORDER BY t.k;
-- Under a collation that does not tell case apart an index finds more than was asked for.
CREATE TABLE twins (k text COLLATE blind, v int);
CREATE INDEX ON twins (k);
INSERT INTO twins VALUES ('x', 1), ('X', 2), ('x', 3), ('y', 4);
SELECT same, rows FROM versions('twins', false);
SELECT parity.key_values(v.key, '{text}') AS shown, count(*)
FROM parity.row_versions('twins', ARRAY(SELECT d.key FROM parity.row_digests('twins', key_columns => '{k}') d), key_columns => '{k}') v
GROUP BY v.key ORDER BY v.key;
SELECT key_text, column_values FROM parity.row_digests('twins', key_columns => '{k}', with_values => true,
    keys => ARRAY(SELECT d.key FROM parity.row_digests('twins', key_columns => '{k}', columns => '{}') d)) ORDER BY 2;

-- Several columns, several leaves, by index and by scan; rows without a key; the same key asked for twice.
CREATE TABLE parts (a int, b text, v int, PRIMARY KEY (a, b)) PARTITION BY LIST (a);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 (v int, b text NOT NULL, a int NOT NULL);
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES IN (2);
INSERT INTO parts SELECT 1 + n % 2, 'b' || n, n FROM generate_series(1, 300) n;
UPDATE parts SET v = -1 WHERE b = 'b77';
SELECT same, rows FROM versions('parts');
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SELECT same, rows FROM versions('parts');
RESET enable_indexscan;
RESET enable_bitmapscan;
SELECT count(*) FROM parity.row_versions('parts', (SELECT array_agg(d.key) || array_agg(d.key) FROM parity.row_digests('parts') d));
CREATE TABLE keyless (v int, w text);
INSERT INTO keyless SELECT 7, 'x' FROM generate_series(1, 4);
INSERT INTO keyless VALUES (7, NULL), (NULL, NULL);
SELECT same, rows FROM versions('keyless', false);
SELECT count(*) FROM parity.row_versions('parts', '{}');
CREATE TABLE nullable (k int UNIQUE, v int);
INSERT INTO nullable VALUES (1, 1), (NULL, 2), (NULL, 3);
SELECT count(*), count(DISTINCT v.key) FROM parity.row_versions(
    'nullable', ARRAY(SELECT d.key FROM parity.row_digests('nullable', key_columns => '{k}') d), key_columns => '{k}') v;

-- What stands in xmax is told as it is: of who locks, of several who lock, of who gave up.
CREATE TABLE locked (k int PRIMARY KEY);
INSERT INTO locked VALUES (1), (2), (3);
BEGIN;
SELECT k FROM locked WHERE k = 1 FOR KEY SHARE;
SAVEPOINT s;
SELECT k FROM locked WHERE k = 1 FOR SHARE;
DELETE FROM locked WHERE k = 2;
ROLLBACK TO s;
COMMIT;
SELECT t.k, v.xmin = t.xmin AS xmin, v.xmax = t.xmax AS xmax, v.xmax::text = '0' AS free
FROM locked t, parity.row_digests('locked') d, parity.row_versions('locked', ARRAY[d.key]) v WHERE d.key_text = t.k::text ORDER BY 1;

-- Rows that were written since a transaction, as age() has it.
CREATE TABLE growing (k int PRIMARY KEY, v int);
INSERT INTO growing SELECT n, 0 FROM generate_series(1, 2000) n;
SELECT pg_current_xact_id()::text AS since \gset
UPDATE growing SET v = 1 WHERE k IN (5, 900, 901, 1999);
INSERT INTO growing VALUES (3000, 1);
CREATE FUNCTION fresh(since text, only_ranges integer[] DEFAULT NULL, ranges int DEFAULT 8) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%s:%s', f.range_no, f.row_count), ' ' ORDER BY f.range_no)
    FROM (SELECT array_agg(s.bound ORDER BY s.bound_no) AS bounds FROM parity.split_keys('growing', ranges) s) b,
        parity.fresh_rows('growing', since => since::xid8, bounds => b.bounds, only_ranges => only_ranges) f
$$;
SELECT sum(f.row_count) = (SELECT count(*) FROM growing t WHERE age(t.xmin) BETWEEN 0 AND age(:'since'::xid8::xid)) AS as_age, sum(f.row_count)
FROM parity.fresh_rows('growing', since => :'since'::xid8) f;
SELECT fresh(:'since') IS NOT NULL AS some, fresh(pg_current_xact_id()::text) AS none;
SELECT sum(split_part(f, ':', 2)::int) FROM unnest(string_to_array(fresh(:'since', ranges => 8), ' ')) f;
SELECT fresh(:'since', '{1}', 200) IS NOT NULL AS by_index, fresh(:'since', '{1}', 2) IS NOT NULL AS by_scan;
VACUUM (FREEZE) growing;
SELECT sum(f.row_count) AS frozen_since FROM parity.fresh_rows('growing', since => :'since'::xid8) f;
SELECT f.* FROM parity.fresh_rows('keyless', since => :'since'::xid8) f;
SELECT sum(f.row_count) FROM parity.fresh_rows('keyless', since => '3', bounds => '{"\\x688000000000000000"}') f;
SELECT * FROM parity.fresh_rows('growing', since => '1000000000000');

-- What is not read from its pages has no versions.
CREATE VIEW seen AS SELECT * FROM k_int;
SELECT * FROM parity.row_versions('seen', '{"\\x00"}', key_columns => '{k}');
SELECT * FROM parity.fresh_rows('seen', since => '3', key_columns => '{k}');
SELECT * FROM parity.row_versions('k_int', NULL);
SELECT * FROM parity.fresh_rows('k_int', NULL);

-- A lock until the end of the transaction, and what it is on.
BEGIN;
SELECT parity.hold_relation('k_int'::regclass), parity.hold_relation('seen'::regclass), parity.hold_relation('parts'::regclass),
    parity.hold_relation(0), parity.hold_relation(NULL);
SELECT l.relation::regclass, l.mode FROM pg_locks l
WHERE l.pid = pg_backend_pid() AND l.relation IN ('k_int'::regclass, 'seen'::regclass, 'parts'::regclass) ORDER BY l.relation;
COMMIT;
CREATE ROLE regress_versions;
GRANT USAGE ON SCHEMA test_row_versions TO regress_versions;
GRANT SELECT (k) ON k_money TO regress_versions;
SET ROLE regress_versions;
SELECT parity.hold_relation('k_money'::regclass);
SELECT count(*) FROM parity.row_versions('k_money', '{"\\x006400000000000000"}', columns => '{}');
SELECT parity.hold_relation('k_int'::regclass);
SELECT count(*) FROM parity.row_versions('k_int', '{}', columns => '{}');
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA test_row_versions CASCADE;
DROP ROLE regress_versions;
