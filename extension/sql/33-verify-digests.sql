
--
-- verify: reading ranges, rows and values on both sides at the same time
--

CREATE FUNCTION parity_internal.verify_target_arguments(job jsonb) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(
        'relation => %L::oid::regclass, key_columns => %L::text[], columns => %L::text[], forms => %L::jsonb, '
        'filter => %L, seed => %L::bigint',
        job -> 'plan' ->> 'target_oid', parity_internal.verify_names(job -> 'plan' -> 'key'),
        parity_internal.verify_names(job -> 'plan' -> 'columns'), job -> 'plan' -> 'target_forms',
        job -> 'ask' ->> 'filter', job -> 'plan' ->> 'seed')
$$;
COMMENT ON FUNCTION parity_internal.verify_target_arguments(jsonb) IS
    'the arguments of every call of the extension on the target';

-- Digests ranges on both sides at the same time. The result has every range that was asked for.
CREATE FUNCTION parity_internal.verify_digests(
    job jsonb, bounds bytea[], only_ranges integer[], totals_only boolean,
    OUT range_no integer, OUT source_rows bigint, OUT target_rows bigint, OUT differs boolean, OUT columns text[],
    OUT source_digest text, OUT target_digest text)
    RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    plan jsonb := job -> 'plan';
    ask jsonb := job -> 'ask';
    started timestamptz := clock_timestamp();
    names text[] := parity_internal.verify_names(plan -> 'columns');
    numbers integer[];
    row_counts bigint[];
    keys parity.digest[];
    rows parity.digest[];
    cells text[];
    joined bigint;
BEGIN
    PERFORM parity_internal.verify_send(format(CASE WHEN totals_only THEN
            'SELECT d.*, NULL::text '
            'FROM parity.range_totals(%s, bounds => %L::bytea[], only_ranges => %L::integer[], workers => %L) t, '
            'unnest(t.range_numbers, t.row_counts, t.key_digests, t.row_digests) d'
        ELSE
            'SELECT range_no, row_count, key_digest, row_digest, column_digests::text '
            'FROM parity.range_digests(%s, bounds => %L::bytea[], only_ranges => %L::integer[], workers => %L)'
        END, parity_internal.verify_target_arguments(job), coalesce(bounds, '{}'), only_ranges,
        ask ->> 'remote_workers'));
    EXECUTE CASE WHEN totals_only THEN
            'SELECT array_agg(d.no), array_agg(d.rows), array_agg(d.key), array_agg(d.row), array_agg(NULL::text) '
            'FROM parity.range_totals('
        ELSE
            'SELECT array_agg(range_no), array_agg(row_count), array_agg(key_digest), array_agg(row_digest), '
            'array_agg(column_digests::text) FROM parity.range_digests('
        END || '$1, bounds => $2, key_columns => $3, columns => $4, forms => $5, filter => $6, seed => $7, '
               'workers => $8, only_ranges => $9) t'
        || CASE WHEN totals_only
                THEN ', unnest(t.range_numbers, t.row_counts, t.key_digests, t.row_digests) d(no, rows, key, row)'
                ELSE '' END
    INTO numbers, row_counts, keys, rows, cells
    USING (job ->> 'relation')::oid::regclass, coalesce(bounds, '{}'), parity_internal.verify_names(plan -> 'key'),
        names, plan -> 'source_forms', ask ->> 'filter', (plan ->> 'seed')::bigint, (ask ->> 'workers')::integer,
        only_ranges;
    PERFORM parity_internal.verify_await(parity_internal.verify_patience(ask, started));
    RETURN QUERY EXECUTE format($query$
        SELECT s.range_no, s.row_count, t.row_count,
            coalesce(s.row_count <> t.row_count OR s.key_digest OPERATOR(parity.<>) t.key_digest
                     OR s.row_digest OPERATOR(parity.<>) t.row_digest, true) OR s.cells IS DISTINCT FROM t.cells,
            CASE WHEN s.cells IS DISTINCT FROM t.cells THEN ARRAY(
                SELECT n.name FROM unnest($6, s.cells::parity.digest[], t.cells::parity.digest[])
                    WITH ORDINALITY AS n(name, s, t, no)
                WHERE n.s OPERATOR(parity.<>) n.t ORDER BY n.no) ELSE '{}' END,
            concat_ws(' ', s.key_digest, s.row_digest), concat_ws(' ', t.key_digest, t.row_digest)
        FROM unnest($1, $2, $3, $4, $5) AS s(range_no, row_count, key_digest, row_digest, cells)
        FULL JOIN %s.dblink_get_result($7) AS t(
            range_no integer, row_count bigint, key_digest parity.digest, row_digest parity.digest, cells text)
        USING (range_no)
        ORDER BY 1$query$, parity_internal.verify_dblink())
    USING numbers, row_counts, keys, rows, cells, names, 'pg_parity:target';
    GET DIAGNOSTICS joined = ROW_COUNT;
    PERFORM parity_internal.verify_drain();
    IF joined <> coalesce(cardinality(numbers), 0)
       OR joined <> coalesce(cardinality(only_ranges), coalesce(cardinality(bounds), 0) + 1) THEN
        RAISE EXCEPTION USING MESSAGE = 'the two sides have digested other ranges', ERRCODE = 'XX000';
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_digests(jsonb, bytea[], integer[], boolean) IS
    'digests ranges on both sides and compares them';

-- Reads the rows of some ranges, or under some keys, on both sides, and returns the keys under which the sides differ.
-- The rows under one key are a multiset of row hashes; a text of the hashes and their numbers identifies it. The key of
-- a table without a key is the whole row.
CREATE FUNCTION parity_internal.verify_rows(
    job jsonb, bounds bytea[], only_ranges integer[], keys bytea[], known bytea[], room integer, room_bytes bigint)
    RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    plan jsonb := job -> 'plan';
    ask jsonb := job -> 'ask';
    started timestamptz := clock_timestamp();
    names text[] := parity_internal.verify_names(plan -> 'columns');
    range_numbers integer[];
    row_keys bytea[];
    hashes bytea[];
    cells bytea[];
    result jsonb;
BEGIN
    -- The last row of the target's answer marks that the answer is whole.
    PERFORM parity_internal.verify_send(format(
        'SELECT range_no, key, row_hash, cell_hashes '
        'FROM parity.row_digests(%s, bounds => %L::bytea[], only_ranges => %L::integer[], keys => %L::bytea[]) '
        'UNION ALL SELECT 0, NULL, NULL, NULL',
        parity_internal.verify_target_arguments(job), bounds, only_ranges, keys));
    SELECT array_agg(d.range_no), array_agg(d.key), array_agg(d.row_hash), array_agg(d.cell_hashes)
    INTO range_numbers, row_keys, hashes, cells
    FROM parity.row_digests(
        (job ->> 'relation')::oid::regclass, bounds => bounds, only_ranges => only_ranges, keys => keys,
        key_columns => parity_internal.verify_names(plan -> 'key'), columns => names, forms => plan -> 'source_forms',
        filter => ask ->> 'filter', seed => (plan ->> 'seed')::bigint) d;
    PERFORM parity_internal.verify_await(parity_internal.verify_patience(ask, started));
    EXECUTE format($query$
        WITH source AS (
            SELECT u.range_no, u.key, u.hash, count(*) AS n, (array_agg(u.cells))[1] AS cells
            FROM unnest($1, $2, $3, $4) AS u(range_no, key, hash, cells) GROUP BY 1, 2, 3
        ), answer AS MATERIALIZED (
            SELECT t.* FROM %s.dblink_get_result($5) AS t(range_no integer, key bytea, hash bytea, cells bytea)
        ), target AS (
            SELECT u.range_no, u.key, u.hash, count(*) AS n, (array_agg(u.cells))[1] AS cells FROM answer u
                WHERE u.range_no > 0 GROUP BY 1, 2, 3
        ), line AS (
            SELECT range_no, key, hash, coalesce(s.n, 0) AS sn, coalesce(t.n, 0) AS tn, s.cells AS sc, t.cells AS tc
            FROM source s FULL JOIN target t USING (range_no, key, hash)
        ), differing AS (
            SELECT range_no, key, sum(greatest(sn - tn, 0))::bigint AS source_extra,
                sum(greatest(tn - sn, 0))::bigint AS target_extra,
                string_agg(hash || int8send(sn), ''::bytea ORDER BY hash) FILTER (WHERE sn > 0) AS source_state,
                string_agg(hash || int8send(tn), ''::bytea ORDER BY hash) FILTER (WHERE tn > 0) AS target_state,
                (array_agg(sc ORDER BY hash) FILTER (WHERE sn > tn))[1] AS sc,
                (array_agg(tc ORDER BY hash) FILTER (WHERE tn > sn))[1] AS tc
            FROM line JOIN (SELECT DISTINCT range_no, key FROM line WHERE sn <> tn) changed USING (range_no, key)
            GROUP BY 1, 2
        ), new AS (
            SELECT d.*, row_number() OVER (ORDER BY range_no, key) AS no,
                sum(length(key)) OVER (ORDER BY range_no, key) AS bytes
            FROM differing d WHERE NOT coalesce(key = ANY ($6), false)
        )
        SELECT jsonb_build_object(
            'whole', EXISTS (SELECT FROM answer WHERE range_no = 0),
            'source_rows', coalesce((SELECT sum(n) FROM source), 0),
            'target_rows', coalesce((SELECT sum(n) FROM target), 0),
            'differing', coalesce((SELECT jsonb_agg(DISTINCT range_no) FROM differing), '[]'),
            'open', coalesce((SELECT jsonb_agg(DISTINCT range_no) FROM new WHERE no > $7 OR bytes > $9), '[]'),
            'rows', coalesce((SELECT jsonb_agg(jsonb_build_object(
                    'range', range_no, 'key', encode(key, 'hex'),
                    'source_extra', source_extra, 'target_extra', target_extra,
                    'source', encode(CASE WHEN length(source_state) > 64 THEN sha256(source_state)
                                          ELSE source_state END, 'hex'),
                    'target', encode(CASE WHEN length(target_state) > 64 THEN sha256(target_state)
                                          ELSE target_state END, 'hex'),
                    'columns', to_jsonb(ARRAY(
                        SELECT c.name FROM unnest($8) WITH ORDINALITY AS c(name, no)
                        WHERE sc IS NOT NULL AND tc IS NOT NULL
                          AND substr(sc, (8 * c.no - 7)::integer, 8) <> substr(tc, (8 * c.no - 7)::integer, 8)
                        ORDER BY c.no)))
                ORDER BY no) FROM new WHERE no <= $7 AND bytes <= $9), '[]'))$query$, parity_internal.verify_dblink())
    INTO result
    USING range_numbers, row_keys, hashes, cells, 'pg_parity:target', known, coalesce(room, 2147483647), names,
        coalesce(room_bytes, 9223372036854775807);
    PERFORM parity_internal.verify_drain();
    IF NOT (result ->> 'whole')::boolean THEN
        RAISE EXCEPTION USING MESSAGE = 'the target''s answer is not whole', ERRCODE = '08006';
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_rows(jsonb, bytea[], integer[], bytea[], bytea[], integer, bigint) IS
    'reads rows on both sides, and gives the keys under which they differ, at most so many new ones';

-- One list of bounds for all ranges, which are in order. What lies between two ranges is a range that nobody asks for.
-- `numbers` are the ranges' numbers in that list.
CREATE FUNCTION parity_internal.verify_bounds(ranges jsonb, OUT bounds bytea[], OUT numbers integer[])
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    range jsonb;
BEGIN
    bounds := '{}';
    numbers := '{}';
    FOR range IN SELECT r FROM jsonb_array_elements(ranges) r LOOP
        IF range ->> 'lower' IS NOT NULL
           AND (cardinality(bounds) = 0 OR bounds[cardinality(bounds)] <> decode(range ->> 'lower', 'hex')) THEN
            bounds := array_append(bounds, decode(range ->> 'lower', 'hex'));
        END IF;
        numbers := array_append(numbers, cardinality(bounds) + 1);
        IF range ->> 'upper' IS NOT NULL THEN
            bounds := array_append(bounds, decode(range ->> 'upper', 'hex'));
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_bounds(jsonb) IS
    'bounds of some ranges as functions of the extension take them';

-- Of a key of these forms, key_values() gives what both sides read back as the same, if it is one of their own types
-- under its own form: a text that is compared under another form, or a time under a form with a zone, is another value.
CREATE FUNCTION parity_internal.verify_reads_key_back(plan jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT plan -> 'key' = '[]' OR (plan ->> 'key_is_alike')::boolean AND plan -> 'key_forms'
        <@ '["bool", "date", "decimal", "int", "text", "time", "timestamp", "timestamptz", "trimmed", "uuid"]'
$$;
COMMENT ON FUNCTION parity_internal.verify_reads_key_back(jsonb) IS
    'whether key_values gives texts of a key that the server reads back; without a key there is nothing to print';

-- What the server prints of rows that still differ, cut at 64 kB: the columns of their keys where key_values() prints
-- them in another way, and where it is asked for the values by column name. Only so many rows get their values as fit
-- into the result. Every row gets its key, because a finding without one names nothing. A number may print a thousand
-- times as long as the frame that verify_name_rows() counted, so keys of many rows are cut at less: all together they
-- have four times the bytes of values at most.
CREATE FUNCTION parity_internal.verify_values(
    job jsonb, rows jsonb, most_bytes bigint, OUT with_values jsonb, OUT left_out bigint)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    plan jsonb := job -> 'plan';
    ask jsonb := job -> 'ask';
    started timestamptz := clock_timestamp();
    names text[] := parity_internal.verify_names(plan -> 'columns');
    of_columns CONSTANT boolean := (ask ->> 'with_values')::boolean;
    shown_names CONSTANT text[] := CASE WHEN of_columns THEN names ELSE '{}' END;
    printed CONSTANT text :=
        'ARRAY(SELECT CASE WHEN octet_length(v.shown) > %2$s THEN left(v.shown, %2$s / 4) '
        '|| format(''... (%%%%s bytes)'', octet_length(v.shown)) ELSE v.shown END '
        'FROM unnest(%1$s) WITH ORDINALITY AS v(shown, no) ORDER BY v.no)';
    most_of_value CONSTANT bigint := 65536;
    most_of_key CONSTANT bigint := least(most_of_value, 4 * most_bytes
        / greatest(1, jsonb_array_length(rows) * jsonb_array_length(plan -> 'key')));
    -- The bytes of a row's values and of the names that come with them count, in the order of keys.
    query CONSTANT text := format(
        'SELECT s.key, CASE WHEN s.fits THEN s.shown END AS shown, s.shown_key FROM (SELECT p.*, %s AS fits '
        'FROM (SELECT encode(d.key, ''hex'') AS key, %s AS shown, %s AS shown_key '
        'FROM parity.row_digests(%%s, with_values => true) d) p) s',
        CASE WHEN of_columns THEN format('sum(pg_column_size(p.shown) + %s) OVER (ORDER BY p.key) <= %s',
                                         pg_column_size(shown_names), most_bytes)
             ELSE 'true' END,
        CASE WHEN of_columns THEN format(printed, 'd.column_values', most_of_value)
             ELSE quote_literal('{}') || '::text[]' END,
        CASE WHEN parity_internal.verify_reads_key_back(plan) THEN quote_literal('{}') || '::text[]'
             ELSE format(printed, 'd.key_values', most_of_key) END);
    map CONSTANT text :=
        'SELECT jsonb_object_agg(t.key, jsonb_build_object(''values'', jsonb_object($1, t.shown), '
        '''key'', t.shown_key)) FILTER (WHERE t.key IS NOT NULL) FROM ';
    keys bytea[];
    own jsonb;
    other jsonb;
BEGIN
    SELECT array_agg(decode(r ->> 'key', 'hex')) INTO keys FROM jsonb_array_elements(rows) r;
    IF keys IS NULL THEN
        with_values := rows;
        left_out := 0;
        RETURN;
    END IF;
    PERFORM parity_internal.verify_send(
        format(query, format('%s, keys => %L::bytea[]', parity_internal.verify_target_arguments(job), keys))
        || ' UNION ALL SELECT NULL, NULL, NULL');
    EXECUTE map || format('(%s) t', format(query,
        '$2, keys => $3, key_columns => $4, columns => $5, forms => $6, filter => $7, seed => $8'))
    INTO own
    USING shown_names, (job ->> 'relation')::oid::regclass, keys, parity_internal.verify_names(plan -> 'key'), names,
        plan -> 'source_forms', ask ->> 'filter', (plan ->> 'seed')::bigint;
    PERFORM parity_internal.verify_await(parity_internal.verify_patience(ask, started));
    EXECUTE map || format('%s.dblink_get_result($2) AS t(key text, shown text[], shown_key text[])',
                          parity_internal.verify_dblink())
    INTO other USING shown_names, 'pg_parity:target';
    PERFORM parity_internal.verify_drain();
    SELECT coalesce(jsonb_agg(
            r.value || parity_internal.verify_printed(p.own, p.other, r.value, of_columns AND NOT b.beyond)
            ORDER BY r.no), '[]'), count(*) FILTER (WHERE b.beyond)
    INTO with_values, left_out
    FROM jsonb_array_elements(rows) WITH ORDINALITY AS r(value, no),
        LATERAL (SELECT own -> (r.value ->> 'key'), other -> (r.value ->> 'key')) AS p(own, other),
        LATERAL (SELECT 'null' IN (coalesce(p.own -> 'values', '{}'), coalesce(p.other -> 'values', '{}')))
            AS b(beyond);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_values(jsonb, jsonb, bigint) IS
    'adds keys and values of rows that differ as texts, and tells of how many values would have been too many bytes';

CREATE FUNCTION parity_internal.verify_printed(own jsonb, other jsonb, line jsonb, of_columns boolean) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('key_values', coalesce(own -> 'key', other -> 'key'))
        || CASE WHEN of_columns
                THEN jsonb_build_object('source_values', parity_internal.verify_shown(own -> 'values', line),
                                        'target_values', parity_internal.verify_shown(other -> 'values', line))
                ELSE '{}' END
$$;
COMMENT ON FUNCTION parity_internal.verify_printed(jsonb, jsonb, jsonb, boolean) IS
    'what is added to a row that differs, from what both sides print of it; the key is the source''s where that has it';

CREATE FUNCTION parity_internal.verify_shown(shown jsonb, line jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN (line ->> 'source_extra')::bigint > 0 AND (line ->> 'target_extra')::bigint > 0
                THEN (SELECT jsonb_object_agg(v.key, v.value) FROM jsonb_each(shown) v WHERE line -> 'columns' ? v.key)
                ELSE shown END
$$;
COMMENT ON FUNCTION parity_internal.verify_shown(jsonb, jsonb) IS 'of the values of a row those that a finding tells';

-- Later looks find rows by their keys, through an index where there is one. A row that a corrupt index lacks, or has
-- twice, would then seem to have become equal. So what was found in ranges is looked up by key at once, under the same
-- snapshots: the result must be the same.
CREATE FUNCTION parity_internal.verify_are_found_by_key(job jsonb, rows jsonb) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    keys bytea[];
    by_key jsonb;
BEGIN
    SELECT array_agg(decode(r ->> 'key', 'hex')) INTO keys FROM jsonb_array_elements(rows) r;
    IF keys IS NULL THEN RETURN true; END IF;
    by_key := parity_internal.verify_rows(job, NULL, NULL, keys, NULL, NULL, NULL) -> 'rows';
    RETURN NOT EXISTS (
        SELECT r ->> 'key', r ->> 'source', r ->> 'target', r ->> 'source_extra', r ->> 'target_extra'
        FROM jsonb_array_elements(rows) r
        EXCEPT
        SELECT k ->> 'key', k ->> 'source', k ->> 'target', k ->> 'source_extra', k ->> 'target_extra'
        FROM jsonb_array_elements(by_key) k);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_are_found_by_key(jsonb, jsonb) IS
    'whether rows that differ are found by their keys as they are';

CREATE FUNCTION parity_internal.verify_avoid_indexes(seconds double precision) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
        set_config('enable_seqscan', 'on', true);
    PERFORM parity_internal.verify_ask(
        'SELECT concat(set_config(''enable_indexscan'', ''off'', true), '
        'set_config(''enable_bitmapscan'', ''off'', true), set_config(''enable_seqscan'', ''on'', true))', seconds);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_avoid_indexes(double precision) IS
    'has both sides read without indexes for the rest of the pass';
