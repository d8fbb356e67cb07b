-- Spans of a table's keys, read by the blocks that the key's index lists: the same as a scan, and an index that lacks rows is noticed.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pg_parity;
CREATE SCHEMA test_spans;
SET search_path = test_spans;
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(': ', SQLSTATE, SQLERRM, nullif(detail, ''));
END $$;
CREATE FUNCTION bounds_of(relation regclass, ranges int) RETURNS bytea[] LANGUAGE sql AS $$
    SELECT coalesce(array_agg(bound ORDER BY bound_no), '{}') FROM parity.split_keys($1, $2)
$$;

-- ---- the same as a scan --------------------------------------------------------------------------------------------

-- A relation in spans: whether what they say together, range by range and row by row, is what a scan says; the paths; how many rows are on
-- the blocks that are in no span; whether all blocks have all rows.
CREATE FUNCTION in_spans(relation regclass, spans int, ranges int, workers int,
    OUT ranges_made int, OUT digests bool, OUT totals bool, OUT slices bool, OUT row_hashes bool, OUT paths text, OUT other_rows bigint, OUT all_rows bool)
    LANGUAGE plpgsql AS $$
DECLARE bounds bytea[] := bounds_of(relation, ranges); part int[]; before bytea := ''; one text; path text; rows_in_all bigint;
    whole text[]; d text[] := '{}'; t text[] := '{}'; s text[] := '{}'; r text[] := '{}';
BEGIN
    ranges_made := cardinality(bounds) + 1;
    whole := ARRAY[
        (SELECT string_agg(x::text, ';' ORDER BY x.range_no) FROM (SELECT range_no, lower_bound, upper_bound, row_count, key_digest, row_digest, column_digests, lower_key, upper_key
            FROM parity.range_digests(relation, bounds => bounds, path => 'scan', workers => in_spans.workers)) x),
        (SELECT string_agg(x::text, ';' ORDER BY n) FROM (SELECT unnest(range_numbers) AS n, unnest(row_counts), unnest(key_digests), unnest(row_digests)
            FROM parity.range_totals(relation, bounds => bounds, path => 'scan', workers => in_spans.workers)) x),
        (SELECT string_agg(x::text, ';' ORDER BY x.range_no, x.slice, x.column_name) FROM parity.slice_digests(relation, bounds => bounds, path => 'scan', workers => in_spans.workers) x),
        (SELECT string_agg(x::text, ';' ORDER BY x.range_no, x.key) FROM (SELECT range_no, key, row_hash, cell_hashes FROM parity.row_digests(relation, bounds => bounds)) x)];
    FOR span IN 1 .. spans LOOP
        SELECT array_agg(n) INTO part FROM generate_series(ranges_made * (span - 1) / spans + 1, ranges_made * span / spans) n;
        CONTINUE WHEN part IS NULL;
        PERFORM parity_internal.read_by_blocks(before);
        SELECT string_agg(x::text, ';' ORDER BY x.range_no) INTO one FROM (SELECT range_no, lower_bound, upper_bound, row_count, key_digest, row_digest, column_digests, lower_key, upper_key
            FROM parity.range_digests(relation, bounds => bounds, only_ranges => part, workers => in_spans.workers)) x;
        d := d || one;
        SELECT concat_ws(',', paths, l.path) INTO paths FROM parity.last_digest() l;
        SELECT string_agg(x::text, ';' ORDER BY n) INTO one FROM (SELECT unnest(range_numbers) AS n, unnest(row_counts), unnest(key_digests), unnest(row_digests)
            FROM parity.range_totals(relation, bounds => bounds, only_ranges => part, workers => in_spans.workers)) x;
        t := t || one;
        SELECT string_agg(x::text, ';' ORDER BY x.range_no, x.slice, x.column_name) INTO one
            FROM parity.slice_digests(relation, bounds => bounds, only_ranges => part, workers => in_spans.workers) x;
        s := s || one;
        SELECT string_agg(x::text, ';' ORDER BY x.range_no, x.key) INTO one FROM (SELECT range_no, key, row_hash, cell_hashes
            FROM parity.row_digests(relation, bounds => bounds, only_ranges => part, workers => in_spans.workers)) x;
        r := r || one;
        before := before || parity_internal.last_blocks();
    END LOOP;
    digests := whole[1] = array_to_string(d, ';');
    totals := whole[2] = array_to_string(t, ';');
    slices := whole[3] = array_to_string(s, ';');
    row_hashes := coalesce(whole[4], '') = array_to_string(r, ';');
    SELECT string_agg(DISTINCT p, ',') INTO paths FROM unnest(string_to_array(paths, ',')) p;
    SELECT c.rows INTO other_rows FROM parity_internal.check_other_blocks(relation, blocks_read => before) c;
    SELECT sum(unnested) INTO rows_in_all FROM (SELECT unnest(row_counts) AS unnested FROM parity.range_totals(relation, path => 'scan')) n;
    SELECT c.rows = rows_in_all INTO all_rows FROM parity_internal.check_other_blocks(relation) c;
END $$;

-- Every layout of keys and rows.
CREATE TABLE one (id bigint PRIMARY KEY, v text, n numeric) WITH (autovacuum_enabled = off);
INSERT INTO one SELECT i, repeat(md5(i::text), i % 3), i / 7.0 FROM generate_series(1, 6000) i;
-- HOT chains, of which some are pruned; rows that moved; deleted ones, and places used again; dead roots; an insert that was aborted
CREATE TABLE changed (id int PRIMARY KEY, v text, n int) WITH (autovacuum_enabled = off, fillfactor = 80);
INSERT INTO changed SELECT i, repeat('v', i % 50), i FROM generate_series(1, 20000) i;
UPDATE changed SET n = n + 1 WHERE id % 10 = 7;
DELETE FROM changed WHERE id BETWEEN 5000 AND 6000 OR id % 333 = 0;
VACUUM changed;
UPDATE changed SET n = n + 1 WHERE id % 20 = 7;
UPDATE changed SET n = n + 1 WHERE id % 40 = 7;
UPDATE changed SET v = repeat('w', 500) WHERE id % 500 = 3;
INSERT INTO changed SELECT i, 'again', i FROM generate_series(5400, 5600) i;
DELETE FROM changed WHERE id % 40 = 27;
BEGIN; INSERT INTO changed SELECT i, 'never', i FROM generate_series(30000, 30500) i; UPDATE changed SET n = 0 WHERE id % 3 = 0; ROLLBACK;
-- The first column does not tell neighbouring ranges apart, or it does.
CREATE TABLE pair (a int NOT NULL, b text COLLATE "C" NOT NULL, v int, PRIMARY KEY (a, b));
INSERT INTO pair SELECT i / 2000, md5(i::text), i FROM generate_series(1, 8000) i;
CREATE TABLE narrow (LIKE pair INCLUDING ALL);
INSERT INTO narrow SELECT i / 15, md5(i::text), i FROM generate_series(1, 6000) i;
-- in reverse, once with many rows of one value of the first column, so that the index has lists of rows
CREATE TABLE descending (k numeric NOT NULL, v int);
CREATE UNIQUE INDEX ON descending (k DESC);
INSERT INTO descending SELECT i / 3.0, i FROM generate_series(1, 5000) i;
CREATE TABLE mixed (a date NOT NULL, b int NOT NULL, v int);
CREATE UNIQUE INDEX ON mixed (a DESC, b);
INSERT INTO mixed SELECT date '2020-01-01' + i / 1000, i, i FROM generate_series(1, 8000) i;
CREATE TABLE texts (k text COLLATE "C" PRIMARY KEY, v int);
INSERT INTO texts SELECT 'k' || lpad(i::text, 6, '0') || repeat('-', i % 300), i FROM generate_series(1, 5000) i;
CREATE TABLE uuids (k uuid PRIMARY KEY, v int);
INSERT INTO uuids SELECT md5(i::text)::uuid, i FROM generate_series(1, 5000) i;
CREATE TABLE times (k timestamptz PRIMARY KEY, v int);
INSERT INTO times SELECT timestamptz '2020-01-01 00:00+00' + i * interval '1 hour', i FROM generate_series(1, 5000) i;
INSERT INTO times VALUES ('infinity', 0), ('-infinity', 0);
-- in the order opposite to the key's
CREATE TABLE backwards (id int PRIMARY KEY, v text);
INSERT INTO backwards SELECT i, md5(i::text) FROM generate_series(5000, 1, -1) i;
CREATE TABLE nothing (id int PRIMARY KEY, v text);
CREATE TABLE lonely (id int PRIMARY KEY, v text);
INSERT INTO lonely VALUES (1, 'a');
-- partitions, one with its columns in another order, one for what belongs nowhere else; children
CREATE TABLE parts (v int, k date NOT NULL, PRIMARY KEY (k)) PARTITION BY RANGE (k);
CREATE TABLE parts_old PARTITION OF parts FOR VALUES FROM (MINVALUE) TO ('2010-01-01');
CREATE TABLE parts_new (k date NOT NULL, dropped int, v int);
ALTER TABLE parts_new DROP COLUMN dropped;
ALTER TABLE parts ATTACH PARTITION parts_new FOR VALUES FROM ('2010-01-01') TO ('2020-01-01');
CREATE TABLE parts_else PARTITION OF parts DEFAULT;
INSERT INTO parts SELECT i, date '2000-01-01' + i FROM generate_series(1, 9000) i;
CREATE TABLE shards (id int PRIMARY KEY, v text) PARTITION BY HASH (id);
CREATE TABLE shard_0 PARTITION OF shards FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE shard_1 PARTITION OF shards FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO shards SELECT i, md5(i::text) FROM generate_series(1, 5000) i;
CREATE TABLE parent (id int PRIMARY KEY, v text);
CREATE TABLE child (w int, PRIMARY KEY (id)) INHERITS (parent);
INSERT INTO parent SELECT i, md5(i::text) FROM generate_series(1, 5000) i;
INSERT INTO child SELECT i, md5(i::text), i FROM generate_series(5001, 9000) i;
CREATE TABLE wide_rows (id int PRIMARY KEY, v text);
ALTER TABLE wide_rows ALTER v SET STORAGE EXTERNAL;
INSERT INTO wide_rows SELECT i, repeat(md5(i::text), 200) FROM generate_series(1, 300) i;
ANALYZE;
CREATE TEMP TABLE said (relation regclass, spans int, workers int, ranges_made int, digests bool, totals bool, slices bool, row_hashes bool, paths text, other_rows bigint, all_rows bool);
-- each table in a transaction of its own
CREATE PROCEDURE say(relations regclass[], spans int, ranges int, workers int) LANGUAGE plpgsql AS $$
DECLARE r regclass;
BEGIN
    TRUNCATE said;
    COMMIT;
    FOREACH r IN ARRAY relations LOOP
        INSERT INTO said SELECT r, spans, workers, i.* FROM in_spans(r, spans, ranges, workers) i;
        COMMIT;
    END LOOP;
END $$;
\set relations '{one,changed,pair,narrow,descending,mixed,texts,uuids,times,backwards,lonely,parts,shards,parent,wide_rows}'
CALL say(:'relations', 4, 60, 0);
TABLE said;
-- a range a span, other numbers of workers, and one span that is all
CALL say('{changed,pair,mixed,parts}', 1000, 6, 1);
TABLE said;
CALL say('{changed,pair,mixed,parts}', 3, 100, 2);
TABLE said;
CALL say(:'relations', 1, 300, 1);
TABLE said;

-- A temporary table, which workers cannot read. Bounds that no row has, spans without rows, and bounds around all rows and beyond.
CREATE TEMP TABLE temporary (id int PRIMARY KEY, v int);
INSERT INTO temporary SELECT i * 10, i FROM generate_series(1, 3000) i;
SELECT digests, totals, slices, row_hashes, paths, other_rows, all_rows FROM in_spans('temporary', 3, 20, 2);
CREATE TEMP TABLE around AS SELECT ARRAY['\x6b010000000000000080'::bytea, '\x6b01fdffffffffffffff', '\x6b010500000000000000', '\x6b010a00000000000000', '\x6b010b00000000000000',
    '\x6b011300000000000000', '\x6b013175000000000000', '\x6b01ffffffffffffff7f', '\x6b00'] AS bounds;
BEGIN;
SELECT parity_internal.read_by_blocks();
SELECT s.wanted, (SELECT string_agg(concat_ws(' ', d.range_no, d.row_count, d.path_taken), ', ' ORDER BY d.range_no)
    FROM around a, parity.range_digests('temporary', bounds => a.bounds, only_ranges => s.wanted) d) AS counted
FROM (VALUES ('{1}'::int[]), ('{2,3}'), ('{3}'), ('{4}'), ('{5}'), ('{6}'), ('{7,8}'), ('{8,9,10}'), ('{10}'), ('{1,2,3,4,5,6,7,8,9,10}'), ('{2,4,6,8,10}')) s (wanted);
SELECT string_agg(concat_ws(' ', d.range_no, d.row_count, d.path_taken), ', ' ORDER BY d.range_no) AS counted
FROM around a, parity.range_digests('nothing', bounds => a.bounds, only_ranges => '{1,2,10}', workers => 2) d;
COMMIT;
SELECT * FROM parity_internal.check_other_blocks('nothing');

-- A difference is seen, by the span that it is in and by no other.
CREATE TABLE twin (LIKE changed INCLUDING ALL);
INSERT INTO twin SELECT * FROM changed;
UPDATE twin SET n = -1 WHERE id = 12345;
CREATE FUNCTION span_of(relation regclass, only_ranges int[]) RETURNS TABLE (path text, said text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM parity_internal.read_by_blocks();
    RETURN QUERY SELECT min(path_taken), string_agg(concat_ws(' ', range_no, row_count, key_digest, row_digest, column_digests), ';' ORDER BY range_no)
        FROM parity.range_digests($1, bounds => (SELECT array_agg(bound ORDER BY bound_no) FROM parity.split_keys('changed', 20)), only_ranges => $2);
END $$;
SELECT s.n AS first_range, a.path AS path_a, b.path AS path_b, a.said = b.said AS same
FROM generate_series(1, 16, 5) s (n), span_of('changed', ARRAY[s.n, s.n + 1, s.n + 2, s.n + 3, s.n + 4]) a, span_of('twin', ARRAY[s.n, s.n + 1, s.n + 2, s.n + 3, s.n + 4]) b;

-- ---- indexes that lack rows ----------------------------------------------------------------------------------------

CREATE FUNCTION behind_the_index(relation regclass, statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE pg_index SET indisready = false, indisvalid = false WHERE indrelid = relation;
    EXECUTE statement;
    UPDATE pg_index SET indisready = true, indisvalid = true WHERE indrelid = relation;
END $$;
-- A table in two spans, ids up to 1999 and from 2000 on: how many rows of each range each tells of, and what is said of the other blocks.
CREATE FUNCTION spans_of(relation regclass, workers int DEFAULT 0) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE before bytea := ''; said text;
BEGIN
    FOR part IN 0..1 LOOP
        BEGIN
            PERFORM parity_internal.read_by_blocks(before);
            SELECT string_agg(row_count::text, ' ' ORDER BY range_no) INTO said
            FROM parity.range_digests($1, bounds => ARRAY['\x6b01e803000000000000'::bytea, '\x6b01d007000000000000', '\x6b01b80b000000000000'],
                only_ranges => ARRAY[part * 2 + 1, part * 2 + 2], workers => $2);
            before := before || parity_internal.last_blocks();
            RETURN NEXT format('span %s: rows %s', part + 1, said);
        EXCEPTION WHEN OTHERS THEN
            RETURN NEXT format('span %s: %s %s', part + 1, SQLSTATE, SQLERRM);
        END;
    END LOOP;
    BEGIN
        SELECT format('other blocks: %s, rows %s', CASE WHEN c.blocks > 0 THEN 'some' ELSE 'none' END, c.rows) INTO said
        FROM parity_internal.check_other_blocks(relation, blocks_read => before) c;
        RETURN NEXT said;
    EXCEPTION WHEN OTHERS THEN
        RETURN NEXT format('other blocks: %s %s', SQLSTATE, SQLERRM);
    END;
END $$;
-- with room for a large row among those of the second span, and nowhere else
CREATE TABLE holed (id int PRIMARY KEY, v text) WITH (autovacuum_enabled = off);
ALTER TABLE holed ALTER v SET STORAGE PLAIN;
CREATE FUNCTION make_holed() RETURNS void LANGUAGE sql AS $$
    TRUNCATE holed;
    INSERT INTO holed SELECT i, 'body ' || i FROM generate_series(1, 4000) i WHERE i <> 77;
    DELETE FROM holed WHERE id BETWEEN 2501 AND 2530;
$$;
CREATE FUNCTION is_among_the_second_span(wanted int) RETURNS bool LANGUAGE sql AS $$
    SELECT row_place BETWEEN lower AND upper
    FROM (SELECT (SELECT ctid FROM holed WHERE v LIKE 'unseen%' AND id + 0 = wanted), (SELECT ctid FROM holed WHERE id = 2200), (SELECT ctid FROM holed WHERE id = 2900)) p (row_place, lower, upper)
$$;
-- What a row lacks in the index, or does not: of the span, on a block of the span; of another span, there; on a block that has no row of any span.
SELECT make_holed();
VACUUM holed;
SELECT spans_of('holed');
INSERT INTO holed VALUES (2510, 'seen' || repeat('.', 400));
SELECT spans_of('holed', 1);
DELETE FROM holed WHERE id = 2510;
VACUUM holed;
SELECT behind_the_index('holed', $$INSERT INTO holed VALUES (2510, 'unseen' || repeat('.', 400))$$);
SELECT is_among_the_second_span(2510), spans_of('holed');
SELECT spans_of('holed', 2);
DELETE FROM holed WHERE id + 0 = 2510;
SELECT spans_of('holed');

SELECT make_holed();
VACUUM holed;
INSERT INTO holed VALUES (77, 'unseen, but listed' || repeat('.', 400));
SELECT is_among_the_second_span(77), spans_of('holed');
DELETE FROM holed WHERE id = 77;
VACUUM holed;
SELECT behind_the_index('holed', $$INSERT INTO holed VALUES (77, 'unseen' || repeat('.', 400))$$);
SELECT is_among_the_second_span(77), spans_of('holed');
SELECT spans_of('holed', 2);

SELECT make_holed();
INSERT INTO holed VALUES (77, repeat('x', 7000)), (78000, repeat('y', 7000));
SELECT spans_of('holed');
DELETE FROM holed WHERE id IN (77, 78000);
SELECT behind_the_index('holed', $$INSERT INTO holed VALUES (77, repeat('x', 7000))$$);
SELECT spans_of('holed'), spans_of('holed', 2);
TRUNCATE holed;
SELECT behind_the_index('holed', $$INSERT INTO holed VALUES (77, 'alone')$$);
SELECT spans_of('holed');

-- A chain of rows that were updated in place, of which the index lists the first; then a row that an update put elsewhere.
SELECT make_holed();
UPDATE holed SET v = 'in place' WHERE id = 2600;
SELECT spans_of('holed');
REINDEX TABLE holed;
SELECT spans_of('holed');
SELECT behind_the_index('holed', $$UPDATE holed SET id = 2501 WHERE id = 2600$$);
SELECT spans_of('holed');
-- rows that came after the spans were read: on blocks that they read, and on new ones
SELECT make_holed();
CREATE TEMP TABLE kept AS SELECT ''::bytea AS read;
BEGIN;
SELECT parity_internal.read_by_blocks();
SELECT count(*), sum(row_count) FROM parity.range_digests('holed', bounds => ARRAY['\x6b01e803000000000000'::bytea], only_ranges => '{1,2}');
UPDATE kept SET read = parity_internal.last_blocks();
COMMIT;
SELECT rows FROM kept, parity_internal.check_other_blocks('holed', blocks_read => kept.read);
INSERT INTO holed SELECT i, 'later ' || i FROM generate_series(10001, 10400) i;
UPDATE holed SET v = repeat('later', 20) WHERE id BETWEEN 10 AND 20;
SELECT blocks > 0 AS new_blocks, rows > 300 AS most_rows FROM kept, parity_internal.check_other_blocks('holed', blocks_read => kept.read);
SELECT behind_the_index('holed', $$INSERT INTO holed VALUES (99999, repeat('z', 7000))$$);
SELECT error_of($$SELECT rows FROM kept, parity_internal.check_other_blocks('holed', blocks_read => kept.read)$$) ~ '^PP004: index "holed_pkey" lacks rows of "holed": One of them is at ';

-- What was read of a table through another index than the one that is there now says nothing: it may have lacked what this one lists.
SELECT make_holed();
BEGIN;
SELECT parity_internal.read_by_blocks();
SELECT sum(row_count) FROM parity.range_digests('holed', bounds => ARRAY['\x6b01e803000000000000'::bytea], only_ranges => '{1,2}');
UPDATE kept SET read = parity_internal.last_blocks();
COMMIT;
SELECT c.blocks, c.rows FROM kept, parity_internal.check_other_blocks('holed', blocks_read => kept.read) c;
REINDEX TABLE holed;
SELECT error_of($$SELECT c.blocks > 0 AS has_blocks, c.rows FROM kept, parity_internal.check_other_blocks('holed', blocks_read => kept.read) c$$);
BEGIN;
SELECT parity_internal.read_by_blocks(kept.read) FROM kept;
SELECT error_of($$SELECT * FROM parity.range_totals('holed', bounds => ARRAY['\x6b01e803000000000000'::bytea], only_ranges => '{1}')$$);
ROLLBACK;
VACUUM FULL holed;
SELECT error_of($$SELECT c.blocks > 0 AS has_blocks, c.rows FROM kept, parity_internal.check_other_blocks('holed', blocks_read => kept.read) c$$);

-- NULL in another column of the key than the first, columns that the index has besides, places of many rows in one item, in either order
CREATE TABLE repeated (a int NOT NULL, b text, c int, v text) WITH (autovacuum_enabled = off);
INSERT INTO repeated SELECT i / 100, nullif('b' || i % 4, 'b0'), i, repeat(md5(i::text), i % 3) FROM generate_series(1, 6000) i;
UPDATE repeated SET v = 'changed' WHERE c % 30 = 7;
CREATE FUNCTION spans_of_repeated(workers int) RETURNS TABLE (same bool, in_spans numeric, others bigint) LANGUAGE plpgsql AS $$
DECLARE before bytea := ''; all_same bool := true; counted numeric := 0; n bigint; is_same bool;
BEGIN
    FOR part IN 1..5 LOOP
        PERFORM parity_internal.read_by_blocks(before);
        SELECT sum(b.row_count), string_agg(b::text, ' ' ORDER BY b.range_no) = string_agg(d::text, ' ' ORDER BY d.range_no) INTO n, is_same
        FROM (SELECT range_no, row_count, key_digest, row_digest, column_digests FROM parity.range_digests('repeated', key_columns => '{a,b}', workers => spans_of_repeated.workers, only_ranges => ARRAY[part],
                bounds => ARRAY['\x6b010a00000000000000'::bytea, '\x6b011400000000000000', '\x6b0114000000000000000102000000' || '\x6232'::bytea, '\x6b0128000000000000' || '\x00'::bytea])) b
            FULL JOIN (SELECT range_no, row_count, key_digest, row_digest, column_digests FROM parity.range_digests('repeated', key_columns => '{a,b}', path => 'scan', only_ranges => ARRAY[part],
                bounds => ARRAY['\x6b010a00000000000000'::bytea, '\x6b011400000000000000', '\x6b0114000000000000000102000000' || '\x6232'::bytea, '\x6b0128000000000000' || '\x00'::bytea])) d USING (range_no);
        all_same := all_same AND is_same;
        counted := counted + n;
        before := before || parity_internal.last_blocks();
    END LOOP;
    RETURN QUERY SELECT all_same, counted, o.rows FROM parity_internal.check_other_blocks('repeated', '{a,b}', blocks_read => before) o;
END $$;
CREATE INDEX repeated_key ON repeated (a, b) INCLUDE (c);
SELECT * FROM spans_of_repeated(0);
SELECT rows FROM parity_internal.check_other_blocks('repeated', '{a,b}');
DROP INDEX repeated_key;
CREATE INDEX repeated_key ON repeated (a DESC, b NULLS FIRST, c);
SELECT * FROM spans_of_repeated(1);
SELECT rows FROM parity_internal.check_other_blocks('repeated', '{a,b}');
DROP INDEX repeated_key;
CREATE INDEX repeated_key ON repeated (a DESC NULLS LAST, b DESC);
SELECT * FROM spans_of_repeated(2);
SELECT rows FROM parity_internal.check_other_blocks('repeated', '{a,b}');
SELECT behind_the_index('repeated', $$INSERT INTO repeated VALUES (70, NULL, 1, repeat('alone', 1500))$$);
SELECT error_of($$SELECT * FROM parity_internal.check_other_blocks('repeated', '{a,b}')$$) ~ '^PP004: index "repeated_key" lacks rows of "repeated": One of them is at ';
SELECT error_of($$SELECT * FROM spans_of_repeated(0)$$) ~ '^PP004: index "repeated_key" lacks rows of "repeated": One of them is at ';

-- Few ranges of a span that has been read are looked up in the index, those of others are not. A table as one span, with bounds and without.
BEGIN;
SELECT parity_internal.read_by_blocks();
CREATE FUNCTION path_of(relation regclass, only_ranges int[], ranges int) RETURNS TABLE (digests text, records text, blocks bool) LANGUAGE plpgsql AS $$
DECLARE read bytea := parity_internal.last_blocks();
BEGIN
    PERFORM * FROM parity.range_totals(relation, bounds => bounds_of(relation, ranges), only_ranges => path_of.only_ranges, workers => 0);
    SELECT l.path INTO digests FROM parity.last_digest() l;
    PERFORM * FROM parity.row_records(relation, bounds => bounds_of(relation, ranges), only_ranges => path_of.only_ranges, workers => 0);
    SELECT l.path INTO records FROM parity.last_digest() l;
    blocks := parity_internal.last_blocks() <> read;
    RETURN NEXT;
END $$;
SELECT * FROM path_of('one', '{50}', 100);
SELECT * FROM path_of('one', '{50}', 100);
SELECT * FROM path_of('one', '{49,50}', 100);
SELECT * FROM path_of('one', '{40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60}', 100);
SELECT * FROM path_of('one', '{40,60}', 100);
SELECT * FROM path_of('one', '{39}', 100);
SELECT * FROM path_of('one', '{61}', 100);
SELECT * FROM path_of('changed', '{50}', 100);
SELECT count(*) FROM parity.row_records('one', bounds => bounds_of('one', 100), only_ranges => '{30}');
SELECT path FROM parity.last_digest();
SELECT min(row_count), min(path_taken) FROM parity.range_digests('one', bounds => '{}', only_ranges => '{1}');
SELECT * FROM path_of('one', '{99}', 100);
COMMIT;
BEGIN;
SELECT parity_internal.read_by_blocks();
SELECT count(*), min(row_count), min(path_taken) FROM parity.range_digests('nothing', bounds => '{}', only_ranges => '{1}', workers => 1);
SELECT length(parity_internal.last_blocks());
COMMIT;

-- ---- what cannot be read so ----------------------------------------------------------------------------------------

CREATE FUNCTION refused(relation text, arguments text DEFAULT $$bounds => ARRAY['\x6b01e803000000000000'::bytea], only_ranges => '{1}'$$) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM parity_internal.read_by_blocks();
    RETURN NEXT error_of(format('SELECT count(*) FROM parity.range_digests(%L, %s)', relation, arguments));
    RETURN NEXT error_of(format('SELECT count(*) FROM parity.range_totals(%L, %s)', relation, arguments));
    RETURN NEXT error_of(format('SELECT * FROM parity_internal.check_other_blocks(%L)', relation));
END $$;
CREATE VIEW viewed AS SELECT * FROM one;
CREATE TABLE secured (id int PRIMARY KEY, v text);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE TABLE unindexed (id int NOT NULL, v text);
CREATE TABLE half_indexed (id int NOT NULL, v text) PARTITION BY RANGE (id);
CREATE TABLE half_1 PARTITION OF half_indexed FOR VALUES FROM (MINVALUE) TO (10);
CREATE TABLE half_2 PARTITION OF half_indexed FOR VALUES FROM (10) TO (MAXVALUE);
CREATE UNIQUE INDEX ON half_1 (id);
CREATE TABLE collated (k text COLLATE "en-x-icu" PRIMARY KEY);
CREATE TABLE partial (id int NOT NULL);
CREATE UNIQUE INDEX ON partial (id) WHERE id > 0;
CREATE TABLE nullable (id int UNIQUE);
SELECT t, refused(t, a) FROM (VALUES
    ('viewed', $$bounds => ARRAY['\x6b01e803000000000000'::bytea], only_ranges => '{1}', key_columns => '{id}'$$),
    ('unindexed', $$bounds => ARRAY['\x6b01e803000000000000'::bytea], only_ranges => '{1}', key_columns => '{id}'$$),
    ('half_indexed', $$bounds => ARRAY['\x6b01e803000000000000'::bytea], only_ranges => '{1}', key_columns => '{id}'$$),
    ('partial', $$bounds => ARRAY['\x6b01e803000000000000'::bytea], only_ranges => '{1}', key_columns => '{id}'$$),
    ('nullable', $$bounds => ARRAY['\x6b01e803000000000000'::bytea], only_ranges => '{1}', key_columns => '{id}'$$),
    ('collated', $$bounds => ARRAY['\x6b016162'::bytea], only_ranges => '{1}'$$),
    ('one', $$bounds => ARRAY['\x6b01e803000000000000'::bytea], only_ranges => '{1}', filter => 'id > 7'$$),
    ('one', $$bounds => ARRAY['\x6b01e803000000000000'::bytea]$$),
    ('one', $$bounds => ARRAY['\x688000000000000000'::bytea], only_ranges => '{1}'$$),
    ('nothing', $$bounds => '{}', only_ranges => '{1}'$$)) v (t, a);
-- What keeps spans from being read, or from being worth it.
CREATE TABLE scattered (id int PRIMARY KEY, v text) WITH (autovacuum_enabled = off);
ALTER TABLE scattered ALTER v SET STORAGE PLAIN;
INSERT INTO scattered SELECT i * 7919 % 3001, repeat('x', 3500) FROM generate_series(1, 3000) i;
CREATE TABLE ordered (LIKE scattered INCLUDING ALL) WITH (autovacuum_enabled = off);
INSERT INTO ordered SELECT * FROM scattered ORDER BY id DESC;
CREATE TABLE mostly (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE mostly_ordered PARTITION OF mostly FOR VALUES FROM (MINVALUE) TO (3001) WITH (autovacuum_enabled = off);
CREATE TABLE mostly_new PARTITION OF mostly FOR VALUES FROM (3001) TO (MAXVALUE) WITH (autovacuum_enabled = off);
INSERT INTO mostly SELECT * FROM ordered ORDER BY id;
INSERT INTO mostly SELECT 9999 - i * 10, 'new' FROM generate_series(1, 90) i;
CREATE TABLE patterned (k text COLLATE "C" NOT NULL);
CREATE INDEX ON patterned (k text_pattern_ops);
CREATE FUNCTION why_not(relation text, key_columns text[] DEFAULT NULL, forms jsonb DEFAULT NULL) RETURNS text LANGUAGE sql AS $$ SELECT parity_internal.why_not_by_blocks(relation, key_columns, forms) $$;
SELECT why_not('scattered') AS unknown, why_not('ordered') AS unknown_too, why_not('one') AS small, why_not('nothing') AS empty;
ANALYZE scattered, ordered, mostly_ordered;
SELECT why_not('scattered') AS scattered, why_not('ordered') AS ordered, why_not('mostly') AS mostly;
SELECT t, why_not(t, k::text[], f::jsonb) FROM (VALUES
    ('viewed', '{id}', NULL), ('unindexed', NULL, NULL), ('unindexed', '{id}', NULL), ('half_indexed', '{id}', NULL), ('partial', '{id}', NULL), ('nullable', '{id}', NULL),
    ('collated', NULL, NULL), ('patterned', '{k}', NULL), ('one', NULL, '{"id": "decimal"}'), ('one', '{}', NULL), ('parts', NULL, NULL), ('shards', NULL, NULL), ('parent', NULL, NULL),
    ('pair', NULL, NULL), ('pair', '{b,a}', NULL)) v (t, k, f);
SELECT error_of($$SELECT why_not('one', '{nosuch}')$$), error_of($$SELECT parity_internal.why_not_by_blocks(NULL)$$), error_of($$SELECT parity_internal.why_not_by_blocks('one', without_children => NULL)$$);
BEGIN;
SET LOCAL enable_indexscan = off;
SELECT why_not('one') AS by_bitmaps;
SET LOCAL enable_bitmapscan = off;
SELECT why_not('one') AS avoided;
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT why_not('one') AS serializable;
COMMIT;
-- row security: of a role that it holds for
CREATE ROLE test_spans_other;
GRANT USAGE ON SCHEMA test_spans TO test_spans_other;
GRANT SELECT ON secured, one TO test_spans_other;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA test_spans TO test_spans_other;
SET ROLE test_spans_other;
SELECT refused('secured');
SELECT why_not('secured'), error_of($$SELECT why_not('test_spans.changed')$$);
-- What a role began is not another's.
BEGIN;
SELECT parity_internal.read_by_blocks();
SELECT min(path_taken) FROM parity.range_digests('one', bounds => ARRAY['\x6b01e803000000000000'::bytea], only_ranges => '{1}');
SELECT length(parity_internal.last_blocks()) > 0 AS has_blocks;
RESET ROLE;
SELECT min(path_taken) FROM parity.range_digests('one', bounds => ARRAY['\x6b01e803000000000000'::bytea], only_ranges => '{1}', path => 'scan');
SELECT min(path_taken) <> 'blocks' AS otherwise FROM parity.range_digests('one', bounds => ARRAY['\x6b01e803000000000000'::bytea], only_ranges => '{1}');
SELECT length(parity_internal.last_blocks()) AS has_blocks;
SET ROLE test_spans_other;
SELECT length(parity_internal.last_blocks()) > 0 AS has_blocks;
COMMIT;
-- nor the next transaction's, and of a table that the role may not read there is nothing
SELECT length(parity_internal.last_blocks()) AS has_blocks;
SELECT error_of($$SELECT * FROM parity_internal.check_other_blocks('test_spans.changed')$$);
RESET ROLE;

-- Sets of blocks that are none; sets of tables that are gone, and of blocks that were cut off, say nothing.
SELECT x AS set, error_of(format('SELECT * FROM parity_internal.check_other_blocks(%L, blocks_read => %L)', 'one', x)),
    refused.said
FROM unnest(ARRAY['\x00', '\x000000000000000000000000', '\x000000000000000000000000ff', '\x00000000000000000000000001', '\x0000000000000000000000000100', '\x00000000000000000000000000', '\x0000000000000000000000000100ffffffff0f', '\x00000000000000000000000001008080808010', '\x000000000000000000000000010001ffffffff0f', '\x0000000000000000000000000100ffffffffff0f', '\x0000000000000000000000000002000501', '']::bytea[]) x,
    LATERAL (SELECT error_of(format($$DO $do$ BEGIN PERFORM parity_internal.read_by_blocks(%L); PERFORM * FROM parity.range_totals('test_spans.lonely', bounds => ARRAY['\x6b01e803000000000000'::bytea], only_ranges => '{1}'); END $do$ $$, x)) AS said) refused;
SELECT error_of($$SELECT * FROM parity_internal.check_other_blocks(NULL)$$), error_of($$SELECT * FROM parity_internal.check_other_blocks('one', without_children => NULL)$$),
    error_of($$SELECT * FROM parity_internal.check_other_blocks('one', key_columns => '{}')$$);

SET client_min_messages = warning;
DROP SCHEMA test_spans CASCADE;
DROP ROLE test_spans_other;
