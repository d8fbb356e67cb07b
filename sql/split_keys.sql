-- split_keys: bounds from the inner pages of B-trees.
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

CREATE SCHEMA test_split_keys;
SET search_path = test_split_keys;

-- How many ranges the bounds make, whether all rows are in them, and whether none has more than thrice its share.
CREATE FUNCTION balance(relation regclass, ranges int, key text[] DEFAULT NULL, forms jsonb DEFAULT NULL) RETURNS TABLE (made int, rows bigint, ascending boolean, balanced boolean) LANGUAGE plpgsql AS $$
DECLARE bounds bytea[] := ARRAY(SELECT s.bound FROM parity.split_keys(relation, balance.ranges, key, forms) s ORDER BY bound_no);
BEGIN
    RETURN QUERY SELECT count(*)::int, sum(row_count)::bigint, min(range_no) = 1 AND max(range_no) = count(*), max(row_count) <= 3 * sum(row_count) / count(*) + 1
    FROM parity.range_digests(relation, bounds => bounds, key_columns => key, columns => '{}', forms => forms);
END $$;

-- The bounds as they are given.
CREATE TABLE small (id int PRIMARY KEY);
INSERT INTO small SELECT n * 10 FROM generate_series(1, 8) n;
SELECT * FROM parity.split_keys('small', 4);
SELECT * FROM parity.split_keys('small', 1);
SELECT bound_text FROM parity.split_keys('small', 1000);

-- Empty, one row.
CREATE TABLE empty (id int PRIMARY KEY);
SELECT * FROM parity.split_keys('empty', 10);
CREATE TABLE one (id int PRIMARY KEY);
INSERT INTO one VALUES (7);
SELECT bound_text FROM parity.split_keys('one', 10);
SELECT * FROM balance('one', 10);

-- Many rows and several levels of inner pages; from fewer ranges than the root has items to more than there are leaf pages.
CREATE TABLE big (id bigint PRIMARY KEY, u uuid, s text COLLATE "C", n int);
INSERT INTO big SELECT n, md5(n::text)::uuid, repeat(chr(97 + n % 26), 50) || n, n / 7 FROM generate_series(1, 50000) n;
CREATE UNIQUE INDEX ON big (u);
CREATE INDEX ON big (s);
CREATE INDEX ON big (n DESC NULLS FIRST, id);
SELECT r AS asked, b.* FROM unnest(ARRAY[1, 2, 3, 10, 100, 1000, 5000]) AS r, balance('big', r) b;
SELECT b.* FROM balance('big', 100, '{u}') b;
SELECT b.* FROM balance('big', 100, '{s}') b;
SELECT b.* FROM balance('big', 100, '{n}') b;
SELECT b.* FROM balance('big', 100, '{n,id}') b;
SELECT b.* FROM balance('big', 100, '{id}', '{"id": "decimal"}') b;

-- Deleted rows leave keys in the inner pages: still bounds, and no row is lost.
DELETE FROM big WHERE id BETWEEN 10000 AND 40000;
SELECT rows, ascending FROM balance('big', 50);
VACUUM big;
SELECT rows, ascending FROM balance('big', 50);
DELETE FROM big;
VACUUM big;
SELECT rows, ascending FROM balance('big', 50);
INSERT INTO big SELECT n, md5(n::text)::uuid, 's', 1 FROM generate_series(1, 20000) n;
SELECT rows, ascending, balanced FROM balance('big', 50);

-- Composite keys: inner pages leave out columns that are not needed; NULLs; DESC; text of other collations; duplicates.
CREATE TABLE composite (a text, b int, c int);
CREATE INDEX ON composite (a DESC, b NULLS FIRST, c);
INSERT INTO composite SELECT 'group ' || n % 5, nullif(n % 1000, 0), n FROM generate_series(1, 20000) n;
SELECT b.* FROM balance('composite', 40, '{a,b,c}') b;
SELECT b.* FROM balance('composite', 40, '{a,b}') b;
SELECT b.* FROM balance('composite', 40, '{a}') b;
SELECT bound_text FROM parity.split_keys('composite', 40, '{a}');
SELECT count(*) AS bounds, bool_or(bound_text !~ ', .*,') AS some_are_truncated FROM parity.split_keys('composite', 10, '{a,b,c}');
SELECT b.* FROM balance('composite', 10, '{a,b,c}') b;
CREATE TABLE same_key (k int);
INSERT INTO same_key SELECT 5 FROM generate_series(1, 20000);
CREATE INDEX ON same_key (k);
SELECT bound_text FROM parity.split_keys('same_key', 50, '{k}');
SELECT b.made, b.rows FROM balance('same_key', 50, '{k}') b;
CREATE TABLE only_nulls (k int);
INSERT INTO only_nulls SELECT NULL FROM generate_series(1, 5000);
CREATE INDEX ON only_nulls (k);
SELECT bound_text FROM parity.split_keys('only_nulls', 50, '{k}');
SELECT b.made, b.rows FROM balance('only_nulls', 50, '{k}') b;
CREATE TABLE names (k name PRIMARY KEY, e text);
INSERT INTO names SELECT 'name ' || n FROM generate_series(1, 5000) n;
SELECT b.* FROM balance('names', 20) b;

-- Partitions: each leaf's index gives its share.
CREATE TABLE partitioned (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF partitioned FOR VALUES FROM (0) TO (1000);
CREATE TABLE p2 PARTITION OF partitioned FOR VALUES FROM (1000) TO (30000);
CREATE TABLE p3 PARTITION OF partitioned FOR VALUES FROM (30000) TO (40000);
INSERT INTO partitioned SELECT n FROM generate_series(1, 29999) n;
SELECT b.* FROM balance('partitioned', 30) b;

-- Without a B-tree on the key, and without a key: even hash bounds.
CREATE TABLE no_index (id int, v int);
INSERT INTO no_index SELECT n, n FROM generate_series(1, 1000) n;
SELECT * FROM parity.split_keys('no_index', 4);
SELECT * FROM parity.split_keys('no_index', 3, '{id}');
SELECT b.* FROM balance('no_index', 16, '{id}') b;
CREATE INDEX ON no_index USING hash (id);
CREATE INDEX ON no_index (v, id);
CREATE INDEX ON no_index (id) WHERE id > 5;
CREATE INDEX ON no_index ((id + 1));
SELECT bound_text FROM parity.split_keys('no_index', 2, '{id}');
CREATE VIEW viewed AS SELECT * FROM no_index;
SELECT bound_text FROM parity.split_keys('viewed', 2, '{id}');
CREATE TABLE no_columns ();
SELECT bound_text FROM parity.split_keys('no_columns', 2);

-- range_digests takes the same bounds when it is given a number.
SELECT array_agg(s.bound ORDER BY bound_no) = (SELECT array_agg(lower_key ORDER BY range_no) FILTER (WHERE lower_key IS NOT NULL) FROM parity.range_digests('partitioned', 30)) AS same FROM parity.split_keys('partitioned', 30) s;

-- What is refused.
SELECT arguments, pg_temp.error_of(format('SELECT * FROM parity.split_keys(%s)', arguments)) AS error FROM unnest(ARRAY[
    $$'small', 0$$, $$'small', -5$$, $$'small', 1000001$$, $$'small', NULL$$, $$NULL$$, $$'small', 5, '{nope}'$$, $$'small', 5, '{id,id}'$$, $$'small', 5, '{id}', '{"id": "text"}'$$, $$'small', 5, '{id}', '{"nope": "text"}'$$]) AS arguments;
SET client_min_messages = warning;
DROP SCHEMA test_split_keys CASCADE;
