-- row_digests: ranges, keys, values, order, and that rows add up to their ranges.
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

CREATE SCHEMA test_row_digests;
SET search_path = test_row_digests;
CREATE TABLE t (id int, k text, v numeric, w timestamptz, PRIMARY KEY (id, k));
INSERT INTO t SELECT n / 3, 'k' || n % 3, n / 2.0, timestamptz '2024-01-01 00:00+00' + n * interval '1 hour' FROM generate_series(1, 12) n;
UPDATE t SET v = NULL WHERE id = 1;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';

SELECT * FROM parity.row_digests('t', upper_bound => '\x6b010200000000000000');
SELECT key_text, row_hash, cell_hashes, column_values FROM parity.row_digests('t', lower_bound => '\x6b010300000000000000', with_values => true, columns => '{w,v}');
SELECT key_text, row_hash, cell_hashes FROM parity.row_digests('t', lower_bound => '\x6b010400000000000000', width => 128);
SELECT key_text, row_hash, length(cell_hashes) FROM parity.row_digests('t', lower_bound => '\x6b010400000000000000', seed => 5, columns => '{}');

-- Ranges are numbered as range_digests numbers them; the order is range, key bytes, row hash.
SELECT range_no, key_text FROM parity.row_digests('t', bounds => ARRAY['\x6b010100000000000000'::bytea, '\x6b010200000000000000', '\x6b010400000000000000'], only_ranges => '{3,1}');
SELECT range_no, key_text FROM parity.row_digests('t', bounds => ARRAY['\x6b010100000000000000'::bytea, '\x6b010200000000000000'], only_ranges => '{}');
SELECT range_no, lower_bound, key_text FROM parity.range_digests('t', bounds => ARRAY['\x684000000000000000'::bytea, '\x68c000000000000000'])
    JOIN parity.row_digests('t', bounds => ARRAY['\x684000000000000000'::bytea, '\x68c000000000000000']) USING (range_no) ORDER BY 1, key;

-- By key: those that are there.
SELECT key_text, row_hash FROM parity.row_digests('t', keys => ARRAY(SELECT key FROM parity.row_digests('t') WHERE key_text IN ('(2, k1)', '(4, k0)')) || '\x00'::bytea || ''::bytea);
SELECT count(*) FROM parity.row_digests('t', keys => '{}');
SELECT key_text FROM parity.row_digests('t', keys => ARRAY(SELECT key FROM parity.row_digests('t')), upper_bound => '\x6b010100000000000000');

-- Row and cell hashes sum up to the digests of their ranges, at both widths, keyless too.
CREATE TABLE big (id int PRIMARY KEY, a text, b numeric, c text);
INSERT INTO big SELECT n, 'a' || n % 17, n % 5, NULL FROM generate_series(1, 2000) n;
CREATE FUNCTION sum_of(hashes numeric[], width int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE total numeric := 0; h numeric; hex text := '';
BEGIN
    FOREACH h IN ARRAY hashes LOOP total := total + h; END LOOP;
    FOR i IN 1 .. width / 4 LOOP
        hex := to_hex(mod(total, 16)::int) || hex;
        total := div(total, 16);
    END LOOP;
    RETURN hex;
END $$;
CREATE FUNCTION number_of(hash bytea) RETURNS numeric LANGUAGE sql AS $$ SELECT sum(get_byte(hash, i) * 256::numeric ^ (length(hash) - 1 - i)) FROM generate_series(0, length(hash) - 1) i $$;
SELECT width, key, count(*) AS ranges, bool_and(same) AS same FROM (
    SELECT width, k.key, g.range_no,
        count(w.key) = g.row_count
        AND split_part(g.row_digest, ':', 7) = sum_of(array_agg(number_of(w.row_hash)), width)
        AND split_part(g.column_digests[1], ':', 7) = sum_of(array_agg(number_of(substr(w.cell_hashes, 1, width / 8))), width)
        AND split_part(g.column_digests[cardinality(g.column_digests)], ':', 7) = sum_of(array_agg(number_of(substr(w.cell_hashes, 1 + (cardinality(g.column_digests) - 1) * width / 8))), width) AS same
    FROM (VALUES (64), (128)) AS x (width), (VALUES ('{id}'::text[]), ('{}'), ('{a}'), ('{c,b}')) AS k (key), LATERAL (SELECT array_agg(bound ORDER BY bound_no) AS bounds FROM parity.split_keys('big', 5, k.key)) s,
        LATERAL (SELECT range_no, row_count, row_digest::text, column_digests::text[] FROM parity.range_digests('big', bounds => s.bounds, key_columns => k.key, width => x.width, seed => 99)) g
        JOIN LATERAL parity.row_digests('big', bounds => s.bounds, key_columns => k.key, width => x.width, seed => 99) w USING (range_no)
    GROUP BY width, k.key, g.range_no, g.row_count, g.row_digest, g.column_digests) AS checked
GROUP BY width, key ORDER BY width, key;

-- However the rows are read, through the index or by a scan, they are the same.
CREATE FUNCTION rows_of(ranges int[]) RETURNS text LANGUAGE sql AS $$
    SELECT count(*) || ' ' || md5(string_agg(range_no || encode(key, 'hex') || encode(row_hash, 'hex'), ',' ORDER BY range_no, key))
    FROM parity.row_digests('big', bounds => ARRAY(SELECT bound FROM parity.split_keys('big', 100) ORDER BY bound_no), only_ranges => ranges)
$$;
SELECT ranges, rows_of(ranges) = (SELECT count(*) || ' ' || md5(string_agg(range_no || encode(key, 'hex') || encode(row_hash, 'hex'), ',' ORDER BY range_no, key))
                                  FROM parity.row_digests('big', bounds => ARRAY(SELECT bound FROM parity.split_keys('big', 100) ORDER BY bound_no)) WHERE range_no = ANY (ranges)) AS same
FROM (SELECT ARRAY[1] AS ranges UNION ALL SELECT '{2,3,4}' UNION ALL SELECT '{1,5,6}' UNION ALL SELECT array_agg(g) FROM generate_series(2, 50) g UNION ALL SELECT array_agg(g) FROM generate_series(1, 50, 2) g) x;

-- Duplicates and NULLs under a key that is not unique; keyless rows.
CREATE TABLE duplicates (a int, b text);
INSERT INTO duplicates VALUES (1, 'x'), (1, 'x'), (1, 'y'), (NULL, 'z'), (NULL, NULL);
SELECT * FROM parity.row_digests('duplicates', key_columns => '{a}');
SELECT * FROM parity.row_digests('duplicates');
SELECT key_text FROM parity.row_digests('duplicates', key_columns => '{a}', keys => '{"\\x00"}');
CREATE TABLE empty (id int PRIMARY KEY);
SELECT * FROM parity.row_digests('empty');

-- Values print as the session prints them.
SET DateStyle = 'German';
SELECT column_values FROM parity.row_digests('t', lower_bound => '\x6b010400000000000000', with_values => true);
SELECT column_values FROM parity.row_digests('duplicates', columns => '{b}', key_columns => '{a}', with_values => true);
RESET DateStyle;

-- With a filter.
SELECT key_text FROM parity.row_digests('t', filter => 'v > 5 AND k <> ''k1''');

-- What is refused.
SELECT arguments, pg_temp.error_of(format('SELECT * FROM parity.row_digests(%s)', arguments)) AS error FROM unnest(ARRAY[
    $$NULL$$, $$'t', seed => NULL$$, $$'t', width => NULL$$, $$'t', with_values => NULL$$, $$'t', width => 32$$, $$'t', lower_bound => '\x00'$$, $$'t', upper_bound => ''$$,
    $$'t', lower_bound => '\x6b010400000000000000', upper_bound => '\x6b010400000000000000'$$, $$'t', lower_bound => '\x6b010400000000000000', upper_bound => '\x6b010300000000000000'$$,
    $$'t', lower_bound => '\x6b010400000000000000', bounds => '{}'$$, $$'t', upper_bound => '\x6b010400000000000000', only_ranges => '{1}'$$, $$'t', only_ranges => '{2}'$$, $$'t', keys => '{NULL}'$$,
    $$'t', key_columns => '{nope}'$$, $$'t', columns => '{k}'$$, $$'t', forms => '{"v": "float"}'$$, $$0::regclass$$]) AS arguments;
-- A key from another server need not be one that this server's numeric can hold (infinity before PostgreSQL 14).
CREATE TABLE numbers (id numeric PRIMARY KEY);
INSERT INTO numbers VALUES (1), (2.50);
SELECT range_no, key, key_text FROM parity.row_digests('numbers', keys => ARRAY['\x010100000004', '\x010100000000', '\x010700000003000000000100']::bytea[]);
SELECT count(*) FROM parity.row_digests('numbers', bounds => ARRAY['\x6b010100000000', '\x6b010100000004']::bytea[], only_ranges => '{2}');

SET client_min_messages = warning;
DROP SCHEMA test_row_digests CASCADE;
