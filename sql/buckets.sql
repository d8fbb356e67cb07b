-- The buckets of ranges: the same by every path, and of the rows that are in them.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_parity;
RESET client_min_messages;
CREATE SCHEMA test_buckets;
SET search_path = test_buckets;
CREATE FUNCTION error_of(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE command;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    RETURN sqlstate || ' ' || sqlerrm;
END
$$;

CREATE TABLE one (id bigint PRIMARY KEY, v text, n numeric);
INSERT INTO one SELECT i, repeat(md5(i::text), i % 3), i / 7.0 FROM generate_series(1, 20000) i;
CREATE TABLE pair (a int NOT NULL, b text COLLATE "C" NOT NULL, v int, PRIMARY KEY (a, b));
INSERT INTO pair SELECT i / 5000, md5(i::text), i FROM generate_series(1, 20000) i;
CREATE TABLE keyless (v int, w text);
INSERT INTO keyless SELECT i % 1000, md5((i % 1000)::text) FROM generate_series(1, 5000) i;
CREATE TABLE parts (k int PRIMARY KEY, v text) PARTITION BY RANGE (k);
CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (MINVALUE) TO (3000);
CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (3000) TO (MAXVALUE);
INSERT INTO parts SELECT i, md5(i::text) FROM generate_series(1, 9000) i;
CREATE TABLE empty (id int PRIMARY KEY);
ANALYZE;

CREATE FUNCTION bounds_of(relation regclass, ranges int) RETURNS bytea[] LANGUAGE sql AS $$
    SELECT coalesce(array_agg(b.bound ORDER BY b.bound_no), '{}') FROM parity.split_keys($1, $2) b
$$;
-- What a pass says of its buckets.
CREATE FUNCTION buckets_of(relation regclass, width int, buckets int, workers int, filter text, only_ranges int[] DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM parity.range_digests($1, bounds => bounds_of($1, 20), width => $2, buckets => $3, workers => $4, filter => $5, only_ranges => $6);
    RETURN (SELECT count(*) || ' ' || sum(length(sums)) || ' ' || md5(string_agg(concat_ws(' ', l.range_no, l.buckets, l.sums), ';' ORDER BY l.range_no)) FROM parity.last_buckets($6) l);
END
$$;
-- The same from the hashes of all rows, each under the number of its bucket.
CREATE FUNCTION added_up(relation regclass, width int, buckets int) RETURNS text LANGUAGE sql AS $$
    WITH row_hash AS (
        SELECT range_no, ('x' || lpad(encode(substr(row_hash, h * 8 + 1, 8), 'hex'), 16, '0'))::bit(64)::bigint::numeric + CASE WHEN get_byte(row_hash, h * 8) > 127 THEN 2::numeric ^ 64 ELSE 0 END AS part,
            h * 8 + 8 = length(row_hash) AS low
        FROM parity.row_digests($1, bounds => bounds_of($1, 20), width => $2, buckets => $3), generate_series(0, $2 / 64 - 1) h
    ), total AS (
        SELECT n, mod(coalesce(sum(part * CASE WHEN low THEN 1 ELSE 2::numeric ^ 64 END), 0), 2::numeric ^ $2) AS sum
        FROM generate_series(1, (cardinality(bounds_of($1, 20)) + 1) * $3) n LEFT JOIN row_hash ON range_no = n GROUP BY n
    ), bytes AS (
        SELECT n, string_agg(lpad(to_hex(mod(div(sum, 256::numeric ^ b), 256)::int), 2, '0'), '' ORDER BY b DESC) AS hex
        FROM total, generate_series(0, $2 / 8 - 1) b GROUP BY n
    ), range AS (
        SELECT (n - 1) / $3 + 1 AS range_no, decode(string_agg(hex, '' ORDER BY n), 'hex') AS sums FROM bytes GROUP BY 1
    )
    SELECT count(*) || ' ' || sum(length(sums)) || ' ' || md5(string_agg(concat_ws(' ', range_no, $3, sums), ';' ORDER BY range_no)) FROM range
$$;
SELECT t, w AS width, b AS buckets, scan, together = scan AS together, aggregate = scan AS aggregate, added = scan AS added
FROM unnest('{one,pair,keyless,parts,empty}'::text[]) t, unnest('{64,128}'::int[]) w, unnest('{4,64}'::int[]) b,
    buckets_of(t, w, b, 0, NULL) scan, buckets_of(t, w, b, 2, NULL) together, buckets_of(t, w, b, NULL, 'true') aggregate, added_up(t, w, b) added;
-- of one range, through its index
BEGIN;
SELECT buckets_of('one', 64, 8, NULL, NULL, '{7}') AS buckets;
SELECT path FROM parity.last_digest();
SELECT buckets_of('one', 64, 8, 0, 'true', '{7}') AS buckets;
SELECT count(*), sum(length(sums)) FROM parity.last_buckets('{7,7}');
COMMIT;

-- Rows chosen by bucket are those that have such numbers among all; the last record tells what was read for them.
CREATE FUNCTION chosen(relation regclass, width int, workers int, filter text) RETURNS text LANGUAGE sql AS $$
    SELECT count(*) || ' ' || md5(string_agg(concat_ws(' ', range_no, key, row_hash, cell_hashes), ';' ORDER BY range_no, key, row_hash))
    FROM parity.row_digests($1, bounds => bounds_of($1, 20), width => $2, buckets => 16, workers => $3, filter => $4, only_ranges => '{3,4,20,35,100,200,310}')
$$;
CREATE FUNCTION picked(relation regclass, width int) RETURNS text LANGUAGE sql AS $$
    SELECT count(*) || ' ' || md5(string_agg(concat_ws(' ', range_no, key, row_hash, cell_hashes), ';' ORDER BY range_no, key, row_hash))
    FROM parity.row_digests($1, bounds => bounds_of($1, 20), width => $2, buckets => 16) WHERE range_no = ANY ('{3,4,20,35,100,200,310}')
$$;
SELECT t, w AS width, picked(t, w) AS picked, chosen(t, w, 0, NULL) = picked(t, w) AS alone, chosen(t, w, 2, NULL) = picked(t, w) AS together,
    chosen(t, w, NULL, 'true') = picked(t, w) AS filtered
FROM unnest('{one,pair,keyless,parts}'::text[]) t, unnest('{64,128}'::int[]) w;
CREATE FUNCTION seen(relation regclass, width int, workers int, filter text) RETURNS text LANGUAGE sql AS $$
    SELECT encode(substr(records, 1, 8 + $2 / 8), 'hex') || ' ' || ('x' || encode(substr(records, 9 + $2 / 8, 8), 'hex'))::bit(64)::bigint
    FROM parity.row_records($1, bounds => bounds_of($1, 20), width => $2, buckets => 16, workers => $3, filter => $4, only_ranges => '{3,4,20,35,100,200,310}')
    WHERE row_count = 0
$$;
CREATE FUNCTION keys_of(relation regclass, width int) RETURNS text LANGUAGE sql AS $$
    SELECT lpad(to_hex(sum(row_count)::bigint), 16, '0') || split_part(parity.sum(key_digest)::text, ':', 7) || ' ' || split_part(picked($1, $2), ' ', 1)
    FROM parity.range_digests($1, bounds => bounds_of($1, 20), width => $2, only_ranges => '{1,2,3,7,13,20}')
$$;
SELECT t, w AS width, keys_of(t, w) AS keys, seen(t, w, 0, NULL) = keys_of(t, w) AS alone, seen(t, w, 2, NULL) = keys_of(t, w) AS together,
    seen(t, w, NULL, 'true') = keys_of(t, w) AS filtered
FROM unnest('{one,pair,keyless,parts}'::text[]) t, unnest('{64,128}'::int[]) w;
-- All buckets of a range: what is given is what was read.
SELECT (SELECT encode(records, 'hex') FROM parity.row_records('one', bounds => bounds_of('one', 20), buckets => 16, only_ranges => (SELECT array_agg(n) FROM generate_series(97, 112) n)) WHERE row_count = 0) =
    (SELECT repeat(lpad(to_hex(row_count), 16, '0') || split_part(key_digest::text, ':', 7), 2) FROM parity.range_digests('one', bounds => bounds_of('one', 20), only_ranges => '{7}')) AS one_range;
SELECT count(*) FROM parity.row_records('one', bounds => bounds_of('one', 20), buckets => 16, only_ranges => '{100,101}');
SELECT path FROM parity.last_digest();
SELECT count(*), sum(row_count) FROM parity.row_records('one', buckets => 16);

-- Buckets are those of the transaction's last digests, for whom these were made.
SELECT count(*) FROM parity.last_buckets();
BEGIN;
SELECT count(*) FROM parity.range_totals('one', ranges => 5, buckets => 2);
SELECT range_no, buckets, length(sums) FROM parity.last_buckets() ORDER BY 1;
SELECT range_no FROM parity.last_buckets('{4,2}');
SELECT error_of($$SELECT parity.last_buckets('{6}')$$), error_of($$SELECT parity.last_buckets('{0}')$$), error_of($$SELECT parity.last_buckets('{NULL}')$$);
CREATE ROLE test_buckets_other;
SET LOCAL ROLE test_buckets_other;
SELECT count(*) AS of_others FROM parity.last_buckets();
RESET ROLE;
SELECT error_of($$SELECT count(*) FROM parity.range_digests('one', buckets => 2, filter => '1 / (id - 7) > 0')$$);
SELECT count(*) AS after_an_error FROM parity.last_buckets();
SELECT count(*) FROM parity.range_digests('one', ranges => 5);
SELECT count(*) AS of_none FROM parity.last_buckets();
SET LOCAL parity.max_digest_memory = 64;
SELECT count(*) FROM parity.range_digests('one', ranges => 500, buckets => 64, workers => 0);
SELECT count(*) AS without_memory FROM parity.last_buckets();
RESET parity.max_digest_memory;
-- of ranges that were not digested
SELECT count(*) FROM parity.range_digests('one', ranges => 4, buckets => 2, only_ranges => '{2,4}');
SELECT range_no FROM parity.last_buckets();
SELECT error_of($$SELECT parity.last_buckets('{2,3}')$$);
-- Digests that fail have none, and leave none of those before.
SAVEPOINT before;
SELECT parity.range_digests('one', ranges => 1000, filter => '1 / (id - 7) > 0');
ROLLBACK TO before;
SELECT count(*) AS after_a_savepoint FROM parity.last_buckets();
ROLLBACK;

-- What is digested may digest itself: a filter and a view whose functions ask for other buckets meanwhile.
CREATE FUNCTION asks(id bigint, buckets int) RETURNS boolean STABLE LANGUAGE plpgsql AS $$
BEGIN
    IF id % 5000 = 0 THEN
        PERFORM FROM parity.range_totals('one', ranges => 500, buckets => $2);
    END IF;
    RETURN true;
END
$$;
CREATE FUNCTION volatile_asks(id bigint, buckets int) RETURNS boolean LANGUAGE sql AS $$ SELECT asks($1, $2) $$;
CREATE VIEW asking AS SELECT * FROM one WHERE volatile_asks(id, 64);
BEGIN;
SELECT md5(string_agg(d::text, ';' ORDER BY range_no)) AS alone FROM parity.range_digests('one', bounds => bounds_of('one', 1000), buckets => 64, path => 'aggregate') d;
SELECT count(*), md5(string_agg(l::text, ';' ORDER BY range_no)) AS alone FROM parity.last_buckets() l;
SELECT b AS asks_for, (SELECT md5(string_agg(d::text, ';' ORDER BY range_no)) FROM parity.range_digests('one', bounds => bounds_of('one', 1000), buckets => 64, filter => format('test_buckets.asks(id, %s)', b)) d) AS filtered FROM unnest('{1,64}'::int[]) b;
SELECT count(*), md5(string_agg(l::text, ';' ORDER BY range_no)) AS filtered FROM parity.last_buckets() l;
SELECT md5(string_agg(d::text, ';' ORDER BY range_no)) AS seen_through_a_view FROM parity.range_digests('asking', bounds => bounds_of('one', 1000), buckets => 64, key_columns => '{id}') d;
SELECT count(*), md5(string_agg(l::text, ';' ORDER BY range_no)) AS seen_through_a_view FROM parity.last_buckets() l;
COMMIT;

SELECT error_of(format('SELECT count(*) FROM parity.range_digests(''one'', buckets => %s)', coalesce(b, 'NULL'))) FROM unnest('{0,-1,3,128,NULL}'::text[]) b;
SELECT error_of(format('SELECT count(*) FROM parity.row_records(''one'', buckets => %s)', coalesce(b, 'NULL'))) FROM unnest('{0,3,128,NULL}'::text[]) b;
SELECT error_of($$SELECT count(*) FROM parity.row_digests('one', buckets => 4, only_ranges => '{5}')$$);
SELECT error_of($$SELECT count(*) FROM parity.row_records('one', buckets => 4, keys => '{}')$$);
SET client_min_messages = warning;
DROP SCHEMA test_buckets CASCADE;
