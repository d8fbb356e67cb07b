
--
-- verify: the steps of a job
--

CREATE FUNCTION parity_internal.verify_step(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    step text := job ->> 'step';
    phase text := parity_internal.verify_phase(job);
    state text;
    message text;
    detail text;
    context text;
BEGIN
    -- A job without a step would stay without one, and the loop round this function would never end.
    IF step IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = 'a verification has lost its job', ERRCODE = 'XX000';
    END IF;
    -- These steps record a phase at most, which no standby has to have. A commit that waits for a standby would keep
    -- the target's snapshot open.
    IF step <> 'finish' AND current_setting('synchronous_commit') NOT IN ('local', 'off') THEN
        PERFORM set_config('synchronous_commit', 'local', true);
    END IF;
    BEGIN
        IF step = 'connect' THEN
            job := parity_internal.verify_open(job);  -- so that verify_failed knows the target
        END IF;
        IF step = 'finish' THEN
            RETURN parity_internal.verify_finish(job);
        ELSIF step <> ALL ('{connect,snapshot,decide,delay,replay,pause,give_up}') THEN
            RAISE EXCEPTION USING MESSAGE = format('a verification has no step "%s"', step), ERRCODE = 'XX000';
        END IF;
        IF step = 'snapshot' THEN
            -- The order matters, and it holds even where there is no phase to record. Every transaction that the
            -- target's snapshot can show has a lower number than this one, which ends before the local snapshot is
            -- taken. So the local snapshot lists such a transaction if it is still in progress (verify_writers).
            job := parity_internal.verify_remote_begin(job) || '{"step": "pass"}';
            PERFORM pg_current_xact_id();
        END IF;
        IF phase IS DISTINCT FROM job ->> 'phase' AND phase IS NOT NULL THEN
            PERFORM parity_internal.record_table_phase((job ->> 'part')::bigint, phase);
            job := job || jsonb_build_object('phase', phase);
        END IF;
        RETURN CASE step
            WHEN 'connect' THEN parity_internal.verify_connect(job)
            WHEN 'snapshot' THEN job
            WHEN 'decide' THEN parity_internal.verify_decide(job)
            WHEN 'delay' THEN parity_internal.verify_delay(job)
            WHEN 'replay' THEN parity_internal.verify_replay(job)
            WHEN 'pause' THEN parity_internal.verify_pause(job)
            WHEN 'give_up' THEN parity_internal.verify_give_up(job) END;
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
            context = PG_EXCEPTION_CONTEXT;
        IF step = 'finish' THEN
            RETURN parity_internal.verify_finish_failed(job, state, message);
        END IF;
        RETURN parity_internal.verify_failed(job, state, message, detail, context);
    END;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_step(jsonb) IS 'takes the next step of a job';

CREATE FUNCTION parity_internal.verify_is_at(job jsonb, step text) RETURNS boolean
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(job ->> 'step' = step, false)
$$;
COMMENT ON FUNCTION parity_internal.verify_is_at(jsonb, text) IS 'whether a step comes next';

CREATE FUNCTION parity_internal.verify_phase(job jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE job ->> 'step'
        WHEN 'connect' THEN 'connecting'
        WHEN 'snapshot' THEN CASE
            WHEN job ? 'found' THEN format('looking again (%s of %s)', job ->> 'looks', job -> 'ask' ->> 'rechecks')
            ELSE 'comparing' END
        WHEN 'delay' THEN 'waiting before looking again'
        WHEN 'replay' THEN 'waiting for the target to replay'
        WHEN 'pause' THEN
            format('waiting for replay on the target before attempt %s of 5', (job ->> 'cancelled')::integer + 1) END
$$;
COMMENT ON FUNCTION parity_internal.verify_phase(jsonb) IS 'what parity.status shows of a step';

-- A pass. Requires: the target's snapshot has been taken; this is the first statement of a transaction that takes the
-- local one.
CREATE FUNCTION parity_internal.verify_pass(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lsn pg_lsn;
    first boolean := NOT job ? 'found';
    lean jsonb := parity_internal.verify_lean(job);
    found jsonb;
    named record;
    shown record;
    writers jsonb;
    state text;
    message text;
    detail text;
    context text;
BEGIN
    lsn := pg_current_wal_insert_lsn();  -- after the snapshot: what that shows was written before
    PERFORM parity_internal.verify_pin(job -> 'ask');
    writers := parity_internal.verify_writers(lean);
    IF NOT parity_internal.verify_is_as_planned(lean) THEN
        RETURN parity_internal.verify_start_over(job);
    END IF;
    IF job ? 'without_indexes' THEN
        PERFORM parity_internal.verify_avoid_indexes(parity_internal.verify_patience(job -> 'ask'));
    END IF;
    IF first THEN
        found := parity_internal.verify_first_look(job);
        job := job || coalesce(found -> 'of_job', '{}');
        named := parity_internal.verify_name_rows(job, found -> 'work', NULL, (job -> 'ask' ->> 'max_rows')::integer);
        found := (found - '{work,of_job,source,target}'::text[]) || jsonb_build_object(
            'rows', named.new_rows, 'ranges', named.unnamed, 'cleared', 0);
    ELSE
        found := parity_internal.verify_second_look(job);
    END IF;
    IF NOT job ? 'without_indexes' AND NOT parity_internal.verify_are_found_by_key(lean, (
            SELECT coalesce(jsonb_agg(r), '[]') FROM jsonb_array_elements(found -> 'rows') r
            WHERE r ->> 'state' = 'new')) THEN
        job := job || '{"without_indexes": true}';
        PERFORM parity_internal.verify_avoid_indexes(parity_internal.verify_patience(job -> 'ask'));
    END IF;
    IF (job -> 'ask' ->> 'with_values')::boolean OR NOT parity_internal.verify_reads_key_back(job -> 'plan') THEN
        shown := parity_internal.verify_values(lean, found -> 'rows', 8000000);
        found := found || jsonb_build_object('rows', shown.with_values, 'values_left_out', shown.left_out);
    END IF;
    found := parity_internal.verify_versions(
        lean, found || parity_internal.verify_open_writers(lean -> 'found', writers));
    PERFORM parity_internal.verify_idle(lean, false);
    PERFORM parity_internal.verify_check_server(lean);  -- before any of it counts
    found := parity_internal.verify_judge(found, coalesce(job ->> 'follows', 'first'));
    -- A look at once does not tell how far the target has come. The message takes the last value that did.
    RETURN (job - 'cancelled') || jsonb_build_object(
        'found', found, 'source_lsn', lsn, 'step', 'decide',
        'followed', coalesce(nullif(job ->> 'follows', 'at once'), job ->> 'followed'),
        'took', extract(epoch FROM clock_timestamp() - now()),
        'looks', coalesce((job ->> 'looks')::integer, 0)
                 + CASE WHEN job ->> 'follows' = 'at once' THEN 0 ELSE 1 END);
EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
        context = PG_EXCEPTION_CONTEXT;
    RETURN parity_internal.verify_failed(job, state, message, detail, context);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_pass(jsonb) IS 'a step of verify: reads both sides under one snapshot each';

CREATE FUNCTION parity_internal.verify_decide(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found jsonb := job -> 'found';
    moving boolean;
    looks integer := job ->> 'looks';
    at_once integer := coalesce((job ->> 'at_once')::integer, 0);
BEGIN
    PERFORM parity_internal.verify_ask('ROLLBACK', parity_internal.verify_patience(job -> 'ask'));
    SELECT coalesce(bool_or(e ->> 'state' = 'moving'), false) INTO moving
    FROM jsonb_array_elements((found -> 'rows') || (found -> 'ranges')) e;
    -- Rows that are written all the time are seen equal only by snapshots that are close together. So where a look is
    -- quick, some more follow at once. They begin no proof, but may complete one.
    IF moving AND looks > 1 AND at_once < 10 AND (job ->> 'took')::float8 < 1
        AND jsonb_array_length(found -> 'ranges') = 0 THEN
        RETURN job || jsonb_build_object('step', 'snapshot', 'follows', 'at once', 'at_once', at_once + 1);
    ELSIF NOT moving OR looks > (job -> 'ask' ->> 'rechecks')::integer THEN
        PERFORM parity_internal.verify_disconnect(false);
        RETURN job || '{"step": "finish"}';
    END IF;
    RETURN job || jsonb_build_object('step', 'delay', 'at_once', 0,
        'until', clock_timestamp() + make_interval(secs => (job -> 'ask' ->> 'recheck_delay')::float8));
END
$$;
COMMENT ON FUNCTION parity_internal.verify_decide(jsonb) IS
    'a step of verify: ends the target''s snapshot, and decides whether to look again';

-- A step that waits takes at most a second, so that no transaction is long.
CREATE FUNCTION parity_internal.verify_is_over(job jsonb) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    left_over double precision := extract(epoch FROM (job ->> 'until')::timestamptz - clock_timestamp());
BEGIN
    PERFORM pg_sleep(greatest(0, least(1, left_over)));
    RETURN coalesce(left_over, 0) <= 1;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_is_over(jsonb) IS
    'sleeps for what is left of a wait, at most a second, and tells whether the wait is over then';

CREATE FUNCTION parity_internal.verify_delay(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT parity_internal.verify_is_over(job) THEN
        RETURN job;
    END IF;
    RETURN job || jsonb_build_object('step', 'replay',
        'until', clock_timestamp() + make_interval(secs => (job -> 'ask' ->> 'replay_timeout')::float8));
END
$$;
COMMENT ON FUNCTION parity_internal.verify_delay(jsonb) IS 'a step of verify: waits a while before looking again';

-- Whether the target shows at least what was committed here before source_lsn. confirmed_flush_lsn lags behind, but
-- everybody may see it.
CREATE FUNCTION parity_internal.verify_has_replayed(job jsonb) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    replication jsonb := job -> 'plan' -> 'replication';
    wait double precision := parity_internal.verify_patience(job -> 'ask');
    reached boolean;
    answer jsonb;
    query CONSTANT text := 'SELECT jsonb_build_object(''server'', %s, ''reached'', %s)::text';
BEGIN
    IF replication ->> 'kind' = 'physical' THEN
        answer := parity_internal.verify_ask(
            format(query, parity_internal.verify_server_query(job),
                   format('coalesce(pg_last_wal_replay_lsn() >= %L, false)', job ->> 'source_lsn')), wait);
        PERFORM parity_internal.verify_same_server(job, answer -> 'server');
        RETURN answer -> 'reached';
    END IF;
    SELECT coalesce(bool_and(coalesce(
               greatest(w.replay_lsn, s.confirmed_flush_lsn) >= (job ->> 'source_lsn')::pg_lsn, false)), false)
           AND count(*) = jsonb_array_length(replication -> 'slots')
    INTO reached
    FROM pg_replication_slots s LEFT JOIN pg_stat_replication w ON w.pid = s.active_pid
    WHERE replication -> 'slots' ? s.slot_name;
    -- While the initial copy of a table runs, its subscription goes on without it.
    IF NOT reached THEN
        RETURN false;
    END IF;
    answer := parity_internal.verify_ask(format(query, parity_internal.verify_server_query(job), format(
        'NOT EXISTS (SELECT FROM pg_subscription_rel r WHERE r.srsubstate <> ''r'' '
        'AND (r.srrelid = %1$L::oid OR r.srrelid IN (SELECT p.relid FROM pg_partition_tree(%1$L::oid) p '
        'UNION SELECT a.relid FROM pg_partition_ancestors(%1$L::oid) a(relid))))',
        job -> 'plan' ->> 'target_oid')), wait);
    PERFORM parity_internal.verify_same_server(job, answer -> 'server');
    RETURN answer -> 'reached';
END
$$;
COMMENT ON FUNCTION parity_internal.verify_has_replayed(jsonb) IS
    'whether the target has replayed what the last look saw here';

CREATE FUNCTION parity_internal.verify_replay(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kind text := job -> 'plan' -> 'replication' ->> 'kind';
    slice timestamptz := clock_timestamp() + interval '1 s';
BEGIN
    IF kind NOT IN ('physical', 'logical') THEN
        RETURN job || jsonb_build_object('step', 'snapshot', 'follows', CASE kind WHEN 'none' THEN 'no' ELSE kind END);
    END IF;
    LOOP
        IF parity_internal.verify_has_replayed(job) THEN
            RETURN job || '{"step": "snapshot", "follows": "replayed"}';
        ELSIF clock_timestamp() > (job ->> 'until')::timestamptz THEN
            RETURN job || '{"step": "snapshot", "follows": "late"}';
        ELSIF clock_timestamp() > slice THEN
            RETURN job;
        END IF;
        PERFORM pg_sleep(0.1);
        PERFORM pg_stat_clear_snapshot();
    END LOOP;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_replay(jsonb) IS
    'a step of verify: waits until the target has replayed what the last look saw here';

CREATE FUNCTION parity_internal.verify_pause(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN job || jsonb_build_object(
        'step', CASE WHEN parity_internal.verify_is_over(job) THEN 'connect' ELSE 'pause' END);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_pause(jsonb) IS
    'a step of verify: lets replay on the target catch up before reading again';

-- A standby's replay ends a query (40001, or 40P01 for a deadlock), or the session while it waits in its transaction.
-- The extension itself raises 40001 for a table that was rewritten. Its messages are never translated, so the text
-- tells these apart.
CREATE FUNCTION parity_internal.verify_is_by_replay(job jsonb, state text, message text, context text) RETURNS boolean
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(state IN ('40001', '40P01') AND context LIKE '%pg_parity:target%'
                    AND coalesce((job #>> '{target_server,recovery}')::boolean, true) AND job ->> 'step' <> 'give_up'
                    AND message !~ '^relation ".*" was .* after the snapshot was taken$', false)
$$;
COMMENT ON FUNCTION parity_internal.verify_is_by_replay(jsonb, text, text, text) IS
    'whether replay on the target, a standby, ended what was read there; where the target has not told yet what it is, '
    'whether that may be';

-- The table is read again after 1, 2, 4 and 8 seconds, in which replay can catch up. After the fifth attempt the job
-- gives up. The driver does the same (driver/compare/snapshots.cpp).
CREATE FUNCTION parity_internal.verify_after_replay(job jsonb, state text, message text) RETURNS jsonb
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT job || jsonb_build_object('cancelled', c.times, 'replays', coalesce((job ->> 'replays')::integer, 0) + 1)
               || CASE WHEN c.times < 5
                       THEN jsonb_build_object('step', 'pause',
                           'until', clock_timestamp() + make_interval(secs => 2 ^ (c.times - 1)))
                       ELSE jsonb_build_object('step', 'give_up', 'sqlstate', state, 'message', message) END
    FROM (SELECT coalesce((job ->> 'cancelled')::integer, 0) + 1) AS c(times)
$$;
COMMENT ON FUNCTION parity_internal.verify_after_replay(jsonb, text, text) IS
    'what becomes of a job whose reading the target''s replay has ended';

CREATE FUNCTION parity_internal.verify_give_up(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    standby jsonb;
BEGIN
    PERFORM parity_internal.verify_open(job);
    -- The driver sends the same query (driver/postgres/queries/catalog.cpp).
    standby := parity_internal.verify_ask(
        'SELECT jsonb_build_object(''recovery'', pg_is_in_recovery(), ''delay'', s.delay, '
        '''value'', current_setting(s.delay), ''feedback'', current_setting(''hot_standby_feedback''))::text '
        'FROM (SELECT CASE WHEN EXISTS (SELECT FROM pg_stat_wal_receiver) THEN ''max_standby_streaming_delay'' '
        'ELSE ''max_standby_archive_delay'' END) AS s(delay)', parity_internal.verify_patience(job -> 'ask'))::jsonb;
    IF NOT (standby ->> 'recovery')::boolean THEN
        RETURN job || jsonb_build_object('step', 'finish', 'status', 'failed',
            'message', 'on the target: ' || (job ->> 'message'));
    END IF;
    RETURN job || jsonb_build_object('step', 'finish', 'status', 'incomplete', 'message', format(
        'given up after %s attempts: the target is a standby, whose replay ended each of them (%s); '
        '%s is %s there, hot_standby_feedback is %s; %s',
        job ->> 'cancelled', job ->> 'message', standby ->> 'delay', standby ->> 'value', standby ->> 'feedback',
        CASE standby ->> 'feedback' WHEN 'on'
            THEN format('let %s there be longer than reading the table takes: with hot_standby_feedback on, it is '
                        'locks that conflict, those of DDL and of a VACUUM that truncates', standby ->> 'delay')
            ELSE format('set hot_standby_feedback = on there, or let %s be longer than reading the table takes',
                        standby ->> 'delay') END));
END
$$;
COMMENT ON FUNCTION parity_internal.verify_give_up(jsonb) IS
    'a step of verify: ends a job that the target''s replay never let be read, with the settings that decide';

-- What becomes of a job after an error. Nothing is left running on the target. A table that was rewritten, or that a
-- standby's replay did not let be read, is read again under new snapshots. A job that the target refused or lost is
-- incomplete. A cancel from here and a cancel on the target are told apart.
CREATE FUNCTION parity_internal.verify_failed(job jsonb, state text, message text, detail text, context text)
    RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_target boolean := context LIKE '%pg_parity:target%';
    again jsonb;
    status text;
    secret text;
BEGIN
    RAISE DEBUG USING MESSAGE = message, DETAIL = context;
    -- 08006: the target is gone, or did not answer in time.
    PERFORM parity_internal.verify_disconnect(
        state <> '08006' AND NOT coalesce((job ->> 'target_notices')::boolean, true));
    again := job || '{"step": "connect"}';
    -- The last wait for replay was for an earlier position than what has been seen here since then.
    IF job ->> 'step' NOT IN ('snapshot', 'pass') THEN
        again := again - 'follows';
    END IF;
    IF parity_internal.verify_is_by_replay(job, state, message, context) THEN
        RETURN parity_internal.verify_after_replay(again, state, message);
    ELSIF state IN ('40001', '40P01') AND coalesce((job ->> 'conflicts')::integer, 0) < 3
          AND job ->> 'step' <> 'give_up' THEN
        RETURN again || jsonb_build_object('conflicts', coalesce((job ->> 'conflicts')::integer, 0) + 1);
    END IF;
    -- The likely reason for a contradiction is an index that lacks rows, or has others. The job starts again without
    -- indexes.
    IF state = 'XX002' AND NOT job ? 'without_indexes' THEN
        RETURN again || '{"without_indexes": true}';
    END IF;
    status := CASE WHEN state = '57014' AND NOT of_target THEN 'cancelled'
                   WHEN state LIKE '08%' OR (of_target AND state LIKE '57P%') THEN 'incomplete' ELSE 'failed' END;
    message := CASE WHEN of_target THEN 'on the target: ' WHEN state = '42501' THEN 'here: ' ELSE '' END || message
               || CASE WHEN detail <> '' AND state LIKE '08%'
                       THEN ': ' || regexp_replace(btrim(detail, E'\n '), '\s*\n\s*', '; ', 'g') ELSE '' END;
    FOR secret IN SELECT o.option_value FROM pg_user_mappings m, pg_options_to_table(m.umoptions) o
                  WHERE m.srvname = job ->> 'server' AND o.option_name = 'password' AND o.option_value <> '' LOOP
        message := replace(message, secret, '***');
    END LOOP;
    RETURN job || jsonb_build_object('step', 'finish', 'status', status, 'sqlstate', state, 'message', message,
        -- The same would happen with any other table.
        'hopeless', state = '55000' AND message ~ 'another server now|is a pooler'
                    OR job ->> 'step' = 'connect' AND (state LIKE '08%' OR state IN ('2F003', '42704', '55000')));
EXCEPTION WHEN query_canceled THEN  -- who cancels may do it twice
    RETURN job || '{"step": "finish", "status": "cancelled", "sqlstate": "57014", '
                  '"message": "cancelled while an error was dealt with"}';
END
$$;
COMMENT ON FUNCTION parity_internal.verify_failed(jsonb, text, text, text, text) IS
    'what becomes of a job in which something failed';

-- The first ranges that differ show where to look. All ranges of a large relation would fill the records.
CREATE FUNCTION parity_internal.verify_most_ranges() RETURNS integer
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 10000
$$;
COMMENT ON FUNCTION parity_internal.verify_most_ranges() IS 'how many ranges of one relation are recorded at most';

CREATE FUNCTION parity_internal.verify_findings(job jsonb) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH plan AS (
        SELECT parity_internal.verify_names(job -> 'plan' -> 'key') AS key,
            parity_internal.verify_names(job -> 'plan' -> 'columns') AS columns,
            parity_internal.verify_names(job -> 'plan' -> 'key_forms') AS forms
    ), line AS (
        SELECT r.no, r.value, CASE r.value ->> 'state' WHEN 'divergent' THEN 'divergent' ELSE 'in_flight' END AS state,
            -- Rows without a key are told apart by their values.
            CASE WHEN cardinality(p.key) > 0 THEN
                jsonb_object(p.key, coalesce(
                    (SELECT array_agg(v.value ORDER BY v.no)
                     FROM jsonb_array_elements_text(nullif(r.value -> 'key_values', 'null'))
                         WITH ORDINALITY AS v(value, no)),
                    parity.key_values(decode(r.value ->> 'key', 'hex'), p.forms)))
            WHEN (job -> 'ask' ->> 'with_values')::boolean THEN
                coalesce(nullif(r.value -> 'source_values', 'null'), nullif(r.value -> 'target_values', 'null'),
                         jsonb_object(p.columns, parity.key_values(decode(r.value ->> 'key', 'hex'), p.forms)))
            END AS key,
            (r.value ->> 'source_extra')::bigint AS source_extra, (r.value ->> 'target_extra')::bigint AS target_extra
        FROM plan p, jsonb_array_elements(job -> 'found' -> 'rows') WITH ORDINALITY AS r(value, no)
    ), finding AS (
        SELECT 1 AS part, no, jsonb_build_object(
            'kind', 'mismatch', 'state', state, 'key', key, 'columns', value -> 'columns',
            'occurrences', least(source_extra, target_extra),
            'source_values', value -> 'source_values', 'target_values', value -> 'target_values') AS finding
        FROM line WHERE source_extra > 0 AND target_extra > 0
        UNION ALL
        SELECT 2, no, jsonb_build_object(
            'kind', CASE WHEN source_extra > target_extra THEN 'missing_on_target' ELSE 'missing_on_source' END,
            'state', state, 'key', key, 'occurrences', abs(source_extra - target_extra),
            'source_values', CASE WHEN source_extra > target_extra THEN value -> 'source_values' END,
            'target_values', CASE WHEN source_extra < target_extra THEN value -> 'target_values' END)
        FROM line WHERE source_extra <> target_extra
        UNION ALL
        SELECT 3, r.no, jsonb_build_object(
            'kind', 'range', 'state', CASE r.value ->> 'state' WHEN 'divergent' THEN 'divergent' ELSE 'in_flight' END,
            'key', jsonb_build_object('lower', r.value -> 'lower_text', 'upper', r.value -> 'upper_text'),
            'columns', r.value -> 'columns')
        FROM jsonb_array_elements(job -> 'found' -> 'ranges') WITH ORDINALITY AS r(value, no)
        WHERE r.no <= parity_internal.verify_most_ranges()
    )
    SELECT coalesce(jsonb_agg(
        jsonb_strip_nulls(finding - '{key,source_values,target_values}'::text[])
        || jsonb_build_object('key', finding -> 'key', 'source_values', finding -> 'source_values',
                              'target_values', finding -> 'target_values')
        ORDER BY no, part), '[]')
    FROM finding
$$;
COMMENT ON FUNCTION parity_internal.verify_findings(jsonb) IS 'what is recorded of the rows and ranges that differ';

CREATE FUNCTION parity_internal.verify_facts(job jsonb) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH line AS (
        SELECT r.value, r.value ->> 'state' = 'divergent' AS sure,
            greatest((r.value ->> 'source_extra')::bigint, (r.value ->> 'target_extra')::bigint) AS rows
        FROM jsonb_array_elements(job -> 'found' -> 'rows') r
    ), range AS (
        SELECT r.value, r.value ->> 'state' = 'divergent' AS sure
        FROM jsonb_array_elements(job -> 'found' -> 'ranges') r
    ), sure AS (
        SELECT value -> 'range' AS range, value -> 'columns' AS columns FROM line WHERE sure
        UNION ALL SELECT value -> 'parent', value -> 'columns' FROM range WHERE sure
    )
    SELECT CASE WHEN job ? 'found' THEN jsonb_build_object(
            'source_rows', job -> 'found' -> 'source_rows', 'target_rows', job -> 'found' -> 'target_rows',
            'ranges', job -> 'found' -> 'ranges_compared', 'divergent_ranges', (SELECT count(DISTINCT range) FROM sure),
            'divergent_rows', (SELECT coalesce(sum(rows), 0) FROM line WHERE sure),
            'in_flight_rows', (SELECT coalesce(sum(rows), 0) FROM line WHERE NOT sure),
            'cleared_rows', job -> 'found' -> 'cleared', 'unnamed_ranges', (SELECT count(*) FROM range),
            'divergent_columns', (
                SELECT coalesce(jsonb_agg(DISTINCT c.value), '[]') FROM sure, jsonb_array_elements(sure.columns) c))
        ELSE '{}' END
        || jsonb_build_object(
            'source_lsn', job -> 'source_lsn', 'target_lsn', job -> 'target_lsn',
            'not_compared', coalesce(job -> 'plan' -> 'not_compared', '[]'),
            'details', jsonb_strip_nulls(jsonb_build_object(
                'left_out', job -> 'left_out', 'without_indexes', job -> 'without_indexes',
                'key', job -> 'plan' -> 'key', 'key_proven', job -> 'plan' -> 'key_proven', 'looks', job -> 'looks',
                'replication', job -> 'plan' -> 'replication', 'follows', job -> 'followed',
                'conflicts', nullif(
                    coalesce((job ->> 'conflicts')::integer, 0) + coalesce((job ->> 'replays')::integer, 0), 0),
                'digests', job -> 'found' -> 'effort')),
            'sqlstate', job -> 'sqlstate', 'message', job -> 'message')
$$;
COMMENT ON FUNCTION parity_internal.verify_facts(jsonb) IS 'what is recorded of a table';

CREATE FUNCTION parity_internal.verify_message(job jsonb, moving boolean) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT nullif(concat_ws('; ',
        CASE WHEN job ? 'unpopulated' THEN 'the materialized view is populated on neither side' END,
        CASE WHEN job ? 'misled'
             THEN format('an index that serves the filter does not agree with the table on %s: it is corrupt; '
                         'rows were read without it', job ->> 'misled') END,
        CASE WHEN job ->> 'status' = 'incomplete'
             THEN (SELECT string_agg(format('%s was not compared: %s', n ->> 'what', n ->> 'reason'), '; ')
                   FROM jsonb_array_elements(job -> 'plan' -> 'not_compared') n)
             WHEN moving AND job ->> 'followed' = 'late' THEN format(
                 'the target had not replayed %s in time: see %s', job ->> 'source_lsn',
                 CASE WHEN job -> 'plan' -> 'replication' ? 'slots'
                      THEN format('pg_replication_slots here (slot %s) and pg_stat_subscription there', (
                          SELECT string_agg(n, ', ')
                          FROM jsonb_array_elements_text(job -> 'plan' -> 'replication' -> 'slots') n))
                      ELSE 'pg_stat_replication here' END)
             WHEN moving AND job ->> 'followed' = 'unknown'
             THEN 'whether what differs is only on its way cannot be told: '
                  || (job -> 'plan' -> 'replication' ->> 'reason') END,
        CASE WHEN job ->> 'status' = 'divergent' THEN (
            SELECT concat_ws('; ',
                CASE WHEN replication ->> 'kind' = 'none' AND replication ? 'reason'
                     THEN format('%s, so what differs may be what it has not received', replication ->> 'reason') END,
                CASE WHEN unnamed > 0 THEN format('not all rows of %s ranges are named', unnamed) END,
                CASE WHEN unnamed > 0 AND found -> 'source_rows' <> found -> 'target_rows'
                     THEN format('%s rows here, %s on the target', found ->> 'source_rows', found ->> 'target_rows')
                END,
                (SELECT string_agg(format('%s is not compared: %s', n ->> 'what', n ->> 'reason'), '; ')
                 FROM jsonb_array_elements(job -> 'plan' -> 'not_compared') n))
            FROM (SELECT job -> 'found' AS found, job -> 'plan' -> 'replication' AS replication,
                         jsonb_array_length(job -> 'found' -> 'ranges') AS unnamed) AS known) END,
        CASE WHEN jsonb_array_length(job -> 'found' -> 'ranges') > parity_internal.verify_most_ranges()
             THEN format('only %s of %s ranges are recorded', parity_internal.verify_most_ranges(),
                         jsonb_array_length(job -> 'found' -> 'ranges')) END,
        CASE WHEN (job -> 'found' ->> 'values_left_out')::bigint > 0
             THEN format('the values of %s rows would have been too many bytes and are not recorded',
                 job -> 'found' ->> 'values_left_out')
        END), '')
$$;
COMMENT ON FUNCTION parity_internal.verify_message(jsonb, boolean) IS
    'what there is to say of a result besides an error';

CREATE FUNCTION parity_internal.verify_finish(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found jsonb := job -> 'found';
    sure boolean;
    moving boolean;
BEGIN
    PERFORM parity_internal.verify_disconnect(false);  -- what an error may have left
    -- While this waits for a lock on the records, it keeps the lock on the relation from others.
    PERFORM set_config(
        'lock_timeout', CASE WHEN job ? 'unrecorded' THEN '5s' ELSE job -> 'ask' ->> 'lock_timeout' END, true);
    SELECT coalesce(bool_or(e ->> 'state' = 'divergent'), false), coalesce(bool_or(e ->> 'state' <> 'divergent'), false)
    INTO sure, moving
    FROM jsonb_array_elements((found -> 'rows') || (found -> 'ranges')) e;
    IF job ->> 'status' IS NULL OR (sure AND job ->> 'status' <> 'cancelled') THEN
        job := job || jsonb_build_object('status', CASE WHEN sure THEN 'divergent' WHEN moving THEN 'in_flight'
            WHEN jsonb_array_length(job -> 'plan' -> 'not_compared') > 0 THEN 'incomplete' ELSE 'identical' END);
    END IF;
    IF job ->> 'message' IS NULL THEN
        job := job || jsonb_build_object('message', parity_internal.verify_message(job, moving));
    END IF;
    IF found IS NOT NULL AND NOT job ? 'unrecorded' THEN
        PERFORM parity_internal.record_divergences((job ->> 'part')::bigint, parity_internal.verify_findings(job));
    END IF;
    PERFORM parity_internal.record_table_finish(
        (job ->> 'part')::bigint, job ->> 'status', parity_internal.verify_facts(job));
    RETURN job || '{"step": "done"}';
END
$$;
COMMENT ON FUNCTION parity_internal.verify_finish(jsonb) IS 'a step of verify: records how it ended';

-- What was found cannot be recorded. The end of the job still may be, in a transaction that has not failed.
CREATE FUNCTION parity_internal.verify_finish_failed(job jsonb, state text, message text) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    job := job || jsonb_build_object(
        'status', CASE WHEN state = '57014' THEN 'cancelled' ELSE coalesce(job ->> 'status', 'failed') END,
        'sqlstate', state, 'message', 'what was found could not be recorded: ' || message);
    IF NOT job ? 'unrecorded' THEN
        RETURN job || '{"unrecorded": true}';
    END IF;
    PERFORM parity_internal.record_warn(format('verification of %s: %s', job ->> 'name', job ->> 'message'), 'PP003');
    RETURN job || '{"step": "done"}';
END
$$;
COMMENT ON FUNCTION parity_internal.verify_finish_failed(jsonb, text, text) IS
    'what becomes of a job that could not be recorded';
