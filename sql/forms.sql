-- What columns are hashed as.
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

CREATE SCHEMA test_forms;
SET search_path = test_forms;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN posint AS integer CHECK (value > 0);
CREATE DOMAIN tiny AS posint;
CREATE DOMAIN moods AS mood[];
CREATE TYPE pair AS (a int, b text);
CREATE TABLE every_type (
    c01 smallint, c02 integer, c03 bigint, c04 oid, c05 numeric(10,2), c06 real, c07 double precision, c08 boolean, c09 text, c10 varchar(20), c11 name, c12 char(5),
    c13 mood, c14 bytea, c15 uuid, c16 date, c17 time, c18 time with time zone, c19 timestamp(3), c20 timestamptz, c21 interval, c22 json, c23 jsonb,
    c24 int[], c25 text[][], c26 mood[], c27 tiny, c28 tiny[], c29 moods, c30 jsonb[],
    n01 pair, n02 point, n03 int4range, n04 tsvector, n05 xml, n06 inet, n07 money, n08 bit(3), n09 "char", n10 regclass, n11 pair[], n12 int4range[], n13 pg_dependencies, gone int);
ALTER TABLE every_type DROP gone;
SELECT * FROM parity.forms('every_type');

-- Relations of all kinds have forms; indexes and sequences have none.
CREATE VIEW v AS SELECT c01, n13 FROM every_type;
SELECT column_name, form FROM parity.forms('v');
CREATE SEQUENCE s;
CREATE INDEX i ON every_type (c01);
SELECT pg_temp.error_of(format('SELECT * FROM parity.forms(%L)', r)) FROM unnest(ARRAY['s', 'i', '0']) AS r;
SELECT count(*) FROM parity.forms(NULL);

-- A column of another type is refused, unless the columns that are digested are named.
SELECT pg_temp.error_of($$ SELECT * FROM parity.range_digests('every_type') $$);
SELECT pg_temp.error_of($$ SELECT * FROM parity.range_digests('every_type', key_columns => '{n13}', columns => '{c01}') $$);
INSERT INTO every_type (c01, c13, c26) VALUES (1, 'ok', '{sad,NULL}');
SELECT row_count, column_digests FROM parity.range_digests('every_type', 1, key_columns => '{c01}', columns => '{c13,c26}');

-- One value has one hash under one form, whatever its type.
CREATE TABLE values_of_types (id int PRIMARY KEY, a smallint, b bigint, c numeric, d numeric(12,4), e real, f double precision, g varchar, h char(9), i name, j tiny);
INSERT INTO values_of_types VALUES (1, 7, 7, 7, 7.0000, 1.5, 1.5, 'x', 'x', 'x', 7);
SELECT DISTINCT digest::text FROM parity.slice_digests('values_of_types', 1, columns => '{a,b,j}') WHERE slice = 'column';
SELECT DISTINCT digest::text FROM parity.slice_digests('values_of_types', 1, columns => '{a,b,c,d,j}', forms => '{"a": "decimal", "b": "decimal", "j": "decimal"}') WHERE slice = 'column';
SELECT DISTINCT digest::text FROM parity.slice_digests('values_of_types', 1, columns => '{e,f}') WHERE slice = 'column';
SELECT DISTINCT digest::text FROM parity.slice_digests('values_of_types', 1, columns => '{g,h,i}') WHERE slice = 'column';

-- Equal is what the format says.
CREATE FUNCTION same(type text, a text, b text, form text DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE x parity.digest[]; y parity.digest[]; options jsonb = jsonb_build_object('forms', jsonb_build_array('int', form));
BEGIN
    EXECUTE format('SELECT parity.digest_agg($1, 1, %L::%s), parity.digest_agg($1, 1, %L::%s)', a, type, b, type) INTO x, y USING options;
    RETURN x[3] OPERATOR(parity.=) y[3];
END $$;
SELECT type, a, b, same(type, a, b, form)
FROM (VALUES
    ('numeric', '1.0', '1.00', NULL), ('numeric', 'NaN', 'NaN', NULL), ('numeric', '-0', '0', NULL), ('numeric', '10000', '10001', NULL),
    ('float8', '-0', '0', NULL), ('float8', 'NaN', '-NaN', NULL), ('float4', '0.1', '0.1', NULL), ('text', '', 'NULL', NULL), ('text', 'a ', 'a', NULL), ('char(4)', 'a ', 'a', NULL),
    ('text', 'NULL', NULL, NULL), ('text', '', NULL, NULL), ('text', NULL, NULL, NULL),
    ('interval', '1 mon', '30 days', NULL), ('interval', '24 hours', '1 day', NULL), ('interval', '60 min', '1 hour', NULL), ('timetz', '12:00+00', '13:00+01', NULL),
    ('timestamptz', '2024-01-01 12:00+00', '2024-01-01 13:00+01', NULL), ('json', '{"a":1}', '{"a": 1}', NULL), ('json', '{"a":1}', '{"a": 1}', 'json'), ('json', '{"b":1,"a":1.0}', '{"a":1,"b":1}', 'json'),
    ('jsonb', '{"a":1.0}', '{"a":1.00}', NULL), ('jsonb', '{"a":1.0}', '{"a":1.00}', 'jsonb_raw'), ('jsonb', '1', '"1"', NULL), ('jsonb', 'null', NULL, NULL), ('jsonb', '[]', '{}', NULL),
    ('int[]', '{}', '{NULL}', NULL), ('int[]', '{1,2}', '[0:1]={1,2}', NULL), ('int[]', '{1,2}', '{{1,2}}', NULL), ('text[]', '{a,"b,c"}', '{"a,b",c}', NULL), ('text[]', '{NULL}', '{"NULL"}', NULL)
) AS v (type, a, b, form);
SET client_min_messages = warning;
DROP SCHEMA test_forms CASCADE;
