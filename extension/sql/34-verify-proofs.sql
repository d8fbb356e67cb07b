
--
-- verify: what is proved of what differs
--

-- Which versions of rows a side has under some keys. The query returns an object from keys to pairs: the xmin of the
-- key's rows, and whether nobody has changed or locked any of them since. A key that is absent has no row.
-- Two looks that see the same version of a row prove that the row was never another one between them. The same hash
-- does not prove that: a row may have been changed and changed back.
-- The query finds rows by the bytes of their keys. What people see of a key may be how another key is written, and
-- reading it would run what the owner of its type wrote.
CREATE FUNCTION parity_internal.verify_versions_query(
    relation oid, keys bytea[], key_columns text[], columns text[], forms jsonb) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(
        'SELECT coalesce(jsonb_object_agg(encode(v.key, ''hex''), jsonb_build_array('
        'CASE WHEN length(v.version) > 100 THEN md5(v.version) ELSE v.version END, v.free)), ''{}'')::text FROM ('
        'SELECT w.key, string_agg(concat(w.writer, ''*'', w.rows), '','' ORDER BY w.writer) AS version, '
        'bool_and(w.free) AS free FROM ('
        'SELECT r.key, r.xmin::text AS writer, count(*) AS rows, bool_and(r.xmax::text = ''0'') AS free '
        'FROM parity.row_versions(%L::oid::regclass, keys => %L::bytea[], key_columns => %L::text[], '
        'columns => %L::text[], forms => %L::jsonb) r GROUP BY 1, 2) w GROUP BY 1) v',
        relation, keys, key_columns, CASE WHEN cardinality(key_columns) > 0 THEN '{}' ELSE columns END, forms)
$$;
COMMENT ON FUNCTION parity_internal.verify_versions_query(oid, bytea[], text[], text[], jsonb) IS
    'asks a side for the versions of rows, and which of them nobody changes';

-- Where a side's rows come from elsewhere than its pages, it cannot tell (0A000).
CREATE FUNCTION parity_internal.verify_versions_of_both(
    job jsonb, own_query text, other_query text, OUT source jsonb, OUT target jsonb)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asks_own boolean := job -> 'plan' ->> 'source_versions';
    asks_other boolean := job -> 'plan' ->> 'target_versions';
    started timestamptz := clock_timestamp();
    answer text;
BEGIN
    IF asks_other THEN
        PERFORM parity_internal.verify_send('SAVEPOINT versions; ' || other_query);
    END IF;
    IF asks_own THEN
        BEGIN
            EXECUTE own_query INTO answer;
            source := answer::jsonb;
        EXCEPTION WHEN feature_not_supported THEN
            NULL;
        END;
    END IF;
    IF asks_other THEN
        BEGIN
            target := parity_internal.verify_answer(parity_internal.verify_patience(job -> 'ask', started))::jsonb;
        EXCEPTION WHEN feature_not_supported THEN
            PERFORM parity_internal.verify_forget();
            PERFORM parity_internal.verify_ask(
                'ROLLBACK TO SAVEPOINT versions', parity_internal.verify_patience(job -> 'ask'));
        END;
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_versions_of_both(jsonb, text, text) IS
    'asks both sides about versions at the same time; NULL of a side whose rows have none, or that cannot tell';

CREATE FUNCTION parity_internal.verify_versions_by_key(job jsonb, keys bytea[], OUT source jsonb, OUT target jsonb)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT v.source, v.target
    FROM (SELECT job -> 'plan' AS plan, parity_internal.verify_names(job -> 'plan' -> 'key') AS key,
                 parity_internal.verify_names(job -> 'plan' -> 'columns') AS columns) p,
        parity_internal.verify_versions_of_both(
            job,
            parity_internal.verify_versions_query(
                (job ->> 'relation')::oid, keys, p.key, p.columns, p.plan -> 'source_forms'),
            parity_internal.verify_versions_query(
                (p.plan ->> 'target_oid')::oid, keys, p.key, p.columns, p.plan -> 'target_forms')) v
$$;
COMMENT ON FUNCTION parity_internal.verify_versions_by_key(jsonb, bytea[]) IS
    'the versions of rows on both sides, found by their keys';

-- A row that was committed on a side since the last look has a writer that is not older than the oldest transaction
-- that was in progress then. Some older rows may count as new as well; no new row is missed. Rows outside of a filter
-- count, too.
CREATE FUNCTION parity_internal.verify_fresh_query(
    relation oid, since text, bounds bytea[], numbers integer[], key_columns text[], columns text[], forms jsonb)
    RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(
        'SELECT coalesce(jsonb_agg(f.range_no), ''[]'')::text '
        'FROM parity.fresh_rows(%L::oid::regclass, since => %L::xid8, bounds => %L::bytea[], '
        'only_ranges => %L::integer[], key_columns => %L::text[], columns => %L::text[], forms => %L::jsonb) f',
        relation, since, bounds, numbers, key_columns,
        CASE WHEN cardinality(key_columns) > 0 THEN '{}' ELSE columns END, forms)
$$;
COMMENT ON FUNCTION parity_internal.verify_fresh_query(oid, text, bytea[], integer[], text[], text[], jsonb) IS
    'asks a side in which ranges it has rows that were written since the last look';

CREATE FUNCTION parity_internal.verify_fresh_ranges(job jsonb, ranges jsonb, OUT source jsonb, OUT target jsonb)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    plan jsonb := job -> 'plan';
    key_names text[] := parity_internal.verify_names(plan -> 'key');
    names text[] := parity_internal.verify_names(plan -> 'columns');
    division record;
    fresh record;
BEGIN
    division := parity_internal.verify_bounds(ranges);
    fresh := parity_internal.verify_versions_of_both(job,
        parity_internal.verify_fresh_query(
            (job ->> 'relation')::oid, job -> 'found' ->> 'source_horizon', division.bounds, division.numbers,
            key_names, names, plan -> 'source_forms'),
        parity_internal.verify_fresh_query(
            (plan ->> 'target_oid')::oid, job -> 'found' ->> 'target_horizon', division.bounds, division.numbers,
            key_names, names, plan -> 'target_forms'));
    SELECT CASE WHEN fresh.source IS NOT NULL
                THEN coalesce(jsonb_agg(r.value -> 'no') FILTER (WHERE fresh.source @> to_jsonb(n.number)), '[]') END,
           CASE WHEN fresh.target IS NOT NULL
                THEN coalesce(jsonb_agg(r.value -> 'no') FILTER (WHERE fresh.target @> to_jsonb(n.number)), '[]') END
    INTO source, target
    FROM unnest(division.numbers) WITH ORDINALITY AS n(number, no)
    JOIN jsonb_array_elements(ranges) WITH ORDINALITY AS r(value, no) ON r.no = n.no;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_fresh_ranges(jsonb, jsonb) IS
    'the numbers of those of some ranges in which a side has such rows';

-- Adds source_version and target_version to every row and range. They identify the versions that a side has under a key
-- or in a range: they are equal in two looks only if both looks saw the very same rows. NULL: that cannot be told.
-- The version of a range is the number of the look since which its rows are the same: none of them is new, and there
-- are as many as before, because their digest is the same.
CREATE FUNCTION parity_internal.verify_versions(job jsonb, seen jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    plan jsonb := job -> 'plan';
    follows boolean := plan -> 'replication' ->> 'kind' IN ('physical', 'logical');
    source_has boolean := follows AND (plan ->> 'source_versions')::boolean;
    target_has boolean := follows AND (plan ->> 'target_versions')::boolean;
    look text := 'look ' || (seen ->> 'look');
    keys bytea[];
    by_key record;
    fresh record;
BEGIN
    IF NOT follows THEN  -- nobody asks for them
        RETURN seen;
    END IF;
    SELECT NULL::jsonb AS source, NULL::jsonb AS target INTO by_key;
    SELECT array_agg(decode(r ->> 'key', 'hex')) INTO keys FROM jsonb_array_elements(seen -> 'rows') r;
    IF keys IS NOT NULL THEN
        by_key := parity_internal.verify_versions_by_key(job, keys);
    END IF;
    IF EXISTS (SELECT FROM jsonb_array_elements(seen -> 'rows') r
               WHERE r ->> 'source' IS NOT NULL AND NOT by_key.source ? (r ->> 'key')
                  OR r ->> 'target' IS NOT NULL AND NOT by_key.target ? (r ->> 'key')) THEN
        RAISE EXCEPTION USING MESSAGE = 'rows and their versions contradict each other', ERRCODE = 'XX002';
    END IF;
    SELECT NULL::jsonb AS source, NULL::jsonb AS target INTO fresh;
    IF job ? 'found' AND jsonb_array_length(seen -> 'ranges') > 0 THEN
        fresh := parity_internal.verify_fresh_ranges(job, seen -> 'ranges');
    END IF;
    RETURN seen || jsonb_build_object(
        'source_horizon', pg_snapshot_xmin(pg_current_snapshot())::text, 'target_horizon', job -> 'target_horizon',
        'rows', (
            SELECT coalesce(jsonb_agg(r.value || jsonb_build_object(
                'source_version', CASE WHEN source_has THEN
                    coalesce(by_key.source -> (r.value ->> 'key') -> 0, to_jsonb(look)) END,
                'target_version', CASE WHEN target_has THEN
                    coalesce(by_key.target -> (r.value ->> 'key') -> 0, to_jsonb(look)) END,
                'free', coalesce(by_key.source -> (r.value ->> 'key') -> 1, 'false')) ORDER BY r.no), '[]')
            FROM jsonb_array_elements(seen -> 'rows') WITH ORDINALITY AS r(value, no)),
        'ranges', (
            SELECT coalesce(jsonb_agg(r.value || jsonb_build_object(
                'source_version', parity_internal.verify_range_version(
                    'source', r.value, source_has, fresh.source, look),
                'target_version', parity_internal.verify_range_version(
                    'target', r.value, target_has, fresh.target, look))
                ORDER BY r.no), '[]')
            FROM jsonb_array_elements(seen -> 'ranges') WITH ORDINALITY AS r(value, no)));
END
$$;
COMMENT ON FUNCTION parity_internal.verify_versions(jsonb, jsonb) IS
    'adds to rows and ranges which versions the sides have, as far as they can be told';

CREATE FUNCTION parity_internal.verify_range_version(
    side text, value jsonb, known boolean, fresh jsonb, look text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN NOT known THEN NULL
                WHEN value ? 'before' AND value -> side = value -> 'before' -> side AND NOT fresh @> (value -> 'no')
                THEN coalesce(nullif(value -> 'before' -> (side || '_version'), 'null'), to_jsonb(look))
                ELSE to_jsonb(look) END
$$;
COMMENT ON FUNCTION parity_internal.verify_range_version(text, jsonb, boolean, jsonb, text) IS
    'what identifies the versions that one side has in a range';

-- The transactions that may have written to this side's relation and had not ended for this snapshot. The target may
-- already show what such a transaction did: it waits for a synchronous standby, or is between writing its commit and
-- being seen.
-- A snapshot lists as in progress only numbers below its xmax, which is one more than the highest that has ended. Step
-- snapshot has ended a transaction that began after the target's snapshot, so every number that the target can show is
-- below it.
-- A transaction that is still in progress without a lock on the relation that allows writing has not written to it. The
-- lock is held until after the transaction is seen.
CREATE FUNCTION parity_internal.verify_writers(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    writers text[];
    others text[];
BEGIN
    SELECT array_agg(x::text) INTO writers FROM pg_snapshot_xip(pg_current_snapshot()) x;
    IF writers IS NOT NULL AND (job -> 'plan' ->> 'source_versions')::boolean THEN
        WITH RECURSIVE tree(oid) AS (
            SELECT (job ->> 'relation')::oid
            UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON i.inhparent = t.oid
        ), lock AS MATERIALIZED (
            SELECT * FROM pg_locks  -- once, so that it is of one moment
        )
        SELECT array_agg(o.xid) INTO others FROM unnest(writers) AS o(xid)
        JOIN lock x ON x.transactionid = o.xid::xid8::xid
        WHERE x.locktype = 'transactionid' AND x.granted AND x.mode = 'ExclusiveLock' AND NOT EXISTS (
            SELECT FROM lock l JOIN tree t ON t.oid = l.relation
            WHERE l.virtualtransaction = x.virtualtransaction AND l.locktype = 'relation' AND l.granted
              AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
              AND l.mode NOT IN ('AccessShareLock', 'RowShareLock'));
        -- A transaction that ends releases its locks one after the other. So the list of locks is whole only for one
        -- that is in progress afterwards.
        SELECT array_agg(o.xid) INTO writers FROM unnest(writers) AS o(xid)
        WHERE NOT (o.xid = ANY (coalesce(others, '{}'))
                   AND coalesce(pg_xact_status(o.xid::xid8) = 'in progress', false));
    END IF;
    RETURN to_jsonb(coalesce(writers, '{}'));
END
$$;
COMMENT ON FUNCTION parity_internal.verify_writers(jsonb) IS
    'the transactions that may have written here and are not seen by this snapshot yet';

-- The number of this look; and for each look, who was writing then and has been writing at each look since:
-- {"look": 2, "open": {"1": [], "2": ["700"]}}.
CREATE FUNCTION parity_internal.verify_open_writers(found jsonb, writers jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('look', look, 'open', jsonb_build_object(look::text, writers) || coalesce((
        SELECT jsonb_object_agg(o.key, (
            SELECT coalesce(jsonb_agg(x.xid), '[]') FROM jsonb_array_elements_text(o.value) AS x(xid)
            WHERE writers ? x.xid))
        FROM jsonb_each(found -> 'open') o), '{}'))
    FROM (SELECT coalesce((found ->> 'look')::integer, 0) + 1 AS look) l
$$;
COMMENT ON FUNCTION parity_internal.verify_open_writers(jsonb, jsonb) IS
    'the number of a look, and who was writing at each and has been ever since';

-- Judges what differs. It is confirmed ("divergent") by one of these proofs; everything else is still moving.
-- 1. The target does not follow this database, and both sides have the same hashes as at the last look.
-- The other proofs are for a target that follows it. There equal hashes in two looks prove nothing: rows may have been
-- changed and changed back. "Replayed" means: when the target's snapshot of this look was taken, the target had
-- replayed all that the last look saw here.
-- 2. The target has replayed, and this side has the very same rows as at the last look. So the target has these rows,
--    and at most others besides. If it has not more rows than this side, both should be equal, unless a transaction has
--    changed the rows here and is not seen yet. No transaction has touched them (free): the difference is confirmed.
-- 3. The same, but a transaction may have touched the rows. All transactions that were writing at that look
--    (source_since) have ended by a later look, which still sees the same rows here.
-- 4. The target has replayed, and has the very same rows as at an earlier look (target_since). So the source should
--    have had these rows at the last look. If the source had not more rows then, both should have been equal, unless
--    the target's rows came from a transaction that was not seen here yet. All transactions that were writing when the
--    target was first seen with these rows had ended by the last look (target_sure).
-- tests/support/proof.py has this rule as data, beside a model in which no order of events is judged wrongly.
CREATE FUNCTION parity_internal.verify_judge(found jsonb, follows text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH line AS (
        SELECT l.list, r.no, r.value, r.value ? 'before' AS again, r.value -> 'before' AS before,
            coalesce((r.value ->> 'source_extra')::bigint, (r.value ->> 'source_rows')::bigint) AS source_rows,
            coalesce((r.value ->> 'target_extra')::bigint, (r.value ->> 'target_rows')::bigint) AS target_rows
        FROM unnest('{rows,ranges}'::text[]) AS l(list),
            jsonb_array_elements(found -> l.list) WITH ORDINALITY AS r(value, no)
    ), compared AS (
        SELECT *, again AND value -> 'source' = before -> 'source' AND value -> 'target' = before -> 'target' AS same,
            coalesce(again AND value ->> 'source_version' = before ->> 'source_version', false) AS source_stays,
            coalesce(again AND value ->> 'target_version' = before ->> 'target_version', false) AS target_stays
        FROM line
    ), timed AS (
        SELECT *, CASE WHEN NOT source_stays THEN NULL
                       WHEN before ->> 'source_since' IS NOT NULL THEN before ->> 'source_since'
                       WHEN follows = 'replayed' AND target_rows <= source_rows THEN found ->> 'look'
                  END AS source_since,
            CASE WHEN value ->> 'target_version' IS NULL THEN NULL
                 WHEN target_stays THEN before ->> 'target_since'
                 ELSE found ->> 'look' END AS target_since
        FROM compared
    ), judged AS (
        SELECT list, no, (value - 'before') || jsonb_build_object(
            'source_since', source_since, 'target_since', target_since,
            'target_sure', source_rows <= target_rows AND coalesce(found -> 'open' -> target_since = '[]', false),
            'state', CASE
                WHEN value ->> 'state' = 'divergent' THEN 'divergent'
                WHEN NOT again THEN 'moving'
                WHEN follows = 'no' AND same THEN 'divergent'
                WHEN follows = 'replayed' AND source_stays AND target_rows <= source_rows
                    AND (value ->> 'free')::boolean THEN 'divergent'
                WHEN found -> 'open' -> source_since = '[]' THEN 'divergent'
                WHEN follows = 'replayed' AND target_stays AND (before ->> 'target_sure')::boolean THEN 'divergent'
                ELSE 'moving' END) AS value
        FROM timed
    )
    SELECT found || jsonb_build_object(
        'rows', coalesce(jsonb_agg(value ORDER BY no) FILTER (WHERE list = 'rows'), '[]'),
        'ranges', coalesce(jsonb_agg(value ORDER BY no) FILTER (WHERE list = 'ranges'), '[]'))
    FROM judged
$$;
COMMENT ON FUNCTION parity_internal.verify_judge(jsonb, text) IS
    'what is confirmed after another look, and what is still moving; follows: no, replayed, late, unknown, or anything '
    'else';
