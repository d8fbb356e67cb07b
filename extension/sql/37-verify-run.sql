
--
-- verify: a run, from the call to its end
--

CREATE FUNCTION parity_internal.verify_check_options(ask jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
    milliseconds jsonb := '{}';
BEGIN
    FOREACH name IN ARRAY '{max_rows,with_values,recheck_delay,rechecks,replay_timeout,lock_timeout,'
                          'allow_same_server,fail}'::text[] LOOP
        IF ask ->> name IS NULL THEN
            RAISE EXCEPTION USING MESSAGE = format('%s must not be NULL', name), ERRCODE = '22004';
        END IF;
    END LOOP;
    FOREACH name IN ARRAY '{ranges,rechecks}'::text[] LOOP
        IF (ask ->> name)::integer < 1 THEN
            RAISE EXCEPTION USING MESSAGE = format('%s must be at least 1', name), ERRCODE = '22023';
        END IF;
    END LOOP;
    IF (ask ->> 'ranges')::integer > 131072 THEN
        RAISE EXCEPTION USING MESSAGE = 'ranges must be at most 131072', ERRCODE = '22023';
    ELSIF NOT (ask ->> 'max_rows')::integer BETWEEN 0 AND 100000 THEN
        RAISE EXCEPTION USING MESSAGE = 'max_rows must be between 0 and 100000', ERRCODE = '22023';
    END IF;
    FOREACH name IN ARRAY '{recheck_delay,replay_timeout,lock_timeout,statement_timeout}'::text[] LOOP
        IF (ask ->> name)::interval < interval '0' THEN
            RAISE EXCEPTION USING MESSAGE = format('%s must not be negative', name), ERRCODE = '22023';
        END IF;
        milliseconds := milliseconds || jsonb_build_object(
            name, round(extract(epoch FROM (ask ->> name)::interval)::numeric * 1000));
    END LOOP;
    RETURN jsonb_strip_nulls(ask) || jsonb_build_object(
        'recheck_delay', (milliseconds ->> 'recheck_delay')::float8 / 1000,
        'replay_timeout', (milliseconds ->> 'replay_timeout')::float8 / 1000,
        'lock_timeout', milliseconds ->> 'lock_timeout',
        'statement_timeout', coalesce(milliseconds ->> 'statement_timeout', '0'),
        'wait', CASE WHEN (milliseconds ->> 'statement_timeout')::numeric > 0
                     THEN (milliseconds ->> 'statement_timeout')::numeric / 1000 + 10 ELSE 0 END);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_check_options(jsonb) IS 'checks what was asked for';

-- The key of an advisory lock is two integers. The second is the relation's OID. Of the first, sixteen bits are the
-- project's ("pa"), and sixteen bits tell what the relation is compared with, so that runs against different sides do
-- not wait for each other.
CREATE FUNCTION parity_internal.verify_lock_class(kind text, target text) RETURNS integer
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (28769 << 16) | (hashtext(kind || ' ' || target) & 65535)
$$;
COMMENT ON FUNCTION parity_internal.verify_lock_class(text, text) IS
    'the first key of the advisory lock of verifications against a server (kind verify) or a baseline''s label '
    '(baseline)';

CREATE FUNCTION parity_internal.verify_lock(relation oid, target text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN pg_try_advisory_lock(
        parity_internal.verify_lock_class('verify', target), relation::bigint::bit(32)::integer);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_lock(oid, text) IS
    'takes the advisory lock under which one session at a time verifies a relation against a server';

CREATE FUNCTION parity_internal.verify_lock_holder(of_kind text, of_target text, of_relation oid) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((
        SELECT CASE WHEN r.id IS NULL THEN format(' (pid %s)', l.pid) ELSE format(' (run %s, pid %s)', r.id, l.pid) END
        FROM pg_locks l LEFT JOIN parity.run r ON r.pid = l.pid AND r.finished IS NULL
        WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
          AND l.objid = of_relation AND l.pid <> pg_backend_pid()
          AND l.classid::bigint = parity_internal.verify_lock_class(of_kind, of_target)::bigint & 4294967295
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        ORDER BY r.id DESC NULLS LAST LIMIT 1), '')
$$;
COMMENT ON FUNCTION parity_internal.verify_lock_holder(text, text, oid) IS
    'who has the advisory lock of a relation and a server, or a baseline''s label, in brackets; empty if nobody has it '
    'any more';

-- A session has one run at a time, so all of its locks belong to that run.
CREATE FUNCTION parity_internal.verify_unlock() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held record;
BEGIN
    LOOP
        SELECT l.classid::bigint::bit(32)::integer AS class, l.objid::bigint::bit(32)::integer AS object INTO held
        FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid::bigint >> 16 = 28769
          AND l.mode = 'ExclusiveLock'
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND l.pid = pg_backend_pid() AND l.granted
        LIMIT 1;
        -- The lock of a transaction, as a baseline takes one, cannot be released so.
        EXIT WHEN NOT FOUND OR NOT pg_advisory_unlock(held.class, held.object);
    END LOOP;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_unlock() IS
    'releases the advisory locks of verifications that this session has';

CREATE FUNCTION parity_internal.verify_leave_behind() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM parity_internal.verify_disconnect(false);
    PERFORM parity_internal.verify_unlock();
END
$$;
COMMENT ON FUNCTION parity_internal.verify_leave_behind() IS
    'releases the connection and the locks that a run which ended between two steps left in this session';

CREATE FUNCTION parity_internal.verify_begin_run(ask jsonb, source text) RETURNS bigint
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT parity_internal.record_run_start('verify', source, ask ->> 'server',
        'pg_parity ' || (SELECT extversion FROM pg_extension WHERE extname = 'pg_parity'),
        jsonb_strip_nulls(ask - '{server,wait,relation,found,error,callback_oid}'::text[]), true)
$$;
COMMENT ON FUNCTION parity_internal.verify_begin_run(jsonb, text) IS 'begins the record of a run';

-- What of the request narrows the comparison, or makes it about another table. Under a form that the caller asked for,
-- values that differ may be equal.
CREATE FUNCTION parity_internal.verify_scope(ask jsonb, name text, target text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'filter', ask -> 'filter', 'columns', ask -> 'columns', 'key_columns', ask -> 'key_columns',
        'forms', nullif(ask -> 'forms', '{}'),
        'target_relation', CASE WHEN target <> name THEN target END))
$$;
COMMENT ON FUNCTION parity_internal.verify_scope(jsonb, text, text) IS 'what is compared, as parity.run_table has it';

-- Names have one spelling, so that a run that could not begin has the scope of the others. A text that is no name is
-- recorded as it is.
CREATE FUNCTION parity_internal.verify_target(name text, target text) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parts text[];
BEGIN
    IF target IS NULL THEN
        RETURN name;
    END IF;
    parts := parse_ident(target);
    RETURN parity_internal.record_quoted(
        CASE WHEN cardinality(parts) = 1 THEN (parse_ident(name))[1:1] ELSE '{}' END || parts);
EXCEPTION WHEN data_exception THEN
    RETURN target;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_target(text, text) IS
    'the name on the target of a relation: what was asked for, in the schema of its name if in none, or that name '
    'itself';

-- The job of one table. It is done at once if another session verifies the table. `kind` is the kind that was chosen;
-- without it, the kind that the relation has now.
CREATE FUNCTION parity_internal.verify_begin_table(ask jsonb, run bigint, relation oid, kind text DEFAULT NULL)
    RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off AS $$
#variable_conflict use_variable
DECLARE
    name text := parity_internal.record_name(relation);
    target text;
    part bigint;
    job jsonb;
BEGIN
    IF name IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = format('relation with OID %s does not exist', relation), ERRCODE = '42P01';
    END IF;
    PERFORM parse_ident(ask ->> 'target_relation');  -- an error where that is no name
    target := parity_internal.verify_target(name, ask ->> 'target_relation');
    part := parity_internal.record_table_start(run, name, target, parity_internal.verify_scope(ask, name, target));
    job := jsonb_build_object(
        'ask', ask, 'server', ask ->> 'server', 'run', run, 'part', part, 'relation', relation,
        'name', name, 'target', target, 'kind', coalesce(kind, (
            SELECT parity_internal.verify_kind(c.relkind::text) FROM pg_class c WHERE c.oid = relation)));
    IF NOT parity_internal.verify_lock(relation, ask ->> 'server') THEN
        PERFORM parity_internal.record_table_finish(part, 'skipped', jsonb_build_object(
            'message', 'another session verifies the relation'
                       || parity_internal.verify_lock_holder('verify', ask ->> 'server', relation)));
        RETURN job || '{"status": "skipped", "step": "done"}';
    END IF;
    RETURN job || '{"step": "connect"}';
END
$$;
COMMENT ON FUNCTION parity_internal.verify_begin_table(jsonb, bigint, oid, text) IS
    'begins the record and the job of one table';

-- An error before there is a job is recorded and reported like any other: a schedule whose table is gone must be
-- noticed. The caller gets the error when that is done.
CREATE FUNCTION parity_internal.verify_refused(ask jsonb, run bigint, relation text, scope jsonb, error jsonb)
    RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part bigint := parity_internal.record_table_start(
        run, relation, coalesce(scope ->> 'target_relation', relation), scope);
    status text := CASE error ->> 'sqlstate' WHEN '57014' THEN 'cancelled' ELSE 'failed' END;
BEGIN
    PERFORM parity_internal.record_table_finish(part, status,
        jsonb_build_object('sqlstate', error -> 'sqlstate', 'message', error -> 'message'));
    RETURN jsonb_build_object('ask', ask, 'run', run, 'part', part, 'status', status, 'step', 'done', 'error', error,
                              'sqlstate', error -> 'sqlstate', 'message', error -> 'message');
END
$$;
COMMENT ON FUNCTION parity_internal.verify_refused(jsonb, bigint, text, jsonb, jsonb) IS
    'records a table that could not be begun, and gives a job that is done';

-- A callback that is not found is an error that is recorded as well.
CREATE FUNCTION parity_internal.verify_take_callback(asked jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (asked - '{found,called,relation,callback}'::text[])
           || jsonb_strip_nulls(jsonb_build_object(
               'callback', asked -> 'called' -> 'name', 'callback_oid', asked -> 'called' -> 'oid',
               'error', asked -> 'called' -> 'error'))
$$;
COMMENT ON FUNCTION parity_internal.verify_take_callback(jsonb) IS
    'puts the callback that was found among what was asked for';

-- `asked` has what parity_internal.record_find gave for relation and callback in "found" and "called".
CREATE FUNCTION parity_internal.verify_begin(asked jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found CONSTANT jsonb := asked -> 'found';
    ask jsonb := parity_internal.verify_take_callback(asked);
    run bigint;
    error jsonb;
    state text;
    message text;
    hint text;
BEGIN
    PERFORM parity_internal.verify_leave_behind();
    PERFORM parity_internal.record_require_values(asked, '{relation,server}');
    BEGIN
        ask := parity_internal.verify_check_options(ask);
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
        error := jsonb_build_object('sqlstate', state, 'message', message, 'hint', hint);
    END;
    run := parity_internal.verify_begin_run(ask, current_database());
    error := coalesce(found -> 'error', ask -> 'error', error);
    IF error IS NULL THEN
        BEGIN
            RETURN parity_internal.verify_begin_table(ask, run, (found ->> 'oid')::oid);
        EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
            GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
            error := jsonb_build_object('sqlstate', state, 'message', message, 'hint', hint);
            PERFORM parity_internal.verify_unlock();
        END;
    END IF;
    RETURN parity_internal.verify_refused(ask, run, found ->> 'name',
        parity_internal.verify_scope(ask, found ->> 'name',
            parity_internal.verify_target(found ->> 'name', ask ->> 'target_relation')), error);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_begin(jsonb) IS 'begins the run over one table, and its job';

-- Calls the caller's function with what NOTIFY sends. An error of that function is recorded, and changes no result. The
-- cast chooses among functions of one name.
CREATE FUNCTION parity_internal.verify_tell(job jsonb, payload jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    callback text := job -> 'ask' ->> 'callback';
    message text;
    state text;
BEGIN
    IF callback IS NOT NULL THEN
        -- The function that has the name now may be somebody else's.
        IF job -> 'ask' ? 'callback_oid'
           AND to_regprocedure(callback || '(pg_catalog.jsonb)')::oid
               IS DISTINCT FROM (job -> 'ask' ->> 'callback_oid')::oid THEN
            RAISE EXCEPTION USING MESSAGE = 'it is not the function that had this name when the run began',
                ERRCODE = '42883';
        END IF;
        EXECUTE format('SELECT %s($1::pg_catalog.jsonb)', callback) USING payload;
    END IF;
    RETURN job;
EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    BEGIN
        message := parity_internal.record_error((job ->> 'run')::bigint, NULL, state, message);
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
        -- The text of the error is lost. That there was one is not.
        state := CASE SQLSTATE WHEN '57014' THEN SQLSTATE ELSE state END;
        message := parity_internal.record_message(state, message);
    END;
    message := format('callback %s failed: %s', callback, message);
    PERFORM parity_internal.record_warn(message, 'PP003');
    RETURN job || jsonb_build_object('callback_message', message)
           || CASE WHEN state = '57014' THEN '{"status": "cancelled"}' ELSE '{}' END::jsonb;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_tell(jsonb, jsonb) IS 'calls the caller''s function';

CREATE FUNCTION parity_internal.verify_call_back(job jsonb) RETURNS jsonb
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT parity_internal.verify_tell(
        job, parity_internal.record_payload((job ->> 'run')::bigint, (job ->> 'part')::bigint))
$$;
COMMENT ON FUNCTION parity_internal.verify_call_back(jsonb) IS
    'calls the caller''s function with what is told of a table';

CREATE FUNCTION parity_internal.verify_end_run(job jsonb) RETURNS text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- The text about the callback is no error's text, which might have to be kept apart.
    PERFORM parity_internal.record_run_finish(
        (job ->> 'run')::bigint, job ->> 'status',
        CASE WHEN NOT job ? 'callback_message' THEN job ->> 'sqlstate' END, job ->> 'callback_message');
    RETURN job ->> 'status';
END
$$;
COMMENT ON FUNCTION parity_internal.verify_end_run(jsonb) IS 'ends the record of a run, and gives its status';

CREATE FUNCTION parity_internal.verify_worst(run bigint, result text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN count(*) > 0 THEN format(
        '; %s %s: %s', count(*), CASE count(*) WHEN 1 THEN 'table' ELSE 'tables' END,
        string_agg(t.relation, ', ' ORDER BY t.id) FILTER (WHERE t.no <= 5)
        || CASE WHEN count(*) > 5 THEN ', ...' ELSE '' END) ELSE '' END
    FROM (SELECT t.id, t.relation, row_number() OVER (ORDER BY t.id) AS no FROM parity.run_table t
          WHERE t.run_id = run AND t.status = result) AS t
$$;
COMMENT ON FUNCTION parity_internal.verify_worst(bigint, text) IS
    'how many tables of a run ended as the run did, and the names of the first ones';

-- The end of a CALL, after all is recorded. The caller gets an error if nothing could begin, if the call was cancelled,
-- and for any other bad end if the call asked for that. The server logs an error that is raised, and a scheduler keeps
-- it. So it has no text that may quote a value.
CREATE FUNCTION parity_internal.verify_raise(job jsonb, result text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    message CONSTANT text := parity_internal.record_message(job ->> 'sqlstate', job ->> 'message');
    error CONSTANT jsonb := job -> 'error';
    run CONSTANT bigint := job ->> 'run';
BEGIN
    IF error ->> 'detail' <> '' THEN
        RAISE EXCEPTION USING MESSAGE = error ->> 'message', ERRCODE = error ->> 'sqlstate',
            DETAIL = error ->> 'detail', HINT = format('It is recorded as run %s.', job ->> 'run');
    ELSIF error IS NOT NULL THEN
        RAISE EXCEPTION USING MESSAGE = error ->> 'message', ERRCODE = error ->> 'sqlstate',
            HINT = coalesce(nullif(error ->> 'hint', ''), format('It is recorded as run %s.', job ->> 'run'));
    ELSIF result = 'cancelled' THEN
        RAISE EXCEPTION USING MESSAGE = coalesce(message, 'canceling statement due to user request'), ERRCODE = '57014';
    ELSIF (job -> 'ask' ->> 'fail')::boolean AND result <> 'identical' THEN
        RAISE EXCEPTION USING MESSAGE = coalesce(
                CASE WHEN NOT job ? 'unrecorded' THEN parity_internal.record_line(run, (job ->> 'part')::bigint) END
                    || CASE WHEN NOT job ? 'part' THEN parity_internal.verify_worst(run, result) ELSE '' END,
                format('verification against %s: %s', job -> 'ask' ->> 'server', result)
                    || coalesce(': ' || message, '')),
            ERRCODE = CASE WHEN result = 'divergent' THEN 'PP002' ELSE 'PP003' END,
            HINT = parity_internal.record_hint(run, NULL, result);
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_raise(jsonb, text) IS
    'an error for a run that was refused or cancelled, or not identical where fail was asked for';

-- This procedure commits, so it has no SET clause and no exception block. Nothing is evaluated between a COMMIT and SET
-- TRANSACTION, which must come before any query.
CREATE PROCEDURE parity_internal.verify_table(INOUT job jsonb)
    LANGUAGE plpgsql AS $$
BEGIN
    LOOP
        LOOP
            COMMIT;
            SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE;
            job := parity_internal.verify_step(job);
            EXIT WHEN parity_internal.verify_is_at(job, 'pass') OR parity_internal.verify_is_at(job, 'done');
        END LOOP;
        EXIT WHEN parity_internal.verify_is_at(job, 'done');
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
        job := parity_internal.verify_pass(job);
    END LOOP;
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE;
    PERFORM parity_internal.verify_unlock();
    job := parity_internal.verify_call_back(job);
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE;
END
$$;
COMMENT ON PROCEDURE parity_internal.verify_table(jsonb) IS 'takes the steps of one table''s job';

CREATE PROCEDURE parity.verify(
    relation text, server text, target_relation text DEFAULT NULL, ranges integer DEFAULT NULL,
    columns text[] DEFAULT NULL, key_columns text[] DEFAULT NULL, forms jsonb DEFAULT NULL, filter text DEFAULT NULL,
    max_rows integer DEFAULT 1000, with_values boolean DEFAULT false, recheck_delay interval DEFAULT '10 s',
    rechecks integer DEFAULT 3, replay_timeout interval DEFAULT '60 s', workers integer DEFAULT NULL,
    remote_workers integer DEFAULT NULL, lock_timeout interval DEFAULT '10 s', statement_timeout interval DEFAULT NULL,
    allow_same_server boolean DEFAULT false, callback text DEFAULT NULL, fail boolean DEFAULT false,
    INOUT run_id bigint DEFAULT NULL, INOUT result text DEFAULT NULL)
    LANGUAGE plpgsql AS $$
DECLARE
    job pg_catalog.jsonb;
BEGIN
    PERFORM parity_internal.record_require_primary();
    COMMIT;  -- an error inside a transaction block, where nothing has been done yet
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE;
    job := parity_internal.verify_begin(pg_catalog.jsonb_build_object(
        'relation', relation, 'server', server, 'target_relation', target_relation, 'ranges', ranges,
        'columns', columns, 'key_columns', key_columns, 'forms', forms, 'filter', filter, 'max_rows', max_rows,
        'with_values', with_values, 'recheck_delay', recheck_delay, 'rechecks', rechecks,
        'replay_timeout', replay_timeout, 'workers', workers, 'remote_workers', remote_workers,
        'lock_timeout', lock_timeout, 'statement_timeout', statement_timeout, 'allow_same_server', allow_same_server,
        'callback', callback, 'fail', fail,
        'found', parity_internal.record_find(relation), 'called', parity_internal.record_find_callback(callback)));
    run_id := pg_catalog.jsonb_extract_path_text(job, 'run')::pg_catalog.int8;
    IF parity_internal.verify_is_at(job, 'done') THEN
        job := parity_internal.verify_call_back(job);
    ELSE
        CALL parity_internal.verify_table(job);
    END IF;
    result := parity_internal.verify_end_run(job);
    COMMIT;
    PERFORM parity_internal.verify_raise(job, result);
END
$$;
COMMENT ON PROCEDURE parity.verify(text, text, text, integer, text[], text[], jsonb, text, integer, boolean, interval,
    integer, interval, integer, integer, interval, interval, boolean, text, boolean, bigint, text) IS
    'compares a relation with the same on another cluster, which a foreign server for dblink names, records what '
    'differs and tells of it. Relation and callback are names, so that a call whose table is gone is recorded';
