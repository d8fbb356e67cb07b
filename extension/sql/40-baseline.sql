
--
-- baselines: digests of a table that are kept, to compare the table with its own past
--

CREATE FUNCTION parity_internal.greater_bound(bytea, bytea, forms text[]) RETURNS bytea
    AS 'MODULE_PATHNAME', 'parity_greater_bound' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION parity_internal.greater_bound(bytea, bytea, text[]) IS
    'the greater of two bounds of a key whose columns have these forms; internal';

CREATE AGGREGATE parity_internal.highest_bound(bytea, forms text[]) (SFUNC = parity_internal.greater_bound, STYPE = bytea, PARALLEL = SAFE);
COMMENT ON AGGREGATE parity_internal.highest_bound(bytea, text[]) IS
    'the highest of the bounds of a key whose columns have these forms; internal';

CREATE TABLE parity.baseline (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    relation text NOT NULL,
    label text NOT NULL CHECK (label <> ''),
    captured timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    captured_by name NOT NULL DEFAULT SESSION_USER,
    key_columns text[] NOT NULL,
    columns text[] NOT NULL,
    all_columns boolean NOT NULL,
    kind "char" NOT NULL,
    path text,
    forms jsonb NOT NULL,
    filter text,
    format_version integer NOT NULL,
    seed bigint NOT NULL,
    width integer NOT NULL,
    ranges integer NOT NULL,
    row_count bigint NOT NULL,
    highest_bound bytea,
    highest_key text,
    highest_row bytea,
    UNIQUE (relation, label)
);
COMMENT ON TABLE parity.baseline IS
    'one row a baseline: what parity.capture kept of a table, and how it was digested; written by parity_internal.baseline_store and baseline_remove only';
COMMENT ON COLUMN parity.baseline.relation IS 'the table''s qualified name when it was captured';
COMMENT ON COLUMN parity.baseline.label IS 'tells the baselines of a table apart';
COMMENT ON COLUMN parity.baseline.captured_by IS 'the role that had logged in';
COMMENT ON COLUMN parity.baseline.key_columns IS 'the columns that identify a row; none: the rows have no key';
COMMENT ON COLUMN parity.baseline.columns IS 'the other columns that were digested, in this order';
COMMENT ON COLUMN parity.baseline.all_columns IS 'whether all columns were meant, so that one that was added since is missing';
COMMENT ON COLUMN parity.baseline.kind IS 'what the relation was, as in pg_class.relkind';
COMMENT ON COLUMN parity.baseline.path IS
    'how its rows were read: scan (its pages) or aggregate (a query); NULL: in a serializable transaction, which has no choice';
COMMENT ON COLUMN parity.baseline.forms IS 'what the columns were hashed as';
COMMENT ON COLUMN parity.baseline.filter IS 'which rows were digested; NULL: all';
COMMENT ON COLUMN parity.baseline.format_version IS 'of the digests';
COMMENT ON COLUMN parity.baseline.seed IS
    'random; who knows it can look for other rows with the same digests, so that parity_reader may not see it';
COMMENT ON COLUMN parity.baseline.width IS 'bits of a sum';
COMMENT ON COLUMN parity.baseline.highest_bound IS
    'where the last range begins: the highest key; NULL where there is none, because rows have no key, or one without an order that ranges have, or there are no rows';
COMMENT ON COLUMN parity.baseline.highest_key IS 'the same for people';
COMMENT ON COLUMN parity.baseline.highest_row IS 'the hashes of the row with the highest key: of the row and its cells';

CREATE TABLE parity.baseline_range (
    baseline_id bigint NOT NULL REFERENCES parity.baseline ON DELETE CASCADE,
    range_no integer NOT NULL,
    lower_key bytea,
    upper_key bytea,
    lower_bound text,
    upper_bound text,
    row_count bigint NOT NULL,
    key_digest text NOT NULL,
    row_digest text NOT NULL,
    column_digests text[] NOT NULL,
    PRIMARY KEY (baseline_id, range_no)
);
COMMENT ON TABLE parity.baseline_range IS
    'one row a range of a baseline: its bounds and digests. Digests are texts, so that a dump can be restored where the extension has another format of digests';
COMMENT ON COLUMN parity.baseline_range.lower_key IS 'the first key of the range as bytes; NULL: it has no lower end';
COMMENT ON COLUMN parity.baseline_range.upper_key IS 'the key that the range ends before; NULL: it has no upper end';
COMMENT ON COLUMN parity.baseline_range.lower_bound IS 'lower_key for people';
COMMENT ON COLUMN parity.baseline_range.upper_bound IS 'upper_key for people';
COMMENT ON COLUMN parity.baseline_range.key_digest IS 'of the rows'' keys';
COMMENT ON COLUMN parity.baseline_range.row_digest IS 'of whole rows';
COMMENT ON COLUMN parity.baseline_range.column_digests IS 'in the order of the baseline''s columns';

SELECT pg_catalog.pg_extension_config_dump('parity.baseline', '');
SELECT pg_catalog.pg_extension_config_dump('parity.baseline_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('parity.baseline_range', '');

CREATE FUNCTION parity_internal.baseline_name(relation regclass) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT parity_internal.record_name(c.oid) FROM pg_class c WHERE c.oid = relation AND c.relpersistence <> 't'
$$;
COMMENT ON FUNCTION parity_internal.baseline_name(regclass) IS
    'the qualified name under which baselines of a relation are kept; NULL for a temporary one, whose name means nothing to others; internal';

-- Who may not read a table has nothing to say about what it was, and takes nobody's baseline away.
CREATE FUNCTION parity_internal.baseline_require_own(kept parity.baseline) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM parity_internal.record_require_read(kept.relation, CASE WHEN kept.all_columns THEN '{}' ELSE '{"columns": []}' END::jsonb);
    IF kept.captured_by <> SESSION_USER AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = SESSION_USER AND r.rolsuper) THEN
        RAISE EXCEPTION USING ERRCODE = '42501',
            MESSAGE = format('the baseline "%s" of %s was captured by "%s"', kept.label, kept.relation, kept.captured_by),
            HINT = 'That role, or a superuser, can replace or remove it.';
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_require_own(parity.baseline) IS
    'an error (42501) unless the role that logged in captured a baseline or is a superuser, and may read its table, if that is there; internal';

CREATE FUNCTION parity_internal.baseline_store(kept parity.baseline, kept_ranges parity.baseline_range[], replace boolean) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made bigint;
    older parity.baseline;
BEGIN
    kept.captured_by := SESSION_USER;
    PERFORM parity_internal.baseline_require_own(kept);
    IF replace THEN
        FOR older IN SELECT * FROM parity.baseline b WHERE b.relation = kept.relation AND b.label = kept.label FOR UPDATE LOOP
            PERFORM parity_internal.baseline_require_own(older);
            DELETE FROM parity.baseline b WHERE b.id = older.id;
        END LOOP;
    END IF;
    INSERT INTO parity.baseline (relation, label, key_columns, columns, all_columns, kind, path, forms, filter, format_version, seed, width,
                                 ranges, row_count, highest_bound, highest_key, highest_row)
    VALUES (kept.relation, kept.label, kept.key_columns, kept.columns, kept.all_columns, kept.kind, kept.path, kept.forms, kept.filter,
            parity.format_version(), kept.seed, kept.width, cardinality(kept_ranges), (SELECT sum(r.row_count) FROM unnest(kept_ranges) AS r),
            kept.highest_bound, kept.highest_key, kept.highest_row)
    RETURNING id INTO made;
    INSERT INTO parity.baseline_range
    SELECT made, r.range_no, r.lower_key, r.upper_key, r.lower_bound, r.upper_bound, r.row_count, r.key_digest, r.row_digest,
           r.column_digests
    FROM unnest(kept_ranges) AS r;
    RETURN made;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_store(parity.baseline, parity.baseline_range[], boolean) IS
    'keeps what parity.capture has digested; internal';

CREATE FUNCTION parity_internal.baseline_remove(removed bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    older parity.baseline;
BEGIN
    SELECT * INTO older FROM parity.baseline WHERE id = removed FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM parity_internal.baseline_require_own(older);
    DELETE FROM parity.baseline WHERE id = removed;
    RETURN true;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_remove(bigint) IS 'removes a baseline; internal';

-- What reads a table is stable, so that it sees the snapshot of the statement that calls it.
CREATE FUNCTION parity_internal.baseline_row(
    relation regclass, plan parity.baseline, bound bytea, OUT holders bigint, OUT key_text text, OUT hashes bytea)
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(*), min(r.key_text), (array_agg(r.row_hash || r.cell_hashes))[1]
    FROM parity.row_digests(
        relation, keys => ARRAY[substr(bound, 2)], key_columns => plan.key_columns, columns => plan.columns, forms => plan.forms,
        filter => plan.filter, seed => plan.seed, width => plan.width) AS r
$$;
COMMENT ON FUNCTION parity_internal.baseline_row(regclass, parity.baseline, bytea) IS
    'the row whose key a bound is: how many have it, its key for people, the hashes of the row and its cells; internal';

CREATE FUNCTION parity_internal.baseline_ranges(relation regclass, plan parity.baseline, bounds bytea[], workers integer)
    RETURNS SETOF parity.baseline_range
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT plan.id, d.range_no, d.lower_key, d.upper_key, d.lower_bound, d.upper_bound, d.row_count, d.key_digest::text, d.row_digest::text,
           d.column_digests::text[]
    FROM parity.range_digests(
        relation, bounds => bounds, key_columns => plan.key_columns, columns => plan.columns, forms => plan.forms, filter => plan.filter,
        seed => plan.seed, width => plan.width, workers => workers) AS d
$$;
COMMENT ON FUNCTION parity_internal.baseline_ranges(regclass, parity.baseline, bytea[], integer) IS 'digests a table as a baseline says; internal';

CREATE FUNCTION parity_internal.baseline_pages(relation regclass) RETURNS bigint
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(sum(pg_relation_size(p.relid)), pg_relation_size(relation), 0)::bigint / current_setting('block_size')::bigint
    FROM pg_partition_tree(relation) AS p
$$;
COMMENT ON FUNCTION parity_internal.baseline_pages(regclass) IS 'the pages of a relation and its partitions; internal';

-- All under one snapshot: the highest key is that of the rows that are digested. Pinned is what the answer, or how a filter is read, could
-- depend on.
CREATE FUNCTION parity_internal.baseline_digest(
    relation regclass, plan parity.baseline, ranges integer, workers integer,
    OUT kept_ranges parity.baseline_range[], OUT highest_bound bytea, OUT highest_key text, OUT highest_row bytea)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET enable_indexonlyscan = off SET TimeZone = 'UTC'
    SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' SET xmlbinary = 'base64'
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
    SELECT array_agg(s.bound ORDER BY s.bound_no) INTO bounds FROM parity.split_keys(relation, ranges, plan.key_columns, plan.forms) AS s;
    SELECT array_agg(s.bound ORDER BY s.bound_no) INTO starts
    FROM parity.split_keys(
        relation, least(16384, greatest(64, parity_internal.baseline_pages(relation) / 20))::integer, plan.key_columns, plan.forms) AS s;
    start := coalesce(cardinality(starts), 0);
    -- 104: bounds of hashes, by which rows have no order. Else the highest key lies behind the last bound, or further down where no row
    -- is left.
    WHILE start >= 0 AND highest_bound IS NULL AND coalesce(get_byte(starts[1], 0), 0) <> 104 AND key_forms <> '{}' LOOP
        SELECT parity_internal.highest_bound('\x6b'::bytea || r.key, key_forms) INTO highest_bound
        FROM parity.row_digests(
            relation, lower_bound => starts[start], key_columns => plan.key_columns, columns => '{}', forms => plan.forms,
            filter => plan.filter) AS r;
        start := CASE WHEN start > 0 THEN greatest(start - step, 0) ELSE -1 END;
        step := step * 2;
    END LOOP;
    IF highest_bound IS NOT NULL THEN
        SELECT r.holders, r.key_text, r.hashes INTO holders, highest_key, highest_row
        FROM parity_internal.baseline_row(relation, plan, highest_bound) AS r;
        bounds := ARRAY(
            SELECT b.bound FROM unnest(bounds) WITH ORDINALITY AS b(bound, place)
            WHERE b.bound <> highest_bound AND parity_internal.greater_bound(highest_bound, b.bound, key_forms) = highest_bound ORDER BY b.place)
            || highest_bound;
    END IF;
    SELECT array_agg(d ORDER BY d.range_no) INTO kept_ranges FROM parity_internal.baseline_ranges(relation, plan, bounds, workers) AS d;
    -- Of no rows there is one range: all that come are beyond.
    IF cardinality(kept_ranges) > 1 AND (SELECT sum(r.row_count) FROM unnest(kept_ranges) AS r) = 0 THEN
        SELECT array_agg(d ORDER BY d.range_no) INTO kept_ranges FROM parity_internal.baseline_ranges(relation, plan, '{}', workers) AS d;
    END IF;
    -- Several rows with the highest key, under a key that is not unique, or one that only a scan sees: then nothing is beyond it for sure.
    IF highest_bound IS NOT NULL AND (holders <> 1 OR kept_ranges[cardinality(kept_ranges)].row_count <> 1) THEN
        highest_bound := NULL;
        highest_key := NULL;
        highest_row := NULL;
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_digest(regclass, parity.baseline, integer, integer) IS
    'digests a table for a baseline, under bounds that it chooses; the last is the highest key where keys have an order; internal';

-- How the session's last digests were read: from pages, all of them or few, or by a query. A serializable transaction reads all by queries.
CREATE FUNCTION parity_internal.baseline_path() RETURNS text
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN current_setting('transaction_isolation') <> 'serializable' THEN replace(d.path, 'index', 'scan') END
    FROM parity.last_digest() AS d
$$;
COMMENT ON FUNCTION parity_internal.baseline_path() IS 'how a baseline''s rows were read, as parity.baseline has it; internal';

CREATE FUNCTION parity_internal.baseline_kind(kind "char") RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE kind WHEN 'r' THEN 'a table' WHEN 'p' THEN 'a partitioned table' WHEN 'm' THEN 'a materialized view' WHEN 'v' THEN 'a view'
                     WHEN 'f' THEN 'a foreign table' ELSE format('of kind %s', kind) END
$$;
COMMENT ON FUNCTION parity_internal.baseline_kind("char") IS 'a kind of relation in words; internal';

-- Another one may have the name by now. Reading a view would run what its owner wrote. The lock stays, so that it is what is read.
CREATE FUNCTION parity_internal.baseline_hold(relation regclass, kept parity.baseline) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kind CONSTANT "char" := parity.hold_relation(relation);
BEGIN
    IF kind IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = format('relation with OID %s does not exist', relation::oid), ERRCODE = '42P01';
    ELSIF kind <> kept.kind THEN
        RAISE EXCEPTION USING ERRCODE = '42809', HINT = 'Find out who replaced it, or capture it again with replace => true.',
            MESSAGE = format('%s was %s when it was captured, and is %s now', kept.relation, parity_internal.baseline_kind(kept.kind),
                             parity_internal.baseline_kind(kind));
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_hold(regclass, parity.baseline) IS
    'locks a relation until the end of the transaction; an error (42809) unless it is of the kind that was captured; internal';

-- Random bits of two version 4 UUIDs, which come from the server's strong generator.
CREATE FUNCTION parity_internal.baseline_seed() RETURNS bigint
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ('x' || left(gen_random_uuid()::text, 8) || right(gen_random_uuid()::text, 8))::bit(64)::bigint
$$;
COMMENT ON FUNCTION parity_internal.baseline_seed() IS 'a seed that nobody can guess; internal';

CREATE FUNCTION parity_internal.baseline_plan(
    relation regclass, label text, key_columns text[], columns text[], forms jsonb, filter text, width integer) RETURNS parity.baseline
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on AS $$
DECLARE
    plan parity.baseline;
BEGIN
    PERFORM parity_internal.record_require_values(jsonb_build_object('relation', relation::oid, 'label', label, 'width', width), '{relation,label,width}');
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
    SELECT coalesce(jsonb_object_agg(f.column_name, f.form) FILTER (WHERE f.form IS NOT NULL), '{}') || coalesce(baseline_plan.forms, '{}')
    INTO plan.forms FROM parity.forms(relation) AS f WHERE f.column_name = ANY (plan.key_columns || plan.columns);
    plan.filter := filter;
    plan.width := width;
    plan.seed := parity_internal.baseline_seed();
    RETURN plan;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_plan(regclass, text, text[], text[], jsonb, text, integer) IS
    'how a table will be digested for a baseline, with all that is left out filled in; internal';

CREATE FUNCTION parity.capture(
    relation regclass, label text, ranges integer DEFAULT NULL, key_columns text[] DEFAULT NULL, columns text[] DEFAULT NULL,
    forms jsonb DEFAULT NULL, filter text DEFAULT NULL, width integer DEFAULT 64, workers integer DEFAULT NULL,
    replace boolean DEFAULT false,
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
        RAISE EXCEPTION USING MESSAGE = format('%s has a baseline "%s" already', plan.relation, label), ERRCODE = '42710',
            HINT = 'Take another label, or replace => true.';
    END IF;
    -- About a megabyte a range; fewer for very wide tables, whose digests take memory.
    SELECT d.* INTO digested FROM parity_internal.baseline_digest(relation, plan, coalesce(ranges, greatest(16, least(
        1024, 100000 / (cardinality(plan.columns) + 2), parity_internal.baseline_pages(relation) / 128)))::integer, workers) AS d;
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
    'keeps digests of a table as it is now, for parity.verify_baseline; gives the rows and ranges that were digested, and the highest key, beyond which rows may be appended (NULL: appended rows cannot be told from others)';

-- Without a pinned search_path, because it finds the table by the caller's.
CREATE FUNCTION parity.drop_baseline(relation text, label text) RETURNS boolean
    LANGUAGE sql VOLATILE AS $$
    SELECT coalesce((
        SELECT parity_internal.baseline_remove(b.id) FROM parity.baseline b
        WHERE b.label OPERATOR(pg_catalog.=) $2
          AND b.relation OPERATOR(pg_catalog.=) coalesce(parity_internal.baseline_name(pg_catalog.to_regclass($1)), $1)), false)
$$;
COMMENT ON FUNCTION parity.drop_baseline(text, text) IS
    'removes a baseline and tells whether there was one; a table that is gone or was renamed is named as parity.baseline has it';

CREATE FUNCTION parity_internal.baseline_find(relation regclass, label text, captured_as text, allow_appends boolean) RETURNS bigint
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kept parity.baseline;
    name text := coalesce(captured_as, parity_internal.baseline_name(relation));
BEGIN
    PERFORM parity_internal.record_require_values(jsonb_build_object('relation', relation::oid, 'label', label, 'allow_appends', allow_appends),
                                         '{relation,label,allow_appends}');
    SELECT * INTO kept FROM parity.baseline b WHERE b.relation = name AND b.label = baseline_find.label;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING MESSAGE = format('%s has no baseline "%s"', name, label), ERRCODE = '42704',
            HINT = coalesce(
                (SELECT format('There is one of %s, which is gone; captured_as => %L takes it.', b.relation, b.relation) FROM parity.baseline b
                 WHERE b.label = baseline_find.label AND to_regclass(b.relation) IS NULL ORDER BY b.captured DESC LIMIT 1),
                'SELECT parity.capture(relation, label) makes one.');
    END IF;
    IF allow_appends AND kept.highest_bound IS NULL AND kept.row_count > 0 OR allow_appends AND cardinality(kept.key_columns) = 0 THEN
        RAISE EXCEPTION USING MESSAGE = format('the baseline "%s" of %s cannot allow appended rows', label, name), ERRCODE = '0A000',
            DETAIL = 'It has no highest key beyond which rows could be told from others: '
                     'its rows have no key, or no unique one, or no B-tree orders them.';
    END IF;
    RETURN kept.id;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_find(regclass, text, text, boolean) IS 'the baseline to compare a table with; internal';

-- A filter is code: it runs with the rights of whoever verifies.
CREATE FUNCTION parity_internal.baseline_require(kept parity.baseline) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    stored record;
BEGIN
    IF kept.format_version <> parity.format_version() THEN
        RAISE EXCEPTION USING ERRCODE = '0A000', HINT = 'Capture it again with replace => true.', MESSAGE = format(
            'the baseline was captured with version %s of the digest format, this is version %s', kept.format_version,
            parity.format_version());
    END IF;
    SELECT count(*) AS ranges, sum(r.row_count) AS rows INTO stored FROM parity.baseline_range r WHERE r.baseline_id = kept.id;
    IF stored.ranges <> kept.ranges OR stored.rows IS DISTINCT FROM kept.row_count THEN
        RAISE EXCEPTION USING ERRCODE = 'XX001', MESSAGE = format(
            'the baseline is damaged: %s ranges with %s rows are left of %s with %s', stored.ranges, stored.rows, kept.ranges, kept.row_count);
    END IF;
    IF kept.filter IS NOT NULL AND kept.captured_by NOT IN (CURRENT_USER, SESSION_USER)
       AND NOT coalesce((SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = kept.captured_by), false) THEN
        RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = format('the filter of the baseline was written by "%s"', kept.captured_by),
            DETAIL = 'It would run with the rights of who verifies.', HINT = 'Let that role verify, or capture it again.';
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_require(parity.baseline) IS
    'an error unless a baseline can be compared by this server and this role; internal';

CREATE FUNCTION parity_internal.baseline_added_columns(relation regclass, kept parity.baseline) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY(SELECT f.column_name FROM parity.forms(relation) AS f
                 WHERE kept.all_columns AND f.column_name <> ALL (kept.key_columns || kept.columns) ORDER BY f.column_name::text COLLATE "C")
$$;
COMMENT ON FUNCTION parity_internal.baseline_added_columns(regclass, parity.baseline) IS 'columns that a baseline of all columns does not have; internal';

CREATE FUNCTION parity_internal.baseline_differing(names text[], one text[], other text[]) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY(SELECT d.name FROM unnest(names, one, other) WITH ORDINALITY AS d(name, one, other, place)
                 WHERE d.one::parity.digest OPERATOR(parity.<>) d.other::parity.digest ORDER BY d.place)
$$;
COMMENT ON FUNCTION parity_internal.baseline_differing(text[], text[], text[]) IS 'the columns whose digests differ; internal';

-- The row with the highest captured key, where rows may follow it.
CREATE FUNCTION parity_internal.baseline_last_row(
    relation regclass, kept parity.baseline, OUT holders bigint, OUT differs boolean, OUT columns text[])
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    now record;
    bytes integer := kept.width / 8;
BEGIN
    SELECT r.holders, r.hashes INTO now FROM parity_internal.baseline_row(relation, kept, kept.highest_bound) AS r;
    holders := now.holders;
    differs := holders <> 1 OR now.hashes <> kept.highest_row;
    columns := ARRAY(SELECT c.name FROM unnest(kept.columns) WITH ORDINALITY AS c(name, place)
                     WHERE holders = 1 AND substr(now.hashes, 1 + bytes * c.place::integer, bytes)
                                        <> substr(kept.highest_row, 1 + bytes * c.place::integer, bytes)
                     ORDER BY c.place);
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_last_row(regclass, parity.baseline) IS
    'compares the row with the highest captured key alone: how many rows have the key now, whether it differs, in which columns; internal';

CREATE FUNCTION parity_internal.baseline_compare(
    relation regclass, kept parity.baseline, allow_appends boolean, workers integer, max_ranges integer) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    now parity.baseline_range[];
    last_holders bigint := 0;
    last_differs boolean := false;
    last_columns text[] := '{}';
    appended bigint;
    findings jsonb;
    counts jsonb;
    differing integer;
    differing_columns text[];
    added text[] := parity_internal.baseline_added_columns(relation, kept);
    effort record;
    counted bigint;
BEGIN
    SELECT array_agg(d ORDER BY d.range_no), sum(d.row_count) INTO now, counted FROM parity_internal.baseline_ranges(relation, kept, ARRAY(
        SELECT r.lower_key FROM parity.baseline_range r WHERE r.baseline_id = kept.id AND r.lower_key IS NOT NULL ORDER BY r.range_no),
        workers) AS d;
    SELECT * INTO effort FROM parity.last_digest();
    IF parity_internal.baseline_path() <> kept.path THEN
        RAISE EXCEPTION USING ERRCODE = '55000', HINT = 'parity.range_digests(...) with path => ''scan'' tells why.', MESSAGE = format(
            '%s was read %s when it was captured, and is read %s now', kept.relation,
            CASE kept.path WHEN 'scan' THEN 'from its pages' ELSE 'by a query' END,
            CASE kept.path WHEN 'scan' THEN 'by a query' ELSE 'from its pages' END);
    END IF;
    IF cardinality(now) IS DISTINCT FROM kept.ranges THEN
        RAISE EXCEPTION USING ERRCODE = 'XX000', MESSAGE = format(
            'the baseline has %s ranges, and the table was digested in %s', kept.ranges, cardinality(now));
    END IF;
    IF allow_appends THEN
        IF kept.row_count > 0 THEN
            SELECT l.holders, l.differs, l.columns INTO last_holders, last_differs, last_columns
            FROM parity_internal.baseline_last_row(relation, kept) AS l;
        END IF;
        appended := now[kept.ranges].row_count - last_holders;
    END IF;
    WITH range AS (
        SELECT r.range_no, r.lower_bound, r.upper_bound, r.row_count AS captured, n.row_count AS rows,
               CASE WHEN allow_appends AND r.range_no = kept.ranges THEN last_differs
                    ELSE n.key_digest::parity.digest OPERATOR(parity.<>) r.key_digest::parity.digest
                         OR n.row_digest::parity.digest OPERATOR(parity.<>) r.row_digest::parity.digest
                         OR parity_internal.baseline_differing(kept.columns, n.column_digests, r.column_digests) <> '{}' END AS differs,
               CASE WHEN allow_appends AND r.range_no = kept.ranges THEN last_columns
                    ELSE parity_internal.baseline_differing(kept.columns, n.column_digests, r.column_digests) END AS columns
        FROM parity.baseline_range r JOIN unnest(now) AS n ON n.range_no = r.range_no WHERE r.baseline_id = kept.id
    ), divergent AS (
        SELECT *, row_number() OVER (ORDER BY range_no) AS place FROM range WHERE differs
    )
    SELECT count(*), coalesce(jsonb_agg(jsonb_build_object(
               'kind', 'range', 'state', 'divergent', 'key', jsonb_build_object('lower', d.lower_bound, 'upper', d.upper_bound),
               'columns', d.columns) ORDER BY d.range_no) FILTER (WHERE d.place <= max_ranges), '[]'),
           jsonb_agg(jsonb_build_object('range_no', d.range_no, 'captured', d.captured, 'now', d.rows)
                     ORDER BY d.range_no)
               FILTER (WHERE d.place <= max_ranges AND d.rows <> d.captured AND NOT (allow_appends AND d.range_no = kept.ranges)),
           ARRAY(SELECT c.name FROM unnest(kept.columns) WITH ORDINALITY AS c(name, place)
                 WHERE EXISTS (SELECT FROM divergent e WHERE c.name = ANY (e.columns)) ORDER BY c.place)
    INTO differing, findings, counts, differing_columns FROM divergent d;
    RETURN jsonb_build_object(
        'status', CASE WHEN differing > 0 THEN 'divergent' WHEN added <> '{}' THEN 'incomplete' ELSE 'identical' END,
        'findings', findings,
        'facts', jsonb_build_object(
            'source_rows', counted, 'target_rows', kept.row_count, 'ranges', kept.ranges,
            'divergent_ranges', differing, 'unnamed_ranges', differing, 'divergent_columns', differing_columns,
            'not_compared', (
                SELECT coalesce(jsonb_agg(jsonb_build_object('what', format('column %I', a), 'reason', 'added after the capture')), '[]')
                FROM unnest(added) AS a),
            'message', nullif(concat_ws('; ',
                CASE WHEN differing > 0 AND counted - coalesce(appended, 0) <> kept.row_count
                     THEN format('%s rows now, %s captured', counted - coalesce(appended, 0), kept.row_count) END,
                CASE WHEN added <> '{}' THEN format('columns were added after the capture: %s', array_to_string(added, ', ')) END,
                CASE WHEN differing > max_ranges THEN format('only the first %s of the ranges are recorded', max_ranges) END,
                CASE WHEN appended > 0 THEN format('%s appended rows are not compared', appended) END), ''),
            'details', jsonb_strip_nulls(jsonb_build_object(
                'captured', kept.captured, 'appended_rows', appended, 'row_counts', counts, 'path', effort.path,
                'workers_requested', effort.workers_requested, 'workers_launched', effort.workers_launched,
                'milliseconds', round(effort.milliseconds::numeric)))));
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_compare(regclass, parity.baseline, boolean, integer, integer) IS
    'digests a table again as it was captured and compares: {"status", "findings": what record_divergences takes, "facts": what record_table_finish takes}; internal';

CREATE FUNCTION parity_internal.baseline_pass(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET enable_indexonlyscan = off SET TimeZone = 'UTC'
    SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'postgres' SET extra_float_digits = 3 SET bytea_output = 'hex' SET xmlbinary = 'base64'
    SET lc_numeric = 'C' SET quote_all_identifiers = off SET array_nulls = on SET standard_conforming_strings = on
    SET backslash_quote = 'safe_encoding' SET transform_null_equals = off AS $$
DECLARE
    ask CONSTANT jsonb := job -> 'ask';
    relation CONSTANT regclass := (job ->> 'relation')::oid::regclass;
    kept parity.baseline;
    said text;
    state text;
BEGIN
    IF current_setting('transaction_isolation') NOT IN ('repeatable read', 'serializable') THEN
        RAISE EXCEPTION USING MESSAGE = 'a pass must see one snapshot', ERRCODE = '25001';
    END IF;
    IF NOT pg_try_advisory_xact_lock(parity_internal.verify_lock_class('baseline', ask ->> 'label'), relation::oid::bigint::bit(32)::integer) THEN
        RETURN jsonb_build_object('status', 'skipped', 'findings', '[]'::jsonb, 'facts', jsonb_build_object(
            'message', 'another run has the table' || parity_internal.verify_lock_holder('baseline', ask ->> 'label', relation::oid)));
    END IF;
    BEGIN
        PERFORM set_config('lock_timeout', (extract(epoch FROM (ask ->> 'lock_timeout')::interval) * 1000)::bigint::text, true);
        SELECT * INTO STRICT kept FROM parity.baseline b WHERE b.id = (job ->> 'baseline')::bigint;
        PERFORM parity_internal.baseline_require(kept);
        PERFORM parity_internal.baseline_hold(relation, kept);
        RETURN parity_internal.baseline_compare(relation, kept, (ask ->> 'allow_appends')::boolean, (ask ->> 'workers')::integer,
                                       coalesce((ask ->> 'max_ranges')::integer, 2147483647));
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
        GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, state = RETURNED_SQLSTATE;
        RETURN jsonb_build_object('status', CASE WHEN state = '57014' THEN 'cancelled' ELSE 'failed' END, 'findings', '[]'::jsonb,
                                  'facts', jsonb_build_object('sqlstate', state, 'message', said));
    END;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_pass(jsonb) IS
    'what baseline_compare gives, also where that fails or another run has the table; internal';

-- A finding that cannot be written down is told nevertheless.
CREATE FUNCTION parity_internal.baseline_record(job jsonb, outcome jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part CONSTANT bigint := job ->> 'part';
    result text := outcome ->> 'status';
    facts jsonb := outcome -> 'facts';
    said text;
    state text;
BEGIN
    BEGIN
        PERFORM parity_internal.record_divergences(part, outcome -> 'findings');
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
        GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, state = RETURNED_SQLSTATE;
        facts := facts || jsonb_build_object('sqlstate', state, 'message', 'what differs could not be recorded: ' || said);
        result := CASE WHEN result = 'divergent' THEN result WHEN state = '57014' THEN 'cancelled' ELSE 'failed' END;
    END;
    PERFORM parity_internal.record_table_finish(part, result, facts);
    RETURN job || jsonb_build_object('status', result, 'sqlstate', facts -> 'sqlstate', 'step', 'done');
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_record(jsonb, jsonb) IS 'records what a pass gave; internal';

-- Which rows and columns, if not all, or that it was captured under another name.
CREATE FUNCTION parity_internal.baseline_scope(kept parity.baseline, name text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'filter', kept.filter, 'columns', CASE WHEN NOT kept.all_columns THEN kept.columns END,
        'target_relation', CASE WHEN kept.relation <> name THEN kept.relation END))
$$;
COMMENT ON FUNCTION parity_internal.baseline_scope(parity.baseline, text) IS 'what a baseline is about, as parity.run_table has it; internal';

-- `asked` has what parity_internal.record_find gave for relation and callback in "found" and "called".
CREATE FUNCTION parity_internal.baseline_begin(asked jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found CONSTANT jsonb := asked -> 'found';
    name CONSTANT text := found ->> 'name';
    ask jsonb := parity_internal.verify_take_callback(asked);
    error jsonb := coalesce(found -> 'error', ask -> 'error');
    kept parity.baseline;
    run bigint;
    part bigint;
    state text;
    message text;
    detail text;
    hint text;
BEGIN
    PERFORM parity_internal.verify_leave_behind();
    PERFORM parity_internal.record_require_values(asked, '{relation,label}');
    IF error IS NULL THEN
        BEGIN
            kept.id := parity_internal.baseline_find((found ->> 'oid')::oid::regclass, ask ->> 'label', ask ->> 'captured_as',
                                            (ask ->> 'allow_appends')::boolean);
            SELECT * INTO kept FROM parity.baseline b WHERE b.id = kept.id;
        EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
            GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
                hint = PG_EXCEPTION_HINT;
            error := jsonb_build_object('sqlstate', state, 'message', message, 'detail', detail, 'hint', hint);
        END;
    END IF;
    run := parity_internal.record_run_start('baseline', current_database(), ask ->> 'label',
        (SELECT format('pg_parity %s', e.extversion) FROM pg_extension e WHERE e.extname = 'pg_parity'),
        jsonb_strip_nulls(ask - '{label,error,callback_oid}'::text[]), true);
    IF error IS NOT NULL THEN
        RETURN parity_internal.verify_refused(ask, run, name, jsonb_strip_nulls(jsonb_build_object(
            'target_relation', CASE WHEN ask ->> 'captured_as' <> name THEN ask -> 'captured_as' END)), error);
    END IF;
    part := parity_internal.record_table_start(run, name, kept.relation, parity_internal.baseline_scope(kept, name));
    PERFORM parity_internal.record_table_phase(part, 'digesting');
    RETURN jsonb_build_object('ask', ask, 'run', run, 'part', part, 'relation', found -> 'oid', 'baseline', kept.id, 'step', 'pass');
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_begin(jsonb) IS 'begins the records of a comparison with a baseline, and its job; internal';

CREATE FUNCTION parity_internal.baseline_raise(job jsonb, result text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF job ? 'error' THEN
        PERFORM parity_internal.verify_raise(job, result);
    ELSIF result = 'cancelled' OR ((job -> 'ask' ->> 'fail')::boolean AND result <> 'identical') THEN
        RAISE EXCEPTION USING MESSAGE = parity_internal.record_line((job ->> 'run')::bigint, (job ->> 'part')::bigint),
            ERRCODE = CASE result WHEN 'cancelled' THEN '57014' WHEN 'divergent' THEN 'PP002' ELSE 'PP003' END;
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_raise(jsonb, text) IS
    'an error for a run that was refused or cancelled, or not identical where fail was asked for; internal';

-- A SET clause would forbid COMMIT: so every name and operator is qualified.
CREATE PROCEDURE parity.verify_baseline(
    relation text, label text, allow_appends boolean DEFAULT false, captured_as text DEFAULT NULL, workers integer DEFAULT NULL,
    max_ranges integer DEFAULT 1000, lock_timeout interval DEFAULT '10 s', callback text DEFAULT NULL, fail boolean DEFAULT false,
    INOUT run_id bigint DEFAULT NULL, INOUT result text DEFAULT NULL)
    LANGUAGE plpgsql AS $$
DECLARE
    job pg_catalog.jsonb;
    outcome pg_catalog.jsonb;
BEGIN
    PERFORM parity_internal.record_require_primary();
    COMMIT;  -- an error inside a transaction block, where nothing has been done yet
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE;
    job := parity_internal.baseline_begin(pg_catalog.jsonb_build_object(
        'relation', relation, 'label', label, 'allow_appends', allow_appends, 'captured_as', captured_as, 'workers', workers,
        'max_ranges', max_ranges, 'lock_timeout', lock_timeout, 'callback', callback, 'fail', fail,
        'found', parity_internal.record_find(relation), 'called', parity_internal.record_find_callback(callback)));
    run_id := pg_catalog.jsonb_extract_path_text(job, 'run')::pg_catalog.int8;
    COMMIT;
    IF parity_internal.verify_is_at(job, 'pass') THEN
        -- A table that was rewritten after the snapshot was taken (40001) is read under another one.
        FOR attempt IN 1..3 LOOP
            ROLLBACK;
            SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE;
            outcome := parity_internal.baseline_pass(job);
            EXIT WHEN (outcome OPERATOR(pg_catalog.#>>) '{facts,sqlstate}'::pg_catalog.text[])
                      OPERATOR(pg_catalog.=) '40001'::pg_catalog.text IS NOT TRUE;
        END LOOP;
        job := parity_internal.baseline_record(job, outcome);
        COMMIT;
    END IF;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE;
    job := parity_internal.verify_call_back(job);
    result := parity_internal.verify_end_run(job);
    COMMIT;
    PERFORM parity_internal.baseline_raise(job, result);
END
$$;
COMMENT ON PROCEDURE parity.verify_baseline(text, text, boolean, text, integer, integer, interval, text, boolean, bigint, text) IS
    'compares a table with its baseline of that label: digests it again under the same ranges, key, columns, forms and seed, records which ranges and columns differ, and tells. allow_appends: rows beyond the highest captured key are counted and not compared. captured_as: the name that the table had. fail: everything but identical ends in an error. lock_timeout: how long a lock is waited for. callback: the name of a function that is called with what NOTIFY tells, as jsonb';

DO $privileges$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT p.oid::pg_catalog.regprocedure AS name FROM pg_catalog.pg_proc p
        WHERE p.pronamespace OPERATOR(pg_catalog.=) ANY ('{parity,parity_internal}'::pg_catalog.regnamespace[]::pg_catalog.oid[])
          AND p.proname::pg_catalog.text OPERATOR(pg_catalog.~) '^(baseline_|capture$|verify_baseline$|drop_baseline$|greater_bound$|highest_bound$)'
    LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', part.name);
        EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO parity_operator', part.name);
    END LOOP;
END
$privileges$;
GRANT SELECT ON parity.baseline, parity.baseline_range TO parity_operator;
GRANT SELECT (id, relation, label, captured, captured_by, key_columns, columns, all_columns, kind, path, forms, filter, format_version, width,
              ranges, row_count)
    ON parity.baseline TO parity_reader;
