-- The type digest: input, output, operators, sum.
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

\pset format unaligned
\pset tuples_only on

-- Output is the canonical text of the input.
SELECT '1:64:int:1:5f3a0c1d:1000:0123456789abcdef'::parity.digest;
SELECT '1:64:int:1:5F3A0C1D:0001000:0123456789ABCDEF'::parity.digest;
SELECT '1:128:text[]:1:00000000:18446744073709551615:ffffffffffffffffffffffffffffffff'::parity.digest;
SELECT parity_internal.digest_send('1:128:text:1:a1a2a3a4:3:00000000000000050000000000000007');
SELECT pg_column_size('1:64:key:1:00000000:0:0000000000000000'::parity.digest), parity.digest_count('1:64:row:1:00000000:17:0000000000000000');

-- What is no digest of this format is refused.
SELECT text, pg_temp.error_of(format('SELECT %L::parity.digest', text)) = format('22P02 invalid input syntax for type parity.digest: "%s"', text) AS refused
FROM unnest(ARRAY['', 'x', '1:64:int:1:5f3a0c1d:1000', '1:64:int:1:5f3a0c1d:1000:0123', '1:64:int:1:5f3a0c1d:1000:0123456789abcdef:', ' 1:64:int:1:5f3a0c1d:1000:0123456789abcdef',
                  '2:64:int:1:5f3a0c1d:1000:0123456789abcdef', '1:65:int:1:5f3a0c1d:1000:0123456789abcdef', '1:64:integer:1:5f3a0c1d:1000:0123456789abcdef', '1:64:int:0:5f3a0c1d:1000:0123456789abcdef',
                  '1:64:int:1:5f3a0c1d:-1:0123456789abcdef', '1:64:int:1:5f3a0c1d:18446744073709551616:0123456789abcdef', '1:128:int:1:5f3a0c1d:1000:0123456789abcdef']) AS text;

-- Adding and subtracting.
\set a '''1:64:int:1:5f3a0c1d:3:fffffffffffffff0''::parity.digest'
\set b '''1:64:int:1:5f3a0c1d:2:0000000000000020''::parity.digest'
\set wide_a '''1:128:int:1:5f3a0c1d:3:0000000000000001fffffffffffffff0''::parity.digest'
\set wide_b '''1:128:int:1:5f3a0c1d:2:00000000000000010000000000000020''::parity.digest'
SELECT :a OPERATOR(parity.+) :b;
SELECT :a OPERATOR(parity.+) :b OPERATOR(parity.-) :b OPERATOR(parity.=) :a;
SELECT :wide_a OPERATOR(parity.+) :wide_b;
SELECT :wide_a OPERATOR(parity.-) :wide_b;
SET search_path = parity, public;
SELECT :a + :b = :b + :a, :a <> :b, :a = :a, :a <> :a, :a = NULL, :a + NULL;
SELECT sum(d) FROM (VALUES (:a), (:b), (NULL), (:b)) AS v (d);
SELECT sum(d) IS NULL FROM (VALUES (:a)) AS v (d) WHERE false;
SELECT g % 2, sum(format('1:64:text:1:00000001:1:%s', lpad(to_hex(g), 16, '0'))::digest) FROM generate_series(1, 10) g GROUP BY 1 ORDER BY 1;
RESET search_path;

-- Counts stay in their range: 22003.
SELECT pg_temp.error_of($$ SELECT '1:64:int:1:5f3a0c1d:1:0000000000000001'::parity.digest OPERATOR(parity.-) '1:64:int:1:5f3a0c1d:2:0000000000000001'::parity.digest $$);
SELECT pg_temp.error_of($$ SELECT '1:64:int:1:5f3a0c1d:18446744073709551615:0000000000000001'::parity.digest OPERATOR(parity.+) '1:64:int:1:5f3a0c1d:1:0000000000000001'::parity.digest $$);
SELECT pg_temp.error_of($$ SELECT parity.digest_count('1:64:int:1:5f3a0c1d:9223372036854775808:0000000000000001') $$);

-- Digests that must not be mixed: 22023 from every operator, never "unequal".
SELECT operator, other, pg_temp.error_of(format('SELECT %L::parity.digest OPERATOR(parity.%s) %L::parity.digest', '1:64:int:1:5f3a0c1d:5:0000000000000001', operator, other))
FROM unnest(ARRAY['+', '-', '=', '<>']) AS operator,
     unnest(ARRAY['1:128:int:1:5f3a0c1d:5:00000000000000000000000000000001', '1:64:decimal:1:5f3a0c1d:5:0000000000000001', '1:64:int:2:5f3a0c1d:5:0000000000000001', '1:64:int:1:5f3a0c1e:5:0000000000000001']) AS other
ORDER BY operator COLLATE "C", other COLLATE "C";
SELECT pg_temp.error_of($$ SELECT parity.sum(d) FROM (VALUES ('1:64:int:1:5f3a0c1d:5:0000000000000001'::parity.digest), ('1:64:int:1:5f3a0c1e:5:0000000000000001')) AS v (d) $$);

-- Stored and read back.
CREATE TEMPORARY TABLE stored (d parity.digest);
INSERT INTO stored VALUES ('1:64:int:1:5f3a0c1d:3:fffffffffffffff0'), ('1:128:text[]:1:00000000:18446744073709551615:ffffffffffffffffffffffffffffffff'), (NULL);
SELECT d FROM stored;
SELECT parity.format_version();
