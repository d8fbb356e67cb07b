-- Few of many ranges: through the index, through the scan and through the aggregate they are the same.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_parity;
RESET client_min_messages;
CREATE SCHEMA test_few_ranges;
SET search_path = test_few_ranges;

CREATE TABLE one (id bigint PRIMARY KEY, v text, n numeric);
INSERT INTO one SELECT i, repeat(md5(i::text), i % 3), i / 7.0 FROM generate_series(1, 20000) i;
-- The first column does not tell neighbouring ranges apart: the condition of a stretch lets rows of others in; of a pair, those of most ranges.
CREATE TABLE pair (a int NOT NULL, b text COLLATE "C" NOT NULL, v int, PRIMARY KEY (a, b));
INSERT INTO pair SELECT i / 5000, md5(i::text), i FROM generate_series(1, 20000) i;
CREATE TABLE narrow (LIKE pair INCLUDING ALL);
INSERT INTO narrow SELECT i / 150, md5(i::text), i FROM generate_series(1, 20000) i;
CREATE TABLE parts (v int, k date NOT NULL, PRIMARY KEY (k)) PARTITION BY RANGE (k);
CREATE TABLE parts_old PARTITION OF parts FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
CREATE TABLE parts_new (k date NOT NULL, dropped int, v int);
ALTER TABLE parts_new DROP COLUMN dropped;
ALTER TABLE parts ATTACH PARTITION parts_new FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);
INSERT INTO parts SELECT i, date '2000-01-01' + i FROM generate_series(1, 15000) i;
-- more indexes to search than pages to read
CREATE TABLE shards (id int PRIMARY KEY, v text) PARTITION BY HASH (id);
DO $$ BEGIN FOR i IN 0..63 LOOP EXECUTE format('CREATE TABLE shard_%s PARTITION OF shards FOR VALUES WITH (MODULUS 64, REMAINDER %s)', i, i); END LOOP; END $$;
INSERT INTO shards SELECT i, md5(i::text) FROM generate_series(1, 5000) i;
-- no index has the order of this key's form
CREATE TABLE worded (w text PRIMARY KEY, v int);
INSERT INTO worded SELECT md5(i::text), i FROM generate_series(1, 5000) i;
CREATE TABLE keyless (v int, w text);
INSERT INTO keyless SELECT i % 100, md5((i % 100)::text) FROM generate_series(1, 5000) i;
ANALYZE one, pair, narrow, parts, shards, worded, keyless;

-- Every seventeenth range of 200, by each path.
CREATE FUNCTION digests(relation regclass, path text) RETURNS TABLE (path_taken text, digests text) LANGUAGE sql AS $$
    WITH bound AS (SELECT coalesce(array_agg(b.bound ORDER BY b.bound_no), '{}') AS list FROM parity.split_keys($1, 200) b)
    SELECT d.path_taken, string_agg(concat_ws(' ', d.range_no, d.row_count, d.key_digest, d.row_digest, d.column_digests), ';' ORDER BY d.range_no)
    FROM bound, parity.range_digests($1, bounds => bound.list, path => $2,
        only_ranges => (SELECT array_agg(n) FROM generate_series(1, cardinality(bound.list) + 1, 34) n)) d
    GROUP BY d.path_taken
$$;
SELECT t, i.path_taken, i.digests = s.digests AS same_as_scan, i.digests = a.digests AS same_as_aggregate
FROM unnest('{one,pair,narrow,parts,shards,worded,keyless}'::text[]) t, digests(t, 'auto') i, digests(t, 'scan') s, digests(t, 'aggregate') a;
-- Stretches next to each other let in the same rows.
SELECT b.path_taken, string_agg(a::text, ';' ORDER BY a.range_no) = string_agg((b.range_no, b.lower_bound, b.upper_bound, b.row_count, b.key_digest, b.row_digest, b.column_digests, b.lower_key, b.upper_key, a.path_taken)::text, ';' ORDER BY b.range_no) AS same
FROM (SELECT array_agg(bound ORDER BY bound_no) AS list FROM parity.split_keys('narrow', 200)) bound,
    parity.range_digests('narrow', bounds => bound.list, only_ranges => '{10,12,14}', path => 'scan') a JOIN LATERAL parity.range_digests('narrow', bounds => bound.list, only_ranges => '{10,12,14}') b USING (range_no)
GROUP BY 1;

-- Rows of few ranges, where no index has them: by one process, by several, and chosen from all rows, they are the same.
CREATE FUNCTION rows_of(relation regclass, workers int, filter text, width int) RETURNS text LANGUAGE sql AS $$
    WITH bound AS (SELECT array_agg(b.bound ORDER BY b.bound_no) AS list FROM parity.split_keys($1, 200) b)
    SELECT count(*) || ' ' || md5(string_agg(concat_ws(' ', r.range_no, r.key, r.key_text, r.row_hash, r.cell_hashes), ';' ORDER BY r.range_no, r.key, r.row_hash))
    FROM bound, parity.row_digests($1, bounds => bound.list, width => $4, workers => $2, filter => $3,
        only_ranges => (SELECT array_agg(n) FROM generate_series(1, cardinality(bound.list) + 1, 34) n)) r
$$;
CREATE FUNCTION effort() RETURNS text LANGUAGE sql AS $$ SELECT concat_ws(' ', path, workers_requested, workers_launched <= workers_requested, pages > 0) FROM parity.last_digest() $$;
SELECT t, w AS width, rows_of(t, 0, NULL, w) AS serial, effort() FROM unnest('{worded,keyless,pair}'::text[]) t, unnest('{64,128}'::int[]) w;
SELECT t, w AS width, rows_of(t, 2, NULL, w) AS parallel, effort() FROM unnest('{worded,keyless,pair}'::text[]) t, unnest('{64,128}'::int[]) w;
SELECT t, w AS width, rows_of(t, NULL, 'true', w) AS filtered, effort() FROM unnest('{worded,keyless,pair}'::text[]) t, unnest('{64,128}'::int[]) w;
SELECT row_count, length(records), effort() FROM parity.row_records('worded', bounds => ARRAY['\x684000000000000000'::bytea, '\x684100000000000000', '\x688000000000000000', '\x68c000000000000000'], only_ranges => '{2}', workers => 2);
SELECT count(*), effort() FROM parity.row_digests('worded', workers => 2);
SELECT count(*), effort() FROM parity.row_digests('one', bounds => ARRAY(SELECT bound FROM parity.split_keys('one', 200) ORDER BY bound_no), only_ranges => '{17}');
SELECT count(*) FROM parity.row_digests('worded', workers => -1);

-- How the last one was computed.
SELECT count(*) FROM digests('one', 'auto');
SELECT path, workers_requested, workers_launched, pages, rows BETWEEN 500 AND 800 AS few_rows, milliseconds > 0 AS took FROM parity.last_digest();
SELECT row_count FROM parity.range_digests('one', ranges => 1, workers => 0);
SELECT path, workers_requested, workers_launched, pages = pg_relation_size('one') / current_setting('block_size')::int AS all_pages, rows, milliseconds > 0 AS took
FROM parity.last_digest();
SELECT row_count FROM parity.range_digests('one', ranges => 1, filter => 'id > 5');
SELECT path, workers_requested, workers_launched, pages, rows FROM parity.last_digest();
-- Workers cannot read the leader's temporary tables, so that none are asked for.
CREATE TEMP TABLE own AS SELECT * FROM one;
SET min_parallel_table_scan_size = 0;
SELECT row_count FROM parity.range_digests('own', ranges => 1, key_columns => '{id}');
SELECT path, workers_requested, workers_launched, rows FROM parity.last_digest();
-- A partition's number of workers is its own.
ALTER TABLE parts_old SET (parallel_workers = 0);
SELECT row_count FROM parity.range_digests('parts', ranges => 1);
SELECT path, workers_requested, rows FROM parity.last_digest();
ALTER TABLE parts_new SET (parallel_workers = 0);
SELECT row_count FROM parity.range_digests('parts', ranges => 1);
SELECT path, workers_requested, rows FROM parity.last_digest();
ALTER TABLE parts_old RESET (parallel_workers);
ALTER TABLE parts_new RESET (parallel_workers);
RESET min_parallel_table_scan_size;

-- Totals alone are the same totals. More ranges than one row of them has.
SELECT t, p, count(*) AS ranges,
    bool_and((d.row_count, d.key_digest::text, d.row_digest::text, d.path_taken) = (s.row_count, s.key_digest::text, s.row_digest::text, s.path_taken)) AS same
FROM unnest('{one,pair,keyless}'::text[]) t, unnest('{scan,aggregate}'::text[]) p, unnest('{64,128}'::int[]) w, LATERAL (
    SELECT d.* FROM parity.range_digests(t, ranges => 600, path => p, width => w, only_ranges => array(SELECT generate_series(1, 599))) d) d
    FULL JOIN LATERAL (
    SELECT r.*, path_taken FROM parity.range_totals(t, ranges => 600, path => p, width => w, only_ranges => array(SELECT generate_series(1, 599))),
        unnest(range_numbers, row_counts, key_digests, row_digests) AS r (range_no, row_count, key_digest, row_digest)) s USING (range_no)
GROUP BY t, p ORDER BY t, p;

-- Rows of few ranges: the same with and without the index.
CREATE FUNCTION rows_of(relation regclass) RETURNS TABLE (rows bigint, hash text) LANGUAGE sql AS $$
    WITH bound AS (SELECT coalesce(array_agg(b.bound ORDER BY b.bound_no), '{}') AS list FROM parity.split_keys($1, 200) b)
    SELECT count(*), md5(string_agg(r::text, ';'))
    FROM bound, parity.row_digests($1, bounds => bound.list,
        only_ranges => (SELECT array_agg(n) FROM generate_series(1, cardinality(bound.list) + 1, 34) n)) r
$$;
-- The same rows as records, taken apart again.
CREATE FUNCTION records_of(relation regclass, width int, columns int, only_ranges int[]) RETURNS
    TABLE (range_no int, key bytea, row_hash bytea, cell_hashes bytea) LANGUAGE plpgsql AS $$
DECLARE
    given record;
    rest bytea;
    size int;
    hash int := $2 / 8;
BEGIN
    FOR given IN SELECT r.* FROM parity.row_records($1, bounds => array(SELECT b.bound FROM parity.split_keys($1, 20) b ORDER BY b.bound_no), only_ranges => $4, width => $2) r LOOP
        rest := given.records;
        FOR i IN 1 .. given.row_count LOOP
            size := ('x' || encode(substr(rest, 1, 4), 'hex'))::bit(32)::int;
            range_no := ('x' || encode(substr(rest, 5, 4), 'hex'))::bit(32)::int;
            key := substr(rest, 9, size - 4 - hash * (1 + columns));
            row_hash := substr(rest, 5 + size - hash * (1 + columns), hash);
            cell_hashes := substr(rest, 5 + size - hash * columns, hash * columns);
            RETURN NEXT;
            rest := substr(rest, 5 + size);
        END LOOP;
        ASSERT rest = '';
    END LOOP;
END $$;
SELECT t, w, count(*) > 500 AS many, count(*) FILTER (WHERE r = s) = count(*) AS same
FROM (VALUES ('one', 2), ('pair', 1), ('keyless', 2)) c (t, columns), unnest('{64,128}'::int[]) w, unnest('{1,2,9}'::int[]) n,
    LATERAL (SELECT row_number() OVER () AS no, range_no, key, row_hash, cell_hashes
        FROM parity.row_digests(t, bounds => array(SELECT b.bound FROM parity.split_keys(t, 20) b ORDER BY b.bound_no), only_ranges => array[n], width => w)) r
    FULL JOIN LATERAL (SELECT row_number() OVER () AS no, y.* FROM records_of(t, w, columns, array[n]) y) s ON r.no = s.no
GROUP BY t, w ORDER BY t, w;
CREATE TABLE with_index AS SELECT t, r.* FROM unnest('{one,pair,narrow,parts,shards,worded,keyless}'::text[]) t, rows_of(t) r;
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SELECT t, path_taken FROM unnest('{one,pair,narrow,parts}'::text[]) t, digests(t, 'auto');
SELECT t, i.rows > 100 AS many, i = r AS same FROM with_index i JOIN LATERAL (SELECT i.t, x.* FROM rows_of(i.t) x) r USING (t) ORDER BY t;
RESET enable_indexscan;
RESET enable_bitmapscan;

-- One stretch of neighbouring ranges may be most of the table: whether the index is worth it is the planner's decision.
CREATE FUNCTION fetched_by_index(first int, last int) RETURNS TABLE (rows bigint, through_index bigint) LANGUAGE plpgsql AS $$
DECLARE before bigint; bounds bytea[];
BEGIN
    SELECT idx_tup_fetch INTO before FROM pg_stat_xact_user_tables WHERE relid = 'one'::regclass;
    SELECT array_agg(b.bound ORDER BY b.bound_no) INTO bounds FROM parity.split_keys('one', 200) b;
    SELECT count(*) INTO rows FROM parity.row_digests('one', bounds => bounds, only_ranges => (SELECT array_agg(n) FROM generate_series(first, least(last, cardinality(bounds) + 1)) n));
    SELECT idx_tup_fetch - coalesce(before, 0) INTO through_index FROM pg_stat_xact_user_tables WHERE relid = 'one'::regclass;
    RETURN NEXT;
END $$;
SELECT s.first, s.last, f.rows BETWEEN 500 AND 1200 AS few, f.rows > 15000 AS most, f.rows = 20000 AS all, f.through_index > 100 AS through_index
FROM (VALUES (2, 9), (2, 20), (2, 200), (1, 200)) AS s (first, last), fetched_by_index(s.first, s.last) f;

SET client_min_messages = warning;
DROP SCHEMA test_few_ranges CASCADE;
