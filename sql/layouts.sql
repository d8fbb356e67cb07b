-- The scan reads heap pages by itself. However rows lie there, its digests are those of the aggregate, for which the
-- executor takes the rows apart.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_parity;
RESET client_min_messages;

CREATE SCHEMA test_layouts;
SET search_path = test_layouts, public;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;

-- A filter takes the way through the executor.
CREATE FUNCTION answer(relation regclass, key text[], forms jsonb, columns text[], only_ranges int[], width int, workers int, filter text) RETURNS text LANGUAGE sql AS $$
    SELECT path_taken || string_agg(concat_ws('|', range_no, encode(lower_key, 'hex'), row_count, key_digest, row_digest, column_digests), ';' ORDER BY range_no)
    FROM parity.range_digests(relation, ranges => 7, key_columns => key, columns => columns, forms => forms, width => width, workers => workers, filter => filter, only_ranges => only_ranges)
    GROUP BY path_taken
$$;
-- Reads a relation in all ways: how many rows it has, how many of the ways were scans, and whether all agree.
CREATE FUNCTION compare(relation regclass, key text[] DEFAULT NULL, forms jsonb DEFAULT NULL, columns text[] DEFAULT NULL, only_ranges int[] DEFAULT NULL, max_workers int DEFAULT 2,
                        OUT key_columns text[], OUT row_count bigint, OUT scans bigint, OUT same boolean) LANGUAGE sql AS $$
    WITH way AS (SELECT answer($1, $2, $3, $4, $5, width, workers, filter) AS answer
                 FROM (VALUES (64, 0, NULL), (64, 2, NULL), (64, 0, 'true'), (128, 0, NULL), (128, 0, 'true')) AS w (width, workers, filter) WHERE workers <= max_workers)
    SELECT $2, (SELECT sum(r.row_count)::bigint FROM parity.range_digests($1, key_columns => $2, columns => $4, ranges => 7, only_ranges => $5, workers => 0) AS r),
           count(*) FILTER (WHERE answer LIKE 'scan%'), count(DISTINCT regexp_replace(answer, '^(scan|aggregate)', '')) = 2
    FROM way
$$;
CREATE FUNCTION compare_all(relation regclass) RETURNS TABLE (key_columns text[], row_count bigint, scans bigint, same boolean) LANGUAGE sql AS $$
    SELECT c.* FROM pg_attribute, compare(relation, ARRAY[attname::text], max_workers => 0) AS c
    WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped ORDER BY attnum
$$;

-- Every alignment and kind of width beside others, values of many lengths; each column as the key.
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN short_text AS varchar(20);
CREATE TABLE mixed (
    b bool, c "char", i2 smallint, i4 int, s text, i8 bigint, v varchar, f4 real, n name, f8 float8, d numeric, u uuid, y bytea, mac macaddr, x char(9), tz timetz,
    j jsonb, o oid, dt date, iv interval, js json, ts timestamp, m mood, tstz timestamptz, p point, a int[], t tid, z bit varying, ip inet, mac8 macaddr8, r int4range, pr pair,
    st short_text, tm time, mo money, l line, id int NOT NULL);
INSERT INTO mixed
SELECT g % 2 = 0, chr(65 + g % 26)::"char", g % 30000, g * 7919, repeat('s', g % 300), g * 1000000007::bigint, repeat('v', g % 5), g / 7.0, 'name ' || g, g / 3.0,
       (g * CASE g % 4 WHEN 0 THEN 1 WHEN 1 THEN -0.0001 WHEN 2 THEN 1e20 ELSE 0 END)::numeric, md5(g::text)::uuid, decode(repeat('ab', g % 129), 'hex'),
       ('08:00:2b:01:02:' || lpad(to_hex(g % 256), 2, '0'))::macaddr, 'x' || g % 99, ('10:00+' || g % 10)::timetz, jsonb_build_object('k', g, 's', repeat('j', g % 200)),
       g::oid, date '2000-01-01' + g, g * interval '1 hour', to_json(g), timestamp '2000-01-01' + g * interval '1 s', CASE g % 2 WHEN 0 THEN 'sad' ELSE 'happy' END::mood,
       timestamptz '2000-01-01 00:00+00' + g * interval '1 s', point(g, -g), ARRAY[g, NULL, 3], ('(' || g || ',1)')::tid, repeat('1', g % 70)::varbit, '10.0.0.1/8'::inet + g,
       ('08:00:2b:01:02:03:04:' || lpad(to_hex(g % 256), 2, '0'))::macaddr8, int4range(g, g + 2), ROW(g, 'p' || g)::pair, 'st' || g, time '00:00' + g * interval '1 s',
       g::money, format('{%s,1,0}', g)::line, g
FROM generate_series(1, 600) g;
SELECT * FROM compare_all('mixed');
SELECT c.* FROM (VALUES ('{id,i4,s}'::text[]), ('{s,c,id}'), ('{d,u}'), ('{}'), ('{dt,i2}'), ('{x,n}')) AS k (key), compare('mixed', key) AS c;
-- NULLs in every column but one, alone and together with others.
DO $$
DECLARE
    target record;
BEGIN
    FOR target IN SELECT attname, attnum FROM pg_attribute WHERE attrelid = 'mixed'::regclass AND attnum > 0 AND attname <> 'id' LOOP
        EXECUTE format('UPDATE mixed SET %I = NULL WHERE id %% 37 = %s OR id %% 5 = 0 AND id %% 3 = %s', target.attname, target.attnum, target.attnum % 3);
    END LOOP;
END $$;
SELECT * FROM compare_all('mixed');
SELECT c.* FROM (VALUES ('{id,i4,s}'::text[]), ('{s,c,id}'), ('{d,u}'), ('{}'), ('{dt,i2}'), ('{x,n}')) AS k (key), compare('mixed', key) AS c;
VACUUM (FREEZE) mixed;
SELECT c.* FROM (VALUES ('{id}'::text[]), ('{s,c,id}'), ('{}')) AS k (key), compare('mixed', key) AS c;
-- Only some columns, or none; only some ranges; other forms than the default ones.
SELECT c.* FROM (VALUES ('{id}'::text[], '{}'::text[]), ('{b}', '{}'), ('{i8}', '{l,b,s}'), ('{s}', '{id}'), ('{}', '{s,f4,b}')) AS k (key, columns), compare('mixed', key, columns => columns) AS c;
SELECT c.* FROM (VALUES ('{id}'::text[]), ('{s,id}'), ('{u}'), ('{d}'), ('{}')) AS k (key), compare('mixed', key, only_ranges => '{2,5,7}') AS c;
SELECT c.* FROM (VALUES ('{id}'::text[]), ('{u,id}'), ('{ts}'), ('{}')) AS k (key),
     compare('mixed', key, forms => '{"id": "decimal", "u": "text", "js": "json", "j": "jsonb_raw", "f8": "float4", "ts": "timestamptz@UTC", "s": "trimmed", "o": "decimal", "mo": "decimal", "dt": "timestamp"}') AS c;

-- Columns that came after the rows: with and without a default, of a fixed and of a varying width, long ones too.
CREATE TABLE grown (id int PRIMARY KEY, s text);
INSERT INTO grown SELECT g, nullif(repeat('s', g % 150), '') FROM generate_series(1, 300) g;
ALTER TABLE grown ADD COLUMN nothing text, ADD COLUMN i2 smallint DEFAULT 7, ADD COLUMN i8 bigint NOT NULL DEFAULT -3, ADD COLUMN s2 text DEFAULT 'a default';
INSERT INTO grown (id, s) SELECT g, repeat('s', g % 150) FROM generate_series(301, 600) g;
ALTER TABLE grown ADD COLUMN d numeric DEFAULT 12.500, ADD COLUMN u uuid DEFAULT '0123456789abcdef0123456789abcdef', ADD COLUMN b bool DEFAULT true,
    ADD COLUMN long_text text DEFAULT repeat('long ', 20000), ADD COLUMN j jsonb DEFAULT '{"k": [1, 2]}', ADD COLUMN a int[] DEFAULT '{1,NULL}', ADD COLUMN f8 float8 DEFAULT -0.0,
    ADD COLUMN c "char" DEFAULT 'c', ADD COLUMN n name DEFAULT 'name', ADD COLUMN iv interval DEFAULT '1 day', ADD COLUMN nothing_else int;
UPDATE grown SET i2 = id WHERE id % 4 = 0;
SELECT * FROM compare_all('grown');
SELECT c.* FROM (VALUES (NULL::text[]), ('{}'), ('{u,id}'), ('{s2,i8}')) AS k (key), compare('grown', key) AS c;
ALTER TABLE grown ALTER COLUMN s2 SET DEFAULT 'another', ALTER COLUMN d DROP DEFAULT;
INSERT INTO grown (id) VALUES (1000);
SELECT * FROM compare('grown');

-- Columns that went: before, between and behind others, with and without rows of their time.
CREATE TABLE shrunk (gone1 text, a smallint, gone2 bigint, id bigint, gone3 numeric, b text, gone4 "char", c int, gone5 text);
INSERT INTO shrunk SELECT repeat('g', g % 20), g, g, g, g, 'b' || g, 'x', g, repeat('g', g % 200) FROM generate_series(1, 300) g;
INSERT INTO shrunk (id) SELECT g FROM generate_series(301, 330) g;
ALTER TABLE shrunk DROP COLUMN gone1, DROP COLUMN gone2, DROP COLUMN gone3, DROP COLUMN gone4, DROP COLUMN gone5;
INSERT INTO shrunk SELECT g, g, 'b' || g, g FROM generate_series(331, 400) g;
ALTER TABLE shrunk ADD COLUMN d text DEFAULT 'd', ADD COLUMN gone6 text DEFAULT 'gone';
INSERT INTO shrunk SELECT g, g, 'b' || g, g FROM generate_series(401, 500) g;
ALTER TABLE shrunk DROP COLUMN gone6;
SELECT * FROM compare_all('shrunk');
SELECT c.* FROM (VALUES ('{}'::text[]), ('{id,b}')) AS k (key), compare('shrunk', key) AS c;

-- Headers of one and four bytes; compressed, out of line, both.
CREATE TABLE varlenas (id int PRIMARY KEY, plain text, i8 bigint, main text, external bytea, extended text, k text);
ALTER TABLE varlenas ALTER plain SET STORAGE plain, ALTER main SET STORAGE main, ALTER external SET STORAGE external;
INSERT INTO varlenas SELECT g, repeat('p', g + 100), g, repeat('m', g * 40), decode(repeat(md5(g::text), g % 150), 'hex'),
       (SELECT string_agg(md5((g * i)::text), '') FROM generate_series(1, g % 120) i), repeat(md5(g::text), g % 90) FROM generate_series(1, 240) g;
SELECT * FROM compare_all('varlenas');
SELECT c.* FROM (VALUES ('{}'::text[]), ('{extended,external}'), ('{k,id}')) AS k (key), compare('varlenas', key) AS c;
SELECT pg_column_size(k) < octet_length(k) AS compressed, count(*) > 0 AS some FROM varlenas GROUP BY 1 ORDER BY 1;
SELECT pg_relation_size(reltoastrelid) > 0 AS out_of_line FROM pg_class WHERE oid = 'varlenas'::regclass;

-- Many columns, more than a bitmap's byte and than an aggregate takes at once.
DO $$
DECLARE
    types text[] := ARRAY['int', 'text', 'bigint', '"char"', 'numeric'];
BEGIN
    EXECUTE (SELECT format('CREATE TABLE wide (id int NOT NULL, %s)', string_agg(format('c%s %s', i, types[1 + i % 5]), ', ' ORDER BY i)) FROM generate_series(1, 300) i);
    EXECUTE (SELECT format('INSERT INTO wide SELECT g, %s FROM generate_series(1, 40) g',
                           string_agg(format(CASE i % 7 WHEN 0 THEN 'NULL::%s' WHEN 1 THEN 'nullif(g %% 8, 1)::text::%s' ELSE '(g %% 10)::text::%s' END, types[1 + i % 5]), ', ' ORDER BY i))
             FROM generate_series(1, 300) i);
END $$;
SELECT c.* FROM (VALUES ('{id}'::text[]), ('{c299,c1,id}'), ('{}')) AS k (key), compare('wide', key) AS c;
-- Narrow rows fill pages with many.
CREATE TABLE narrow AS SELECT nullif(g % 2 = 0, g % 3 = 0) AS b FROM generate_series(1, 3000) g;
SELECT c.* FROM (VALUES ('{b}'::text[]), ('{}')) AS k (key), compare('narrow', key) AS c;
-- No rows, no row any more, one row.
CREATE TABLE empty (id int PRIMARY KEY, v text);
SELECT * FROM compare('empty');
INSERT INTO empty SELECT g, 'v' FROM generate_series(1, 1000) g;
DELETE FROM empty;
SELECT * FROM compare('empty');
VACUUM empty;
SELECT * FROM compare('empty');
INSERT INTO empty VALUES (1, 'v');
SELECT * FROM compare('empty');

-- Parts of a table whose columns lie elsewhere than its own.
CREATE TABLE parent (id int NOT NULL, s text, d numeric) PARTITION BY RANGE (id);
CREATE TABLE part1 PARTITION OF parent FOR VALUES FROM (0) TO (100);
CREATE TABLE part2 (d numeric, gone text, s text, id int NOT NULL);
ALTER TABLE part2 DROP COLUMN gone;
ALTER TABLE parent ATTACH PARTITION part2 FOR VALUES FROM (100) TO (200);
CREATE TABLE part3 PARTITION OF parent FOR VALUES FROM (200) TO (300);
INSERT INTO parent SELECT g, 's' || g, g / 3.0 FROM generate_series(0, 250) g;
ALTER TABLE parent ADD COLUMN late text DEFAULT 'late';
SELECT * FROM compare_all('parent');
SELECT * FROM compare('parent', '{}');
CREATE TABLE ancestor (id int, s text);
CREATE TABLE heir (more text, own int) INHERITS (ancestor);
INSERT INTO ancestor SELECT g, 's' FROM generate_series(1, 50) g;
INSERT INTO heir SELECT g, 'h', 'more', g FROM generate_series(51, 99) g;
SELECT * FROM compare('ancestor', '{id}');

-- Rows that not everybody sees: of this transaction and its subtransactions, changed, locked, dead.
CREATE TABLE lively (id int PRIMARY KEY, v int, s text) WITH (autovacuum_enabled = off, fillfactor = 50);
INSERT INTO lively SELECT g, g, repeat('s', g % 50) FROM generate_series(1, 2000) g;
BEGIN; DELETE FROM lively WHERE id % 10 = 0; ROLLBACK;
SELECT * FROM compare('lively', '{id}');
UPDATE lively SET v = v + 1 WHERE id % 3 = 0;
DELETE FROM lively WHERE id % 7 = 0;
SELECT * FROM compare('lively', '{id}');
BEGIN;
SELECT count(*) FROM (SELECT 1 FROM lively WHERE id % 5 = 0 FOR UPDATE) AS locked;
SAVEPOINT a;
SELECT count(*) FROM (SELECT 1 FROM lively WHERE id % 5 < 2 FOR SHARE) AS locked;
INSERT INTO lively SELECT g, g FROM generate_series(3001, 3100) g;
UPDATE lively SET v = v + 1 WHERE id % 11 = 0;
SELECT * FROM compare('lively', '{id}');
ROLLBACK TO a;
UPDATE lively SET v = v + 1 WHERE id % 13 = 0;
INSERT INTO lively SELECT g, g FROM generate_series(4001, 4100) g;
DELETE FROM lively WHERE id % 17 = 0;
SELECT * FROM compare('lively', '{id}');
COMMIT;
SELECT * FROM compare('lively', '{id}');
VACUUM lively;
SELECT * FROM compare('lively', '{id}');
UPDATE lively SET v = 0 WHERE id < 30;
SELECT * FROM compare('lively', '{id}');
VACUUM (FREEZE) lively;
SELECT * FROM compare('lively', '{id}');

-- A temporary table is read by its own process alone.
CREATE TEMPORARY TABLE passing AS SELECT g AS id, 't' || g AS t FROM generate_series(1, 500) g;
SELECT * FROM compare('passing', '{id}');

SET client_min_messages = warning;
DROP SCHEMA test_layouts CASCADE;
