
--
-- baselines: capturing one
--

-- Functions that read a table are stable, so that they see the snapshot of the statement that calls them.
CREATE FUNCTION parity_internal.baseline_row(
    relation regclass, plan parity.baseline, bound bytea, OUT holders bigint, OUT key_text text, OUT hashes bytea)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(*), min(r.key_text), (array_agg(r.row_hash || r.cell_hashes))[1]
    FROM parity.row_digests(
        relation, keys => ARRAY[substr(bound, 2)], key_columns => plan.key_columns, columns => plan.columns,
        forms => plan.forms, filter => plan.filter, seed => plan.seed, width => plan.width) AS r
$$;
COMMENT ON FUNCTION parity_internal.baseline_row(regclass, parity.baseline, bytea) IS
    'the row whose key a bound is: how many have it, its key for people, the hashes of the row and its cells';

CREATE FUNCTION parity_internal.baseline_ranges(
    relation regclass, plan parity.baseline, bounds bytea[], workers integer)
    RETURNS SETOF parity.baseline_range
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT plan.id, d.range_no, d.lower_key, d.upper_key, d.lower_bound, d.upper_bound, d.row_count,
        d.key_digest::text, d.row_digest::text, d.column_digests::text[]
    FROM parity.range_digests(
        relation, bounds => bounds, key_columns => plan.key_columns, columns => plan.columns, forms => plan.forms,
        filter => plan.filter, seed => plan.seed, width => plan.width, workers => workers) AS d
$$;
COMMENT ON FUNCTION parity_internal.baseline_ranges(regclass, parity.baseline, bytea[], integer) IS
    'digests a table as a baseline says';

CREATE FUNCTION parity_internal.baseline_ranges_without_indexes(
    relation regclass, plan parity.baseline, bounds bytea[], workers integer)
    RETURNS SETOF parity.baseline_range
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    SET enable_indexscan = off SET enable_bitmapscan = off SET enable_seqscan = on AS $$
    SELECT * FROM parity_internal.baseline_ranges(relation, plan, bounds, workers)
$$;
COMMENT ON FUNCTION parity_internal.baseline_ranges_without_indexes(regclass, parity.baseline, bytea[], integer) IS
    'the same without indexes';

-- A filter is for the server to fulfil, which may take any index for it: one that lacks rows hides them. What is kept
-- has them all.
CREATE FUNCTION parity_internal.baseline_ranges_to_keep(
    relation regclass, plan parity.baseline, bounds bytea[], workers integer)
    RETURNS SETOF parity.baseline_range
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF plan.filter IS NULL THEN
        RETURN QUERY SELECT * FROM parity_internal.baseline_ranges(relation, plan, bounds, workers);
    ELSE
        RETURN QUERY SELECT * FROM parity_internal.baseline_ranges_without_indexes(relation, plan, bounds, workers);
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_ranges_to_keep(regclass, parity.baseline, bytea[], integer) IS
    'digests a table for a baseline';

CREATE FUNCTION parity_internal.baseline_pages(relation regclass) RETURNS bigint
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(sum(pg_relation_size(p.relid)), pg_relation_size(relation), 0)::bigint
           / current_setting('block_size')::bigint
    FROM pg_partition_tree(relation) AS p
$$;
COMMENT ON FUNCTION parity_internal.baseline_pages(regclass) IS 'the pages of a relation and its partitions';

-- All is read under one snapshot, so the highest key is that of the rows that are digested. The settings that the
-- answer, or the meaning of a filter, could depend on are pinned.
CREATE FUNCTION parity_internal.baseline_digest(
    relation regclass, plan parity.baseline, ranges integer, workers integer,
    OUT kept_ranges parity.baseline_range[], OUT highest_bound bytea, OUT highest_key text, OUT highest_row bytea)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET enable_indexonlyscan = off
    SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'postgres' SET extra_float_digits = 3
    SET bytea_output = 'hex' SET xmlbinary = 'base64'
    SET lc_numeric = 'C' SET quote_all_identifiers = off SET array_nulls = on SET standard_conforming_strings = on
    SET backslash_quote = 'safe_encoding' SET transform_null_equals = off AS $$
DECLARE
    key_forms text[] := ARRAY(
        SELECT plan.forms ->> k.name FROM unnest(plan.key_columns) WITH ORDINALITY AS k(name, place) ORDER BY k.place);
    bounds bytea[];
    starts bytea[];
    start integer;
    step integer := 1;
    holders bigint;
BEGIN
    SELECT array_agg(s.bound ORDER BY s.bound_no) INTO bounds
    FROM parity.split_keys(relation, ranges, plan.key_columns, plan.forms) AS s;
    SELECT array_agg(s.bound ORDER BY s.bound_no) INTO starts
    FROM parity.split_keys(
        relation, least(16384, greatest(64, parity_internal.baseline_pages(relation) / 20))::integer, plan.key_columns,
        plan.forms) AS s;
    start := coalesce(cardinality(starts), 0);
    -- 104 marks bounds of hashes, which give rows no order. Otherwise the highest key lies behind the last bound, or
    -- further down where no row is left behind it.
    WHILE start >= 0 AND highest_bound IS NULL AND coalesce(get_byte(starts[1], 0), 0) <> 104 AND key_forms <> '{}' LOOP
        SELECT parity_internal.highest_bound('\x6b'::bytea || r.key, key_forms) INTO highest_bound
        FROM parity.row_digests(
            relation, lower_bound => starts[start], key_columns => plan.key_columns, columns => '{}',
            forms => plan.forms, filter => plan.filter) AS r;
        start := CASE WHEN start > 0 THEN greatest(start - step, 0) ELSE -1 END;
        step := step * 2;
    END LOOP;
    IF highest_bound IS NOT NULL THEN
        SELECT r.holders, r.key_text, r.hashes INTO holders, highest_key, highest_row
        FROM parity_internal.baseline_row(relation, plan, highest_bound) AS r;
        bounds := ARRAY(
            SELECT b.bound FROM unnest(bounds) WITH ORDINALITY AS b(bound, place)
            WHERE b.bound <> highest_bound
              AND parity_internal.greater_bound(highest_bound, b.bound, key_forms) = highest_bound
            ORDER BY b.place) || highest_bound;
    END IF;
    SELECT array_agg(d ORDER BY d.range_no) INTO kept_ranges
    FROM parity_internal.baseline_ranges_to_keep(relation, plan, bounds, workers) AS d;
    -- A table without rows has one range, so that all rows that come later are beyond it.
    IF cardinality(kept_ranges) > 1 AND (SELECT sum(r.row_count) FROM unnest(kept_ranges) AS r) = 0 THEN
        SELECT array_agg(d ORDER BY d.range_no) INTO kept_ranges
        FROM parity_internal.baseline_ranges_to_keep(relation, plan, '{}', workers) AS d;
    END IF;
    -- Several rows have the highest key, under a key that is not unique, or only a scan sees the row. Then it is not
    -- certain what is beyond it.
    IF highest_bound IS NOT NULL AND (holders <> 1 OR kept_ranges[cardinality(kept_ranges)].row_count <> 1) THEN
        highest_bound := NULL;
        highest_key := NULL;
        highest_row := NULL;
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_digest(regclass, parity.baseline, integer, integer) IS
    'digests a table for a baseline, under bounds that it chooses; the last is the highest key where keys have an '
    'order';

-- How the session's last digests were read: from pages (all of them, or few through an index), or by a query. A
-- serializable transaction reads all by queries.
CREATE FUNCTION parity_internal.baseline_path() RETURNS text
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN current_setting('transaction_isolation') <> 'serializable'
                THEN replace(d.path, 'index', 'scan') END
    FROM parity.last_digest() AS d
$$;
COMMENT ON FUNCTION parity_internal.baseline_path() IS 'how a baseline''s rows were read, as parity.baseline has it';

CREATE FUNCTION parity_internal.baseline_kind(kind "char") RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE kind
        WHEN 'r' THEN 'a table' WHEN 'p' THEN 'a partitioned table' WHEN 'm' THEN 'a materialized view'
        WHEN 'v' THEN 'a view' WHEN 'f' THEN 'a foreign table' ELSE format('of kind %s', kind) END
$$;
COMMENT ON FUNCTION parity_internal.baseline_kind("char") IS 'a kind of relation in words';

-- Another relation may have the name by now, and reading a view would run what its owner wrote. The lock stays, so the
-- relation that is checked is the one that is read.
CREATE FUNCTION parity_internal.baseline_hold(relation regclass, kept parity.baseline) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kind CONSTANT "char" := parity.hold_relation(relation);
BEGIN
    IF kind IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = format('relation with OID %s does not exist', relation::oid), ERRCODE = '42P01';
    ELSIF kind <> kept.kind THEN
        RAISE EXCEPTION USING ERRCODE = '42809',
            HINT = 'Find out who replaced it, or capture it again with replace => true.',
            MESSAGE = format('%s was %s when it was captured, and is %s now', kept.relation,
                             parity_internal.baseline_kind(kept.kind), parity_internal.baseline_kind(kind));
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_hold(regclass, parity.baseline) IS
    'locks a relation until the end of the transaction; an error (42809) unless it is of the kind that was captured';

-- The random bits of two version 4 UUIDs, which the server takes from its strong generator.
CREATE FUNCTION parity_internal.baseline_seed() RETURNS bigint
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ('x' || left(gen_random_uuid()::text, 8) || right(gen_random_uuid()::text, 8))::bit(64)::bigint
$$;
COMMENT ON FUNCTION parity_internal.baseline_seed() IS 'a seed that nobody can guess';

CREATE FUNCTION parity_internal.baseline_plan(
    relation regclass, label text, key_columns text[], columns text[], forms jsonb, filter text, width integer)
    RETURNS parity.baseline
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on AS $$
DECLARE
    plan parity.baseline;
BEGIN
    PERFORM parity_internal.record_require_values(
        jsonb_build_object('relation', relation::oid, 'label', label, 'width', width), '{relation,label,width}');
    IF label = '' THEN
        RAISE EXCEPTION USING MESSAGE = 'label must not be empty', ERRCODE = '22023';
    END IF;
    IF EXISTS (SELECT FROM jsonb_each_text(forms) AS f WHERE f.value ~ '(^|[<:,])jsonb_raw(\[\])?($|[>,])') THEN
        RAISE EXCEPTION USING MESSAGE = 'the form "jsonb_raw" cannot be kept in a baseline', ERRCODE = '0A000',
            DETAIL = 'It hashes how this server stores a document, which a restore or an upgrade may change.',
            HINT = 'Take the form "json".';
    END IF;
    plan.relation := parity_internal.baseline_name(relation);
    IF plan.relation IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = format('"%s" is a temporary table', relation), ERRCODE = '0A000';
    END IF;
    plan.label := label;
    plan.key_columns := coalesce(key_columns, (parity.key(relation)).key_columns::text[]);
    plan.all_columns := columns IS NULL;
    plan.columns := coalesce(columns, ARRAY(
        SELECT f.column_name FROM parity.forms(relation) AS f WHERE f.column_name <> ALL (plan.key_columns)
        ORDER BY f.column_name::text COLLATE "C"));
    SELECT coalesce(jsonb_object_agg(f.column_name, f.form) FILTER (WHERE f.form IS NOT NULL), '{}')
        || coalesce(baseline_plan.forms, '{}')
    INTO plan.forms FROM parity.forms(relation) AS f WHERE f.column_name = ANY (plan.key_columns || plan.columns);
    plan.filter := filter;
    plan.width := width;
    plan.seed := parity_internal.baseline_seed();
    RETURN plan;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_plan(regclass, text, text[], text[], jsonb, text, integer) IS
    'how a table will be digested for a baseline, with all that is left out filled in';

CREATE FUNCTION parity.capture(
    relation regclass, label text, ranges integer DEFAULT NULL, key_columns text[] DEFAULT NULL,
    columns text[] DEFAULT NULL, forms jsonb DEFAULT NULL, filter text DEFAULT NULL, width integer DEFAULT 64,
    workers integer DEFAULT NULL, replace boolean DEFAULT false,
    OUT captured_rows bigint, OUT captured_ranges integer, OUT highest_key text)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kind CONSTANT "char" := parity.hold_relation(relation);  -- before anything else is found out about it
    plan parity.baseline := parity_internal.baseline_plan(relation, label, key_columns, columns, forms, filter, width);
    digested record;
BEGIN
    PERFORM parity_internal.record_require_primary();
    plan.kind := kind;
    IF NOT coalesce(replace, false)
       AND EXISTS (SELECT FROM parity.baseline b WHERE b.relation = plan.relation AND b.label = plan.label) THEN
        RAISE EXCEPTION USING MESSAGE = format('%s has a baseline "%s" already', plan.relation, label),
            ERRCODE = '42710', HINT = 'Take another label, or replace => true.';
    END IF;
    -- About a megabyte a range. Very wide tables have fewer ranges, because their digests take memory.
    SELECT d.* INTO digested FROM parity_internal.baseline_digest(relation, plan, coalesce(ranges, greatest(16, least(
        1024, 100000 / (cardinality(plan.columns) + 2), parity_internal.baseline_pages(relation) / 128)))::integer,
        workers) AS d;
    plan.path := parity_internal.baseline_path();
    plan.highest_bound := digested.highest_bound;
    plan.highest_key := digested.highest_key;
    plan.highest_row := digested.highest_row;
    PERFORM parity_internal.baseline_store(plan, digested.kept_ranges, replace);
    captured_rows := (SELECT sum(r.row_count) FROM unnest(digested.kept_ranges) AS r);
    captured_ranges := cardinality(digested.kept_ranges);
    highest_key := digested.highest_key;
END
$$;
COMMENT ON FUNCTION parity.capture(regclass, text, integer, text[], text[], jsonb, text, integer, integer, boolean) IS
    'keeps digests of a table as it is now, for parity.verify_baseline; gives the rows and ranges that were digested, '
    'and the highest key, beyond which rows may be appended (NULL: appended rows cannot be told from others)';

-- This function has no pinned search_path, because it finds the table as the caller does.
CREATE FUNCTION parity.drop_baseline(relation text, label text) RETURNS boolean
    LANGUAGE sql VOLATILE AS $$
    SELECT coalesce((
        SELECT parity_internal.baseline_remove(b.id) FROM parity.baseline b
        WHERE b.label OPERATOR(pg_catalog.=) $2
          AND b.relation
              OPERATOR(pg_catalog.=) coalesce(parity_internal.baseline_name(pg_catalog.to_regclass($1)), $1)), false)
$$;
COMMENT ON FUNCTION parity.drop_baseline(text, text) IS
    'removes a baseline and tells whether there was one; a table that is gone or was renamed is named as '
    'parity.baseline has it';
