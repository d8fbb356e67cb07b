
--
-- baselines: digests of a table that are kept, to compare the table with its own past
--

CREATE FUNCTION parity_internal.greater_bound(bytea, bytea, forms text[]) RETURNS bytea
    AS 'MODULE_PATHNAME', 'parity_greater_bound' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION parity_internal.greater_bound(bytea, bytea, text[]) IS
    'the greater of two bounds of a key whose columns have these forms';

CREATE AGGREGATE parity_internal.highest_bound(bytea, forms text[]) (SFUNC = parity_internal.greater_bound,
    STYPE = bytea, PARALLEL = SAFE);
COMMENT ON AGGREGATE parity_internal.highest_bound(bytea, text[]) IS
    'the highest of the bounds of a key whose columns have these forms';

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
    'one row a baseline: what parity.capture kept of a table, and how it was digested; written by '
    'parity_internal.baseline_store and baseline_remove only';
COMMENT ON COLUMN parity.baseline.relation IS 'the table''s qualified name when it was captured';
COMMENT ON COLUMN parity.baseline.label IS 'tells the baselines of a table apart';
COMMENT ON COLUMN parity.baseline.captured_by IS 'the role that had logged in';
COMMENT ON COLUMN parity.baseline.key_columns IS 'the columns that identify a row; none: the rows have no key';
COMMENT ON COLUMN parity.baseline.columns IS 'the other columns that were digested, in this order';
COMMENT ON COLUMN parity.baseline.all_columns IS
    'whether all columns were meant, so that one that was added since is missing';
COMMENT ON COLUMN parity.baseline.kind IS 'what the relation was, as in pg_class.relkind';
COMMENT ON COLUMN parity.baseline.path IS
    'how its rows were read: scan (its pages) or aggregate (a query); NULL: in a serializable transaction, which has '
    'no choice';
COMMENT ON COLUMN parity.baseline.forms IS 'what the columns were hashed as';
COMMENT ON COLUMN parity.baseline.filter IS 'which rows were digested; NULL: all';
COMMENT ON COLUMN parity.baseline.format_version IS 'of the digests';
COMMENT ON COLUMN parity.baseline.seed IS
    'random; who knows it can look for other rows with the same digests, so that parity_reader may not see it';
COMMENT ON COLUMN parity.baseline.width IS 'bits of a sum';
COMMENT ON COLUMN parity.baseline.highest_bound IS
    'where the last range begins: the highest key; NULL where there is none, because rows have no key, or one without '
    'an order that ranges have, or there are no rows';
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
    'one row a range of a baseline: its bounds and digests. Digests are texts, so that a dump can be restored where '
    'the extension has another format of digests';
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
    'the qualified name under which baselines of a relation are kept; NULL for a temporary one, whose name means '
    'nothing to others';

-- A role that may not read a table cannot keep a baseline of it, and cannot remove another role's baseline.
CREATE FUNCTION parity_internal.baseline_require_own(kept parity.baseline) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM parity_internal.record_require_read(kept.relation,
        CASE WHEN kept.all_columns THEN '{}' ELSE '{"columns": []}' END::jsonb);
    IF kept.captured_by <> SESSION_USER
        AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = SESSION_USER AND r.rolsuper) THEN
        RAISE EXCEPTION USING ERRCODE = '42501',
            MESSAGE = format('the baseline "%s" of %s was captured by "%s"', kept.label, kept.relation,
                kept.captured_by),
            HINT = 'That role, or a superuser, can replace or remove it.';
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_require_own(parity.baseline) IS
    'an error (42501) unless the role that logged in captured a baseline or is a superuser, and may read its table, if '
    'that is there';

CREATE FUNCTION parity_internal.baseline_store(
    kept parity.baseline, kept_ranges parity.baseline_range[], replace boolean) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made bigint;
    older parity.baseline;
BEGIN
    kept.captured_by := SESSION_USER;
    PERFORM parity_internal.baseline_require_own(kept);
    IF replace THEN
        FOR older IN SELECT * FROM parity.baseline b
            WHERE b.relation = kept.relation AND b.label = kept.label FOR UPDATE LOOP
            PERFORM parity_internal.baseline_require_own(older);
            DELETE FROM parity.baseline b WHERE b.id = older.id;
        END LOOP;
    END IF;
    INSERT INTO parity.baseline (relation, label, key_columns, columns, all_columns, kind, path, forms, filter,
        format_version, seed, width, ranges, row_count, highest_bound, highest_key, highest_row)
    VALUES (kept.relation, kept.label, kept.key_columns, kept.columns, kept.all_columns, kept.kind, kept.path,
        kept.forms, kept.filter, parity.format_version(), kept.seed, kept.width, cardinality(kept_ranges),
        (SELECT sum(r.row_count) FROM unnest(kept_ranges) AS r),
        kept.highest_bound, kept.highest_key, kept.highest_row)
    RETURNING id INTO made;
    INSERT INTO parity.baseline_range
    SELECT made, r.range_no, r.lower_key, r.upper_key, r.lower_bound, r.upper_bound, r.row_count, r.key_digest,
        r.row_digest, r.column_digests
    FROM unnest(kept_ranges) AS r;
    RETURN made;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_store(parity.baseline, parity.baseline_range[], boolean) IS
    'keeps what parity.capture has digested';

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
COMMENT ON FUNCTION parity_internal.baseline_remove(bigint) IS 'removes a baseline';
