-- The key that identifies a relation's rows.
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

CREATE SCHEMA test_key;
SET search_path = test_key;
CREATE FUNCTION keys() RETURNS TABLE (relation name, key_columns name[], proven boolean, index regclass) LANGUAGE sql AS $$
    SELECT c.relname, k.* FROM pg_class c, parity.key(c.oid) k WHERE relnamespace = 'test_key'::regnamespace AND relkind IN ('r', 'p', 'm', 'v') ORDER BY 1
$$;
CREATE TABLE a_primary (a int, b int, c int UNIQUE NOT NULL, PRIMARY KEY (b, a));
CREATE TABLE b_unique (a int UNIQUE, b int NOT NULL, c int NOT NULL, d int NOT NULL UNIQUE, UNIQUE (b, c));
CREATE TABLE c_fewest_columns (a int NOT NULL, b int NOT NULL, c int NOT NULL, UNIQUE (a, b), UNIQUE (c), UNIQUE (a));
CREATE TABLE d_nullable (a int UNIQUE);
CREATE TABLE e_partial (a int NOT NULL);
CREATE UNIQUE INDEX ON e_partial (a) WHERE a > 0;
CREATE TABLE f_expression (a int NOT NULL);
CREATE UNIQUE INDEX ON f_expression ((a + 1));
CREATE TABLE g_deferrable (a int NOT NULL UNIQUE DEFERRABLE);
CREATE EXTENSION IF NOT EXISTS cube SCHEMA public;
CREATE TABLE h_not_comparable (a public.cube PRIMARY KEY, b int NOT NULL UNIQUE);
CREATE TABLE i_not_valid (a int NOT NULL);
CREATE UNIQUE INDEX i_not_valid_a ON i_not_valid (a);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i_not_valid_a'::regclass;
CREATE TABLE j_parent (a int PRIMARY KEY);
CREATE TABLE k_child () INHERITS (j_parent);
CREATE TABLE l_partitioned (a int, b int, PRIMARY KEY (a)) PARTITION BY RANGE (a);
CREATE TABLE m_partition PARTITION OF l_partitioned FOR VALUES FROM (0) TO (10);
CREATE TABLE n_including (a int NOT NULL, b int NOT NULL);
CREATE UNIQUE INDEX ON n_including (b) INCLUDE (a);
CREATE MATERIALIZED VIEW o_materialized AS SELECT 1 AS a;
CREATE UNIQUE INDEX ON o_materialized (a);
CREATE VIEW p_view AS SELECT 1 AS a;
CREATE TABLE q_none ();
CREATE TABLE "R Quoted" ("Key Column" int PRIMARY KEY);
SELECT * FROM keys();
UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'i_not_valid_a'::regclass;

-- A primary key beats a narrower index; without children a former parent's key is proven again.
DROP TABLE k_child;
SELECT * FROM parity.key('j_parent');
SELECT * FROM parity.key(NULL);
SELECT pg_temp.error_of($$ SELECT * FROM parity.key('a_primary_pkey') $$);
SELECT pg_temp.error_of($$ SELECT * FROM parity.key(0) $$);

-- range_digests uses this key; another one may be given, and none at all.
INSERT INTO b_unique VALUES (NULL, 1, 2, 3);
SELECT lower_key, key_digest, cardinality(column_digests) FROM parity.range_digests('b_unique', 1);
SELECT key_digest, cardinality(column_digests) FROM parity.range_digests('b_unique', 1, key_columns => '{c,b}');
SELECT key_digest, cardinality(column_digests) FROM parity.range_digests('b_unique', 1, key_columns => '{a}');
SELECT key_digest, cardinality(column_digests) FROM parity.range_digests('b_unique', 1, key_columns => '{}');
SET client_min_messages = warning;
DROP SCHEMA test_key CASCADE;
