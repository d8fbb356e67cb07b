
--
-- verify: looking at a relation, and again at what differs
--

CREATE FUNCTION parity_internal.verify_whole(job jsonb, bounds bytea[]) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found jsonb;
BEGIN
    SELECT jsonb_build_object(
        'source_rows', coalesce(sum(d.source_rows), 0), 'target_rows', coalesce(sum(d.target_rows), 0),
        'source', md5(string_agg(d.source_digest, ' ' ORDER BY d.range_no)),
        'target', md5(string_agg(d.target_digest, ' ' ORDER BY d.range_no)),
        'ranges_compared', count(*),
        'differing', coalesce(jsonb_agg(jsonb_build_object(
            'no', d.range_no, 'parent', d.range_no, 'source_rows', d.source_rows, 'target_rows', d.target_rows,
            'columns', to_jsonb(d.columns), 'source', md5(d.source_digest), 'target', md5(d.target_digest))
            ORDER BY d.range_no) FILTER (WHERE d.differs), '[]'))
    INTO found
    FROM parity_internal.verify_digests(job, bounds, NULL, false) d;
    RETURN found || jsonb_build_object('effort', (SELECT to_jsonb(e) FROM parity.last_digest() e));
END
$$;
COMMENT ON FUNCTION parity_internal.verify_whole(jsonb, bytea[]) IS
    'digests all ranges of a relation on both sides, and gives those that differ';

-- The snapshots are the same, so a side that gives other rows now has an index that does not agree with the table.
CREATE FUNCTION parity_internal.verify_whole_without_indexes(job jsonb, bounds bytea[], before jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found jsonb;
BEGIN
    PERFORM parity_internal.verify_avoid_indexes(parity_internal.verify_patience(job -> 'ask'));
    found := parity_internal.verify_whole(job, bounds);
    RETURN found || jsonb_build_object('of_job', jsonb_strip_nulls(jsonb_build_object(
        'without_indexes', true, 'misled', nullif(concat_ws(
            ' and ',
            CASE WHEN found -> 'source' <> before -> 'source' THEN 'source' END,
            CASE WHEN found -> 'target' <> before -> 'target' THEN 'target' END), ''))));
END
$$;
COMMENT ON FUNCTION parity_internal.verify_whole_without_indexes(jsonb, bytea[], jsonb) IS
    'the same without indexes, for the rest of the pass, and in of_job what the job remembers of that';

-- The first pass over the whole relation. Returns what differs: {"rows", "ranges", ...}.
CREATE FUNCTION parity_internal.verify_first_look(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    plan jsonb := job -> 'plan';
    most_ranges integer := plan ->> 'ranges';
    key_names text[] := parity_internal.verify_names(plan -> 'key');
    fine bytea[];
    fine_texts text[];
    step integer;
    bounds bytea[];
    texts text[];
    work jsonb;
    found jsonb;
    wanted double precision;
    many boolean := parity_internal.verify_estimate((job ->> 'relation')::oid) > 100000;
    parts integer;
    ranges double precision;
BEGIN
    -- The bounds of a finer division, which may be wanted later, are read at the same time: a B-tree's inner pages are
    -- under no snapshot.
    IF most_ranges > 1 THEN
        SELECT array_agg(s.bound ORDER BY s.bound_no), array_agg(s.bound_text ORDER BY s.bound_no) INTO fine, fine_texts
        FROM parity.split_keys(
            (job ->> 'relation')::oid::regclass,
            CASE WHEN many THEN least(131072, most_ranges * 16) ELSE most_ranges END, key_names,
            (SELECT jsonb_object_agg(f.key, f.value) FROM jsonb_each(plan -> 'source_forms') f
             WHERE cardinality(key_names) = 0 OR f.key = ANY (key_names))) s;
    END IF;
    step := greatest(1, ceil((coalesce(cardinality(fine), 0) + 1)::numeric / most_ranges)::integer);
    SELECT array_agg(f.bound ORDER BY f.no), array_agg(f.shown ORDER BY f.no) INTO bounds, texts
    FROM unnest(fine, fine_texts) WITH ORDINALITY AS f(bound, shown, no) WHERE f.no % step = 0;

    found := parity_internal.verify_whole(job, bounds);
    -- A filter is for the server to fulfil, which may take any index for it: one that lacks rows hides them. So what
    -- differs under a filter counts only as it is without indexes.
    IF job -> 'ask' ? 'filter' AND NOT job ? 'without_indexes' AND jsonb_array_length(found -> 'differing') > 0 THEN
        found := parity_internal.verify_whole_without_indexes(job, bounds, found);
    END IF;
    work := found -> 'differing';
    ranges := found ->> 'ranges_compared';

    -- With about D differences among R rows of differing ranges, sqrt(D * R) ranges cost least
    -- (driver/digests/descend.cpp). A finer division is of no use where there are many more differences than will be
    -- named.
    SELECT sqrt(q.differences * q.rows) INTO wanted FROM (
        SELECT sum(greatest((w ->> 'source_rows')::float8, (w ->> 'target_rows')::float8)) AS rows,
               -ranges * ln(greatest(ranges - count(*), 0.5) / ranges) AS differences
        FROM jsonb_array_elements(work) w) q
    WHERE q.rows > 100000
      AND q.rows > 0.05 * greatest((found ->> 'source_rows')::float8, (found ->> 'target_rows')::float8)
      AND q.differences <= 10 * (job -> 'ask' ->> 'max_rows')::float8;
    parts := least(step, coalesce(wanted, 0) / greatest(jsonb_array_length(work), 1));
    IF parts > 1 THEN
        SELECT f.bounds, f.texts, f.work INTO bounds, texts, work
        FROM parity_internal.verify_finer(job, fine, fine_texts, step, parts, work) f;
    END IF;
    SELECT found || jsonb_build_object('differing', jsonb_array_length(found -> 'differing'),
        'work', coalesce(jsonb_agg(
            w.value || jsonb_build_object(
                'lower', encode(bounds[(w.value ->> 'no')::integer - 1], 'hex'),
                'lower_text', texts[(w.value ->> 'no')::integer - 1],
                'upper', encode(bounds[(w.value ->> 'no')::integer], 'hex'),
                'upper_text', texts[(w.value ->> 'no')::integer])
            ORDER BY w.no), '[]'))
    INTO found FROM jsonb_array_elements(work) WITH ORDINALITY AS w(value, no);
    RETURN found;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_first_look(jsonb) IS
    'digests the whole relation on both sides, and differing ranges once more in finer ones';

CREATE FUNCTION parity_internal.verify_finer(
    job jsonb, fine bytea[], fine_texts text[], step integer, parts integer, coarse jsonb,
    OUT bounds bytea[], OUT texts text[], OUT work jsonb)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    stride integer := greatest(1, step / parts);
    last integer := 0;
    at integer;
    until integer;
    coarse_no integer;
    only_ranges integer[] := '{}';
    parents integer[] := '{}';
BEGIN
    bounds := '{}';
    texts := '{}';
    -- Range n of the first division lies between the fine bounds (n - 1) * step and n * step. The first and the last
    -- range lack a bound.
    FOR coarse_no IN SELECT (c ->> 'no')::integer FROM jsonb_array_elements(coarse) c LOOP
        at := (coarse_no - 1) * step;
        until := least(coarse_no * step, cardinality(fine) + 1);
        WHILE at < until LOOP
            IF at > last THEN
                bounds := array_append(bounds, fine[at]);
                texts := array_append(texts, fine_texts[at]);
                last := at;
            END IF;
            only_ranges := array_append(only_ranges, cardinality(bounds) + 1);
            parents := array_append(parents, coarse_no);
            at := at + stride;
        END LOOP;
        IF until <= cardinality(fine) THEN
            bounds := array_append(bounds, fine[until]);
            texts := array_append(texts, fine_texts[until]);
            last := until;
        END IF;
    END LOOP;
    SELECT coalesce(jsonb_agg(jsonb_build_object(
               'no', d.range_no, 'parent', p.parent, 'source_rows', d.source_rows, 'target_rows', d.target_rows,
               'columns', c.value -> 'columns',
               'source', md5(d.source_digest), 'target', md5(d.target_digest)) ORDER BY d.range_no), '[]')
    INTO work
    FROM parity_internal.verify_digests(job, bounds, only_ranges, true) d
    JOIN unnest(only_ranges, parents) AS p(range_no, parent) ON p.range_no = d.range_no
    JOIN jsonb_array_elements(coarse) c ON (c.value ->> 'no')::integer = p.parent
    WHERE d.differs;
    IF (SELECT count(DISTINCT w -> 'parent') FROM jsonb_array_elements(work) w) <> jsonb_array_length(coarse) THEN
        RAISE EXCEPTION USING MESSAGE = 'ranges that differ are equal when they are divided further', ERRCODE = 'XX002';
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_finer(jsonb, bytea[], text[], integer, integer, jsonb) IS
    'digests differing ranges in a finer division';

-- Names rows of differing ranges, in order and in batches, as long as there is room. `work` is a list of ranges with
-- their bounds. Returns the new rows, and the ranges of which not all rows are named now.
CREATE FUNCTION parity_internal.verify_name_rows(job jsonb, work jsonb, known bytea[], room integer, OUT new_rows jsonb,
    OUT unnamed jsonb)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- dblink holds a whole answer in memory.
    batch_rows CONSTANT integer := 50000;
    huge_range CONSTANT integer := 250000;
    -- A key may be long: that of a table without a key is the whole row. No JSON is larger than 256 MB. Rows beyond
    -- this limit are not named, and their ranges stay.
    room_bytes bigint := 4000000 - (SELECT coalesce(sum(length(k)), 0) FROM unnest(known) k);
    bounds bytea[];
    numbers integer[];
    sizes bigint[];
    seen integer := 0;
    last integer;
    total bigint;
    read jsonb;
    source_total bigint;
    target_total bigint;
BEGIN
    new_rows := '[]';
    unnamed := '[]';
    SELECT b.bounds, b.numbers INTO bounds, numbers FROM parity_internal.verify_bounds(work) b;
    SELECT array_agg(greatest((w.value ->> 'source_rows')::bigint, (w.value ->> 'target_rows')::bigint) ORDER BY w.no)
    INTO sizes
    FROM jsonb_array_elements(work) WITH ORDINALITY AS w(value, no);
    WHILE seen < cardinality(numbers) AND room > 0 LOOP
        last := seen;
        total := 0;
        WHILE last < cardinality(numbers) AND (last = seen OR total + sizes[last + 1] <= batch_rows) LOOP
            last := last + 1;
            total := total + sizes[last];
        END LOOP;
        IF total > huge_range THEN
            unnamed := unnamed || (work -> seen);
        ELSE
            read := parity_internal.verify_rows(job, bounds, numbers[seen + 1:last], NULL, known, room, room_bytes);
            SELECT sum((w.value ->> 'source_rows')::bigint), sum((w.value ->> 'target_rows')::bigint) INTO source_total,
                target_total
            FROM jsonb_array_elements(work) WITH ORDINALITY AS w(value, no) WHERE w.no BETWEEN seen + 1 AND last;
            IF source_total <> (read ->> 'source_rows')::bigint OR target_total <> (read ->> 'target_rows')::bigint
               OR jsonb_array_length(read -> 'differing') <> last - seen THEN
                RAISE EXCEPTION USING MESSAGE = 'rows and digests of the same ranges contradict each other',
                    ERRCODE = 'XX002';
            END IF;
            -- Each row keeps the range of the first division that it is in.
            SELECT new_rows || coalesce(
                jsonb_agg(r.value || jsonb_build_object('range', p.parent, 'state', 'new') ORDER BY r.no), '[]')
            INTO new_rows
            FROM jsonb_array_elements(read -> 'rows') WITH ORDINALITY AS r(value, no)
            JOIN (SELECT n.number, w.value -> 'parent' AS parent FROM unnest(numbers) WITH ORDINALITY AS n(number, no)
                  JOIN jsonb_array_elements(work) WITH ORDINALITY AS w(value, no) ON w.no = n.no) p
                ON p.number = (r.value ->> 'range')::integer;
            SELECT unnamed || coalesce(jsonb_agg(w.value ORDER BY w.no), '[]') INTO unnamed
            FROM jsonb_array_elements(work) WITH ORDINALITY AS w(value, no)
            WHERE w.no BETWEEN seen + 1 AND last AND read -> 'open' @> to_jsonb(numbers[w.no::integer]);
            room := CASE WHEN jsonb_array_length(read -> 'open') > 0 THEN 0
                ELSE room - jsonb_array_length(read -> 'rows') END;
            room_bytes := room_bytes - (SELECT coalesce(sum(length(r ->> 'key') / 2), 0)
                FROM jsonb_array_elements(read -> 'rows') r);
        END IF;
        seen := last;
    END LOOP;
    SELECT unnamed || coalesce(jsonb_agg(w.value ORDER BY w.no), '[]') INTO unnamed
    FROM jsonb_array_elements(work) WITH ORDINALITY AS w(value, no) WHERE w.no > seen;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_name_rows(jsonb, jsonb, bytea[], integer) IS
    'names rows of differing ranges';

-- What was found may be large, and each function that gets the job copies it.
CREATE FUNCTION parity_internal.verify_lean(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN job #- '{found,rows}' #- '{found,ranges}';
END
$$;
COMMENT ON FUNCTION parity_internal.verify_lean(jsonb) IS 'a job without the rows and ranges that were found';

-- Looks again at what differed. A row is cleared if its key is equal now, or absent on both sides; a range if its
-- digests are equal. verify_judge decides about the others.
CREATE FUNCTION parity_internal.verify_second_look(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found jsonb := job -> 'found';
    before jsonb := found -> 'rows';
    ranges_before jsonb := found -> 'ranges';
    keys bytea[];
    now_rows jsonb := '[]';
    ranges jsonb := '[]';
    named record;
    room integer;
BEGIN
    job := parity_internal.verify_lean(job);
    SELECT array_agg(decode(r ->> 'key', 'hex')) INTO keys FROM jsonb_array_elements(before) r;
    IF keys IS NOT NULL THEN
        now_rows := parity_internal.verify_rows(job, NULL, NULL, keys, NULL, NULL, NULL) -> 'rows';
    END IF;
    SELECT coalesce(
        jsonb_agg(
            n.value || jsonb_build_object('range', b.value -> 'range', 'before', b.value, 'state', b.value -> 'state')
        ORDER BY b.no), '[]')
    INTO now_rows
    FROM jsonb_array_elements(before) WITH ORDINALITY AS b(value, no)
        JOIN jsonb_array_elements(now_rows) AS n(value) ON n.value ->> 'key' = b.value ->> 'key';
    found := found || jsonb_build_object(
        'cleared', (found ->> 'cleared')::bigint + jsonb_array_length(before) - jsonb_array_length(now_rows),
        'rows', now_rows);

    IF jsonb_array_length(ranges_before) > 0 THEN
        ranges := parity_internal.verify_ranges_again(job, ranges_before);
        room := (job -> 'ask' ->> 'max_rows')::integer - jsonb_array_length(now_rows);
        named := parity_internal.verify_name_rows(job, ranges,
            (SELECT array_agg(decode(r ->> 'key', 'hex')) FROM jsonb_array_elements(now_rows) r),
            room);
        found := found || jsonb_build_object('rows', now_rows || named.new_rows);
        ranges := named.unnamed;
    END IF;
    RETURN found || jsonb_build_object('ranges', ranges);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_second_look(jsonb) IS 'looks at candidates and unnamed ranges again';

CREATE FUNCTION parity_internal.verify_ranges_again(job jsonb, ranges jsonb) RETURNS jsonb
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_agg(r.value || jsonb_build_object(
               'source_rows', d.source_rows, 'target_rows', d.target_rows, 'columns', to_jsonb(d.columns),
        'source', md5(d.source_digest), 'target', md5(d.target_digest), 'before', r.value) ORDER BY d.range_no),
        '[]')
    FROM parity_internal.verify_bounds(ranges) b, parity_internal.verify_digests(job, b.bounds, b.numbers, false) d
        JOIN unnest(b.numbers) WITH ORDINALITY AS n(number, no) ON n.number = d.range_no
        JOIN jsonb_array_elements(ranges) WITH ORDINALITY AS r(value, no) ON r.no = n.no
    WHERE d.differs
$$;
COMMENT ON FUNCTION parity_internal.verify_ranges_again(jsonb, jsonb) IS
    'digests unnamed ranges again and gives those that still differ';
