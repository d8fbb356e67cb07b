
--
-- baselines: comparing a table with one
--

CREATE FUNCTION parity_internal.baseline_find(
    relation regclass, label text, captured_as text, allow_appends boolean) RETURNS bigint
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kept parity.baseline;
    name text := coalesce(captured_as, parity_internal.baseline_name(relation));
BEGIN
    PERFORM parity_internal.record_require_values(
        jsonb_build_object('relation', relation::oid, 'label', label, 'allow_appends', allow_appends),
        '{relation,label,allow_appends}');
    SELECT * INTO kept FROM parity.baseline b WHERE b.relation = name AND b.label = baseline_find.label;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING MESSAGE = format('%s has no baseline "%s"', name, label), ERRCODE = '42704',
            HINT = coalesce(
                (SELECT format('There is one of %s, which is gone; captured_as => %L takes it.', b.relation, b.relation)
                 FROM parity.baseline b
                 WHERE b.label = baseline_find.label AND to_regclass(b.relation) IS NULL
                 ORDER BY b.captured DESC LIMIT 1),
                'SELECT parity.capture(relation, label) makes one.');
    END IF;
    IF allow_appends AND kept.highest_bound IS NULL AND kept.row_count > 0
       OR allow_appends AND cardinality(kept.key_columns) = 0 THEN
        RAISE EXCEPTION USING MESSAGE = format('the baseline "%s" of %s cannot allow appended rows', label, name),
            ERRCODE = '0A000',
            DETAIL = 'It has no highest key beyond which rows could be told from others: '
                     'its rows have no key, or no unique one, or no B-tree orders them.';
    END IF;
    RETURN kept.id;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_find(regclass, text, text, boolean) IS
    'the baseline to compare a table with';

-- A filter is code. It runs with the rights of the role that verifies.
CREATE FUNCTION parity_internal.baseline_require(kept parity.baseline) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    stored record;
BEGIN
    IF kept.format_version <> parity.format_version() THEN
        RAISE EXCEPTION USING ERRCODE = '0A000', HINT = 'Capture it again with replace => true.', MESSAGE = format(
            'the baseline was captured with version %s of the digest format, this is version %s',
            kept.format_version, parity.format_version());
    END IF;
    SELECT count(*) AS ranges, sum(r.row_count) AS rows INTO stored FROM parity.baseline_range r
    WHERE r.baseline_id = kept.id;
    IF stored.ranges <> kept.ranges OR stored.rows IS DISTINCT FROM kept.row_count THEN
        RAISE EXCEPTION USING ERRCODE = 'XX001', MESSAGE = format(
            'the baseline is damaged: %s ranges with %s rows are left of %s with %s',
            stored.ranges, stored.rows, kept.ranges, kept.row_count);
    END IF;
    IF kept.filter IS NOT NULL AND kept.captured_by NOT IN (CURRENT_USER, SESSION_USER)
       AND NOT coalesce((SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = kept.captured_by), false) THEN
        RAISE EXCEPTION USING ERRCODE = '42501',
            MESSAGE = format('the filter of the baseline was written by "%s"', kept.captured_by),
            DETAIL = 'It would run with the rights of who verifies.',
            HINT = 'Let that role verify, or capture it again.';
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_require(parity.baseline) IS
    'an error unless a baseline can be compared by this server and this role';

CREATE FUNCTION parity_internal.baseline_added_columns(relation regclass, kept parity.baseline) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY(SELECT f.column_name FROM parity.forms(relation) AS f
                 WHERE kept.all_columns AND f.column_name <> ALL (kept.key_columns || kept.columns)
                 ORDER BY f.column_name::text COLLATE "C")
$$;
COMMENT ON FUNCTION parity_internal.baseline_added_columns(regclass, parity.baseline) IS
    'columns that a baseline of all columns does not have';

CREATE FUNCTION parity_internal.baseline_differing(names text[], one text[], other text[]) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY(SELECT d.name FROM unnest(names, one, other) WITH ORDINALITY AS d(name, one, other, place)
                 WHERE d.one::parity.digest OPERATOR(parity.<>) d.other::parity.digest ORDER BY d.place)
$$;
COMMENT ON FUNCTION parity_internal.baseline_differing(text[], text[], text[]) IS 'the columns whose digests differ';

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
    'compares the row with the highest captured key alone: how many rows have the key now, whether it differs, in '
    'which columns';

CREATE FUNCTION parity_internal.baseline_look(
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
    SELECT array_agg(d ORDER BY d.range_no), sum(d.row_count) INTO now, counted
    FROM parity_internal.baseline_ranges(relation, kept, ARRAY(
        SELECT r.lower_key FROM parity.baseline_range r WHERE r.baseline_id = kept.id AND r.lower_key IS NOT NULL
        ORDER BY r.range_no), workers) AS d;
    SELECT * INTO effort FROM parity.last_digest();
    IF parity_internal.baseline_path() <> kept.path THEN
        RAISE EXCEPTION USING ERRCODE = '55000', HINT = 'parity.range_digests(...) with path => ''scan'' tells why.',
            MESSAGE = format(
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
                         OR parity_internal.baseline_differing(kept.columns, n.column_digests, r.column_digests) <> '{}'
               END AS differs,
               CASE WHEN allow_appends AND r.range_no = kept.ranges THEN last_columns
                    ELSE parity_internal.baseline_differing(kept.columns, n.column_digests, r.column_digests)
               END AS columns
        FROM parity.baseline_range r JOIN unnest(now) AS n ON n.range_no = r.range_no WHERE r.baseline_id = kept.id
    ), divergent AS (
        SELECT *, row_number() OVER (ORDER BY range_no) AS place FROM range WHERE differs
    )
    SELECT count(*), coalesce(jsonb_agg(jsonb_build_object(
        'kind', 'range', 'state', 'divergent',
        'key', jsonb_build_object('lower', d.lower_bound, 'upper', d.upper_bound),
        'columns', d.columns) ORDER BY d.range_no) FILTER (WHERE d.place <= max_ranges), '[]'),
           jsonb_agg(jsonb_build_object('range_no', d.range_no, 'captured', d.captured, 'now', d.rows)
                     ORDER BY d.range_no)
               FILTER (WHERE d.place <= max_ranges AND d.rows <> d.captured
                   AND NOT (allow_appends AND d.range_no = kept.ranges)),
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
                SELECT coalesce(
                    jsonb_agg(jsonb_build_object('what', format('column %I', a), 'reason', 'added after the capture')),
                    '[]')
                FROM unnest(added) AS a),
            'message', nullif(concat_ws('; ',
                CASE WHEN differing > 0 AND counted - coalesce(appended, 0) <> kept.row_count
                     THEN format('%s rows now, %s captured', counted - coalesce(appended, 0), kept.row_count) END,
                CASE WHEN added <> '{}'
                     THEN format('columns were added after the capture: %s', array_to_string(added, ', ')) END,
                CASE WHEN differing > max_ranges
                     THEN format('only the first %s of the ranges are recorded', max_ranges) END,
                CASE WHEN appended > 0 THEN format('%s appended rows are not compared', appended) END), ''),
            'details', jsonb_strip_nulls(jsonb_build_object(
                'captured', kept.captured, 'appended_rows', appended, 'row_counts', counts, 'path', effort.path,
                'workers_requested', effort.workers_requested, 'workers_launched', effort.workers_launched,
                'milliseconds', round(effort.milliseconds::numeric)))));
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_look(regclass, parity.baseline, boolean, integer, integer) IS
    'digests a table again as it was captured and compares: {"status", "findings": what record_divergences takes, '
    '"facts": what record_table_finish takes}';

CREATE FUNCTION parity_internal.baseline_look_without_indexes(
    relation regclass, kept parity.baseline, allow_appends boolean, workers integer, max_ranges integer) RETURNS jsonb
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
    SET enable_indexscan = off SET enable_bitmapscan = off SET enable_seqscan = on AS $$
    SELECT parity_internal.baseline_look(relation, kept, allow_appends, workers, max_ranges)
$$;
COMMENT ON FUNCTION parity_internal.baseline_look_without_indexes(regclass, parity.baseline, boolean, integer, integer)
    IS 'the same without indexes';

-- A filter is for the server to fulfil, which may take any index for it: one that lacks rows hides them. What was
-- captured under a filter has them all (baseline_ranges_to_keep), so what is compared with it has to have them, too.
CREATE FUNCTION parity_internal.baseline_compare(
    relation regclass, kept parity.baseline, allow_appends boolean, workers integer, max_ranges integer) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF kept.filter IS NULL THEN
        RETURN parity_internal.baseline_look(relation, kept, allow_appends, workers, max_ranges);
    END IF;
    RETURN parity_internal.baseline_look_without_indexes(relation, kept, allow_appends, workers, max_ranges);
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_compare(regclass, parity.baseline, boolean, integer, integer) IS
    'what baseline_look gives, under a filter without indexes';

CREATE FUNCTION parity_internal.baseline_pass(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off SET enable_indexonlyscan = off
    SET TimeZone = 'UTC' SET DateStyle = 'ISO, YMD' SET IntervalStyle = 'postgres' SET extra_float_digits = 3
    SET bytea_output = 'hex' SET xmlbinary = 'base64'
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
    IF NOT pg_try_advisory_xact_lock(
        parity_internal.verify_lock_class('baseline', ask ->> 'label'), relation::oid::bigint::bit(32)::integer) THEN
        RETURN jsonb_build_object('status', 'skipped', 'findings', '[]'::jsonb, 'facts', jsonb_build_object(
            'message', 'another run has the table'
                       || parity_internal.verify_lock_holder('baseline', ask ->> 'label', relation::oid)));
    END IF;
    BEGIN
        PERFORM set_config('lock_timeout',
            (extract(epoch FROM (ask ->> 'lock_timeout')::interval) * 1000)::bigint::text, true);
        SELECT * INTO STRICT kept FROM parity.baseline b WHERE b.id = (job ->> 'baseline')::bigint;
        PERFORM parity_internal.baseline_require(kept);
        PERFORM parity_internal.baseline_hold(relation, kept);
        RETURN parity_internal.baseline_compare(
            relation, kept, (ask ->> 'allow_appends')::boolean, (ask ->> 'workers')::integer,
            coalesce((ask ->> 'max_ranges')::integer, 2147483647));
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
        GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, state = RETURNED_SQLSTATE;
        RETURN jsonb_build_object(
            'status', CASE WHEN state = '57014' THEN 'cancelled' ELSE 'failed' END,
            'findings', '[]'::jsonb, 'facts', jsonb_build_object('sqlstate', state, 'message', said));
    END;
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_pass(jsonb) IS
    'what baseline_compare gives, also where that fails or another run has the table';

-- A finding that cannot be recorded is reported nevertheless.
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
        facts := facts || jsonb_build_object('sqlstate', state,
            'message', 'what differs could not be recorded: ' || said);
        result := CASE WHEN result = 'divergent' THEN result WHEN state = '57014' THEN 'cancelled' ELSE 'failed' END;
    END;
    PERFORM parity_internal.record_table_finish(part, result, facts);
    RETURN job || jsonb_build_object('status', result, 'sqlstate', facts -> 'sqlstate', 'step', 'done');
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_record(jsonb, jsonb) IS 'records what a pass gave';

-- The scope: which rows and columns, if not all, and the name under which the table was captured, if another.
CREATE FUNCTION parity_internal.baseline_scope(kept parity.baseline, name text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'filter', kept.filter, 'columns', CASE WHEN NOT kept.all_columns THEN kept.columns END,
        'target_relation', CASE WHEN kept.relation <> name THEN kept.relation END))
$$;
COMMENT ON FUNCTION parity_internal.baseline_scope(parity.baseline, text) IS
    'what a baseline is about, as parity.run_table has it';

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
            kept.id := parity_internal.baseline_find(
                (found ->> 'oid')::oid::regclass, ask ->> 'label', ask ->> 'captured_as',
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
    RETURN jsonb_build_object('ask', ask, 'run', run, 'part', part, 'relation', found -> 'oid', 'baseline', kept.id,
        'step', 'pass');
END
$$;
COMMENT ON FUNCTION parity_internal.baseline_begin(jsonb) IS
    'begins the records of a comparison with a baseline, and its job';

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
    'an error for a run that was refused or cancelled, or not identical where fail was asked for';

-- A procedure with a SET clause cannot COMMIT. So every name and operator is qualified.
CREATE PROCEDURE parity.verify_baseline(
    relation text, label text, allow_appends boolean DEFAULT false, captured_as text DEFAULT NULL,
    workers integer DEFAULT NULL, max_ranges integer DEFAULT 1000, lock_timeout interval DEFAULT '10 s',
    callback text DEFAULT NULL, fail boolean DEFAULT false,
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
        'relation', relation, 'label', label, 'allow_appends', allow_appends, 'captured_as', captured_as,
        'workers', workers, 'max_ranges', max_ranges, 'lock_timeout', lock_timeout, 'callback', callback, 'fail', fail,
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
COMMENT ON PROCEDURE parity.verify_baseline(text, text, boolean, text, integer, integer, interval, text, boolean,
    bigint, text) IS
    'compares a table with its baseline of that label: digests it again under the same ranges, key, columns, forms and '
    'seed, records which ranges and columns differ, and tells. allow_appends: rows beyond the highest captured key are '
    'counted and not compared. captured_as: the name that the table had. fail: everything but identical ends in an '
    'error. lock_timeout: how long a lock is waited for. callback: the name of a function that is called with what '
    'NOTIFY tells, as jsonb';

DO $privileges$
DECLARE
    part record;
BEGIN
    FOR part IN
        SELECT p.oid::pg_catalog.regprocedure AS name FROM pg_catalog.pg_proc p
        WHERE p.pronamespace
                  OPERATOR(pg_catalog.=) ANY ('{parity,parity_internal}'::pg_catalog.regnamespace[]::pg_catalog.oid[])
          AND p.proname::pg_catalog.text OPERATOR(pg_catalog.~)
              '^(baseline_|capture$|verify_baseline$|drop_baseline$|greater_bound$|highest_bound$)'
    LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', part.name);
        EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO parity_operator', part.name);
    END LOOP;
END
$privileges$;
GRANT SELECT ON parity.baseline, parity.baseline_range TO parity_operator;
GRANT SELECT (id, relation, label, captured, captured_by, key_columns, columns, all_columns, kind, path, forms, filter,
    format_version, width, ranges, row_count)
    ON parity.baseline TO parity_reader;
