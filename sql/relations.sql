-- Relations of every kind, and layouts that have no influence.
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

CREATE SCHEMA test_relations;
SET search_path = test_relations;
CREATE TABLE plain (id int PRIMARY KEY, v text, d date);
INSERT INTO plain SELECT n, 'v' || n, date '2024-01-01' + n FROM generate_series(1, 300) n;

-- The digests of a relation with the rows of plain, on both paths, as one value for each width; and whether they are plain's.
CREATE FUNCTION digests(relation regclass, path text, width int) RETURNS text LANGUAGE sql AS $$
    SELECT md5(string_agg(concat_ws('|', range_no, row_count, key_digest, row_digest, column_digests), ';' ORDER BY range_no))
    FROM parity.range_digests(relation, bounds => ARRAY['\x6b013200000000000000'::bytea, '\x6b01c800000000000000'], key_columns => '{id}', columns => '{v,d}', path => path, width => width)
$$;
CREATE FUNCTION check_relation(relation regclass) RETURNS TABLE (name text, taken text, rows bigint, same_by_default boolean, same_by_aggregate boolean) LANGUAGE sql AS $$
    SELECT relation::text, (SELECT min(path_taken) FROM parity.range_digests(relation, 2, key_columns => '{id}', columns => '{v,d}')),
           (SELECT sum(row_count)::bigint FROM parity.range_digests(relation, 2, key_columns => '{id}', columns => '{v,d}')),
           bool_and(digests(relation, 'auto', w) = digests('plain', 'scan', w)), bool_and(digests(relation, 'aggregate', w) = digests('plain', 'scan', w))
    FROM unnest(ARRAY[64, 128]) AS w
$$;
SELECT * FROM check_relation('plain');

CREATE UNLOGGED TABLE unlogged AS TABLE plain;
SELECT * FROM check_relation('unlogged');
CREATE TEMPORARY TABLE temporary AS TABLE plain;
SELECT * FROM check_relation('temporary');
SELECT sum(row_count) FROM parity.range_digests('temporary', workers => 4);
CREATE MATERIALIZED VIEW materialized AS SELECT * FROM plain;
SELECT * FROM check_relation('materialized');
CREATE VIEW viewed AS SELECT d, id, v, now() AS changing FROM plain;
SELECT * FROM check_relation('viewed');

-- Partitions, of several levels and layouts.
CREATE TABLE partitioned (id int NOT NULL, gone int, v text, d date) PARTITION BY RANGE (id);
ALTER TABLE partitioned DROP gone;
CREATE TABLE low PARTITION OF partitioned FOR VALUES FROM (MINVALUE) TO (100);
CREATE TABLE middle (d date, gone1 text, gone2 int, v text, id int NOT NULL);
ALTER TABLE middle DROP gone1, DROP gone2;
ALTER TABLE partitioned ATTACH PARTITION middle FOR VALUES FROM (100) TO (200);
CREATE TABLE high PARTITION OF partitioned FOR VALUES FROM (200) TO (MAXVALUE) PARTITION BY HASH (id);
CREATE TABLE high_0 PARTITION OF high FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE high_1 PARTITION OF high FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE none PARTITION OF partitioned DEFAULT;
INSERT INTO partitioned SELECT * FROM plain;
SELECT * FROM check_relation('partitioned');
SELECT sum(row_count) AS of_a_branch FROM parity.range_digests('high', key_columns => '{id}');
SELECT sum(row_count) AS of_a_partition FROM parity.range_digests('middle', key_columns => '{id}');
CREATE TABLE no_partitions (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
SELECT row_count, row_digest, path_taken FROM parity.range_digests('no_partitions');

-- Inheritance: children are part of their parent; their own columns are not.
CREATE TABLE parent (id int, v text, d date);
CREATE TABLE other_parent (v text, extra int);
CREATE TABLE child (more text, v text) INHERITS (other_parent, parent);
CREATE TABLE grandchild (even_more int) INHERITS (child);
INSERT INTO parent SELECT * FROM plain WHERE id % 3 = 0;
INSERT INTO child (id, v, d, extra, more) SELECT *, 1, 'x' FROM plain WHERE id % 3 = 1;
INSERT INTO grandchild (id, v, d) SELECT * FROM plain WHERE id % 3 = 2;
SELECT * FROM check_relation('parent');
SELECT sum(row_count) FROM parity.range_digests('child', key_columns => '{id}');

-- Dropped columns, columns added with a default, rows narrower than the table, dead rows, free space.
CREATE TABLE layout (gone0 text, d date, gone1 int, id int) WITH (fillfactor = 40);
INSERT INTO layout SELECT 'x', d, id, id FROM plain WHERE id < 150;
ALTER TABLE layout DROP gone0, DROP gone1, ADD v text DEFAULT 'v7', ADD w int;
UPDATE layout SET v = 'v' || id WHERE id <> 7;
DELETE FROM layout WHERE id % 2 = 0;
INSERT INTO layout (id, d, v) SELECT id, d, v FROM plain WHERE id >= 150 OR id % 2 = 0;
SELECT * FROM check_relation('layout');
VACUUM layout;
SELECT * FROM check_relation('layout');
VACUUM FULL layout;
SELECT * FROM check_relation('layout');
CREATE TABLE added (id int PRIMARY KEY);
INSERT INTO added SELECT id FROM plain;
ALTER TABLE added ADD v text DEFAULT 'same', ADD n numeric DEFAULT 1.50, ADD j jsonb DEFAULT '{"a": [1]}', ADD o int;
CREATE TABLE rewritten AS TABLE added;
SELECT x.column_digests::text = y.column_digests::text AS same FROM parity.range_digests('added', 1) x, parity.range_digests('rewritten', 1, key_columns => '{id}') y;

-- Compressed and toasted values, and the same values stored plainly.
CREATE TABLE toasted (id int PRIMARY KEY, t text, b bytea, j jsonb, n numeric, a int[], k text NOT NULL);
ALTER TABLE toasted ALTER b SET STORAGE EXTERNAL;
CREATE FUNCTION long(n int, length int) RETURNS text LANGUAGE sql AS $$ SELECT string_agg(md5(g::text || n), '') FROM generate_series(1, length / 32) g $$;
INSERT INTO toasted SELECT n, long(n, n * 6400), decode(long(n, n * 3200), 'hex'), jsonb_build_object('k', long(n, n * 3200), 'r', repeat('r', n * 5000)), ('0.' || repeat('7', n * 500))::numeric,
    (SELECT array_agg(g * n) FROM generate_series(1, n * 500) g), repeat('key', n * 1000) FROM generate_series(1, 12) n;
CREATE TABLE untoasted (LIKE toasted INCLUDING ALL EXCLUDING STORAGE);
ALTER TABLE untoasted ALTER t SET STORAGE EXTERNAL, ALTER b SET STORAGE MAIN, ALTER j SET STORAGE EXTENDED, ALTER n SET STORAGE EXTERNAL;
INSERT INTO untoasted SELECT * FROM toasted;
SELECT pg_relation_size(reltoastrelid) > 0 AS has_toast FROM pg_class WHERE oid = 'toasted'::regclass;
SELECT path, x.row_digest, x.row_digest OPERATOR(parity.=) y.row_digest AS same
FROM unnest(ARRAY['scan', 'aggregate']) AS path, LATERAL parity.range_digests('toasted', 1, path => path, key_columns => '{id,k}') x, LATERAL parity.range_digests('untoasted', 1, path => path, key_columns => '{id,k}') y;

-- Generated columns are columns.
CREATE TABLE generated (id int PRIMARY KEY, v text GENERATED ALWAYS AS ('v' || id::text) STORED, d date GENERATED ALWAYS AS ('2024-01-01'::date + id) STORED);
INSERT INTO generated SELECT id FROM plain;
SELECT * FROM check_relation('generated');

-- Names that need quotes, and tables of the same name elsewhere.
CREATE SCHEMA "Test ""Relations""";
CREATE TABLE "Test ""Relations"""."Plain; --" ("Id" int PRIMARY KEY, "v;""" text, "select" date);
INSERT INTO "Test ""Relations"""."Plain; --" TABLE plain;
SELECT path, row_count, row_digest FROM unnest(ARRAY['scan', 'aggregate']) AS path, LATERAL parity.range_digests('"Test ""Relations"""."Plain; --"', 1, path => path);
SELECT row_count, row_digest FROM parity.range_digests('plain', 1, columns => '{d,v}');
SELECT count(*) FROM parity.row_digests('"Test ""Relations"""."Plain; --"', filter => '"v;""" > ''''');

-- Foreign tables, and partition trees with one.
CREATE EXTENSION postgres_fdw;
DO $$ BEGIN
    EXECUTE format('CREATE SERVER loopback FOREIGN DATA WRAPPER postgres_fdw OPTIONS (dbname %L, port %L, host %L)', current_database(), current_setting('port'), current_setting('unix_socket_directories'));
END $$;
CREATE USER MAPPING FOR CURRENT_USER SERVER loopback;
CREATE FOREIGN TABLE foreign_plain (id int, v text, d date) SERVER loopback OPTIONS (schema_name 'test_relations', table_name 'plain');
SELECT * FROM check_relation('foreign_plain');
SELECT pg_temp.error_of($$ SELECT * FROM parity.range_digests('foreign_plain', path => 'scan') $$);
CREATE TABLE part_of_plain AS SELECT * FROM plain WHERE id >= 100;
CREATE TABLE mixed (id int, v text, d date) PARTITION BY RANGE (id);
CREATE TABLE mixed_low PARTITION OF mixed FOR VALUES FROM (1) TO (100);
INSERT INTO mixed SELECT * FROM plain WHERE id < 100;
CREATE FOREIGN TABLE mixed_high PARTITION OF mixed FOR VALUES FROM (100) TO (1000) SERVER loopback OPTIONS (schema_name 'test_relations', table_name 'part_of_plain');
SELECT * FROM check_relation('mixed');
SELECT pg_temp.error_of($$ SELECT * FROM parity.range_digests('mixed', path => 'scan', key_columns => '{id}') $$);
SELECT count(*) FROM parity.row_digests('mixed', key_columns => '{id}');

-- What cannot be read.
CREATE MATERIALIZED VIEW unpopulated AS SELECT * FROM plain WITH NO DATA;
CREATE SEQUENCE sequence;
CREATE TYPE composite AS (id int);
CREATE INDEX index ON plain (v);
SELECT f, r, pg_temp.error_of(format('SELECT * FROM parity.%s(%L)', f, r))
FROM unnest(ARRAY['unpopulated', 'sequence', 'composite', 'index']) AS r,
     unnest(ARRAY['range_digests', 'row_digests', 'slice_digests', 'split_keys']) AS f ORDER BY 2, 1;
SELECT pg_temp.error_of($$ SELECT * FROM parity.range_digests('viewed', path => 'scan') $$);

-- System catalogs are tables too.
SELECT sum(row_count) = (SELECT count(*) FROM pg_class) AS all_of_them FROM parity.range_digests('pg_class', columns => '{relname,relnatts}');
SET client_min_messages = warning;
DROP EXTENSION postgres_fdw CASCADE;
DROP SCHEMA test_relations, "Test ""Relations""" CASCADE;
