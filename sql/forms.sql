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

-- Two types have a form in common that gives their values the same hash.
CREATE FUNCTION meet(a_type text, a text, b_type text, b text, a_form text, b_form text DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE x parity.digest[]; y parity.digest[];
BEGIN
    EXECUTE format('SELECT parity.digest_agg($1, 1, %L::%s), parity.digest_agg($2, 1, %L::%s)', a, a_type, b, b_type) INTO x, y
        USING jsonb_build_object('forms', jsonb_build_array('int', a_form)), jsonb_build_object('forms', jsonb_build_array('int', coalesce(b_form, a_form)));
    RETURN x[3] OPERATOR(parity.=) y[3];
END $$;
SELECT v.*, meet(a_type, a, b_type, b, a_form, b_form)
FROM (VALUES
    ('text', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'text', NULL), ('text', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'text', NULL),
    ('text', '{A0EEBC999C0B4EF8BB6D6BB9BD380A11}', 'uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'uuid', NULL), ('char(40)', 'a0eebc999c0b4ef8bb6d6bb9bd380a11', 'uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'uuid', NULL),
    ('text[]', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', 'uuid[]', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', 'text[]', NULL),
    ('text', 'a  ', 'char(5)', 'a', 'text', NULL), ('text', 'a  ', 'char(5)', 'a', 'trimmed', NULL), ('varchar', ' a', 'char(5)', 'a', 'trimmed', NULL),
    ('float8', '0.1', 'float4', '0.1', 'float', NULL), ('float8', '0.1', 'float4', '0.1', 'float4', NULL), ('float8', '0.10000000149011612', 'float4', '0.1', 'float', NULL),
    ('float8', '1e39', 'float4', 'Infinity', 'float4', NULL), ('float8', '1e-300', 'float4', '0', 'float4', NULL), ('float8', 'NaN', 'float4', 'NaN', 'float4', NULL),
    ('money', '12.30', 'numeric', '12.3', 'decimal', NULL), ('money', '12.30', 'int', '1230', 'decimal', NULL),
    ('date', '2024-02-29', 'timestamp', '2024-02-29 00:00', 'timestamp', NULL), ('date', 'infinity', 'timestamp', 'infinity', 'timestamp', NULL), ('daterange', '[2024-02-29,2024-02-29]', 'tsrange', '[2024-02-29,2024-03-01)', 'range<timestamp>', NULL),
    ('text', '{"b":1,"a":1.0}', 'jsonb', '{"a":1,"b":1}', 'json', NULL),
    ('timestamp', '2024-07-01 12:00', 'timestamptz', '2024-07-01 12:00+02', 'timestamptz@Europe/Berlin', 'timestamptz'), ('timestamp', '2024-07-01 12:00', 'timestamptz', '2024-07-01 12:00+00', 'timestamptz@UTC', 'timestamptz'),
    ('timestamp', '2024-07-01 12:00', 'timestamptz', '2024-07-01 12:00+02', 'timestamp', 'timestamp@Europe/Berlin'), ('timestamp', '-infinity', 'timestamptz', '-infinity', 'timestamptz@Europe/Berlin', 'timestamptz'),
    ('timestamp[]', '{2024-07-01 12:00}', 'timestamptz[]', '{2024-07-01 12:00+02}', 'timestamptz@Europe/Berlin[]', 'timestamptz[]'), ('tsrange', '[2024-07-01,2024-07-02)', 'tstzrange', '[2024-07-01 00:00+02,2024-07-02 00:00+02)', 'range<timestamptz@Europe/Berlin>', 'range<timestamptz>')
) AS v (a_type, a, b_type, b, a_form, b_form);

-- Readings become instants, and instants readings, as AT TIME ZONE has it: also where clocks are set forth or back, and where the rules of a zone changed.
CREATE TABLE readings AS SELECT row_number() OVER () AS id, t AS reading, t AT TIME ZONE z AS instant, t AT TIME ZONE 'UTC' AS at_utc, (t AT TIME ZONE 'UTC') AT TIME ZONE z AS shown, z
FROM unnest('{Europe/Berlin,Europe/Dublin,America/New_York,Asia/Kolkata,Australia/Lord_Howe,Africa/Casablanca,Pacific/Apia,UTC}'::text[]) AS z,
    generate_series(timestamp '2011-12-25 00:17', '2012-12-31', '29 minutes') AS t;
INSERT INTO readings SELECT -row_number() OVER (), t, t AT TIME ZONE z, t AT TIME ZONE 'UTC', (t AT TIME ZONE 'UTC') AT TIME ZONE z, z
FROM unnest('{Europe/Berlin,America/New_York}'::text[]) AS z, unnest('{infinity,-infinity,4713-01-02 BC,0001-01-01 BC,1800-01-01,1893-03-31 23:59,294276-12-30}'::timestamp[]) AS t;
DO $$
DECLARE zone text; x text[]; y text[];
BEGIN
    FOR zone IN SELECT DISTINCT z FROM readings LOOP
        SELECT array_agg(digest::text) FILTER (WHERE column_name = 'reading'), array_agg(digest::text) FILTER (WHERE column_name = 'instant') INTO x, y
            FROM parity.slice_digests('readings', 1, key_columns => '{id}', columns => '{reading,instant}', forms => jsonb_build_object('reading', 'timestamptz@' || zone), filter => format('z = %L', zone));
        IF x <> y OR x IS NULL THEN RAISE 'readings in % do not become its instants', zone; END IF;
        SELECT array_agg(digest::text) FILTER (WHERE column_name = 'at_utc'), array_agg(digest::text) FILTER (WHERE column_name = 'shown') INTO x, y
            FROM parity.slice_digests('readings', 1, key_columns => '{id}', columns => '{at_utc,shown}', forms => jsonb_build_object('at_utc', 'timestamp@' || zone), filter => format('z = %L', zone));
        IF x <> y OR x IS NULL THEN RAISE 'instants do not become their readings in %', zone; END IF;
    END LOOP;
END $$;
SELECT count(DISTINCT z) FROM readings;
-- Workers and the aggregate read in the same zone.
SELECT count(DISTINCT column_digests::text) FROM (
    SELECT column_digests FROM parity.range_digests('readings', 1, key_columns => '{id}', columns => '{reading}', forms => '{"reading": "timestamptz@Europe/Berlin"}', path => 'scan', workers => 2)
    UNION ALL SELECT column_digests FROM parity.range_digests('readings', 1, key_columns => '{id}', columns => '{reading}', forms => '{"reading": "timestamptz@Europe/Berlin"}', path => 'aggregate')) AS d;

-- Rows are found by keys under any form: forms that are not the type's own are not put to an index.
CREATE TABLE keyed (u uuid PRIMARY KEY, t timestamp UNIQUE NOT NULL, f float8 UNIQUE NOT NULL, d date UNIQUE NOT NULL, x text UNIQUE NOT NULL COLLATE "C", m money UNIQUE NOT NULL);
INSERT INTO keyed SELECT md5(n::text)::uuid, timestamp '2024-03-30' + n * interval '1 hour', n / 10.0, date '2024-01-01' + n, n || '  ', n::numeric::money FROM generate_series(1, 500) n;
SELECT form, count(*), count(*) FILTER (WHERE found) AS found FROM (
    SELECT f.form, EXISTS (SELECT FROM parity.row_digests('keyed', keys => ARRAY[r.key], key_columns => ARRAY[f.key], columns => '{}', forms => jsonb_build_object(f.key, f.form))) AS found
    FROM (VALUES ('u', 'text'), ('t', 'timestamptz@Europe/Berlin'), ('f', 'float4'), ('d', 'timestamp'), ('x', 'trimmed'), ('m', 'decimal')) AS f (key, form),
        LATERAL (SELECT * FROM parity.row_digests('keyed', key_columns => ARRAY[f.key], columns => '{}', forms => jsonb_build_object(f.key, f.form)) LIMIT 20) AS r) AS rows
GROUP BY form ORDER BY form;
SELECT f.form, sum(d.row_count), count(*) > 1 AS divided
FROM (VALUES ('u', 'text'), ('t', 'timestamptz@Europe/Berlin'), ('f', 'float4'), ('d', 'timestamp'), ('x', 'trimmed'), ('m', 'decimal')) AS f (key, form),
    parity.range_digests('keyed', 8, key_columns => ARRAY[f.key], columns => '{}', forms => jsonb_build_object(f.key, f.form)) AS d GROUP BY f.form ORDER BY f.form;

-- A value that a form does not hold is an error that names the column, in leader and workers, scan and aggregate.
CREATE TABLE odd (id int PRIMARY KEY, "C d" text, j json, d date, n jsonb[]);
INSERT INTO odd VALUES (1, 'no uuid', '"\u0000"', '294277-01-01', '{"[]"}');
SELECT pg_temp.error_of(format('SELECT * FROM parity.range_digests(''odd'', columns => ARRAY[%L], forms => %L, path => %L)', c, jsonb_build_object(c, f), path))
FROM (VALUES ('C d', 'uuid'), ('C d', 'json'), ('j', 'json'), ('d', 'timestamp')) AS v (c, f), unnest('{scan,aggregate}'::text[]) AS path ORDER BY 1;
SELECT pg_temp.error_of($$ SELECT parity.digest_agg('{"forms": [null, "uuid"]}', id, "C d") FROM odd $$);
SELECT pg_temp.error_of($$ SELECT parity_internal.range_digest_agg('\x00'::bytea, id) FROM odd $$);

-- Forms and zones that do not exist.
SELECT pg_temp.error_of(format('SELECT * FROM parity.range_digests(''readings'', key_columns => ''{id}'', columns => ''{reading}'', forms => ''{"reading": "%s"}'')', f))
FROM unnest('{timestamptz,timestamptz@,timestamptz@CET,timestamptz@Europe/Nowhere,timestamptz@zone,timestamp@UTC,timestamptz@UTC[],"range<timestamptz@UTC>"}'::text[]) AS f;
SELECT pg_temp.error_of($$ SELECT parity.digest_agg('{"forms": [null, "timestamptz@CET"]}', id, reading) FROM readings $$);

-- Values of composite types keep up with changes of the type.
CREATE TYPE grown AS (a int, b text);
CREATE TABLE composites (id int PRIMARY KEY, c grown);
INSERT INTO composites VALUES (1, (1, 'x')), (2, NULL);
ALTER TYPE grown ADD ATTRIBUTE d int[];
ALTER TYPE grown DROP ATTRIBUTE a;
INSERT INTO composites VALUES (3, ('x', NULL)), (4, ('x', '{}'));
SELECT form FROM parity.forms('composites') WHERE column_name = 'c';
SELECT count(DISTINCT cell_hashes) FROM parity.row_digests('composites', seed => 1);
SELECT meet('grown', '(x,)', 'grown', '(x,)', 'record<b:text,d:int[]>') AS same, meet('grown', '(x,)', 'grown', '(x,{})', 'record<b:text,d:int[]>') AS other,
    c.digest OPERATOR(parity.=) n.digest AS old_value_is_new_one
FROM (SELECT (parity.digest_agg('{}', 1, c))[3] AS digest FROM composites WHERE id = 1) AS c, (SELECT (parity.digest_agg('{}', 1, c))[3] AS digest FROM composites WHERE id = 3) AS n;
SET client_min_messages = warning;
DROP SCHEMA test_forms CASCADE;
