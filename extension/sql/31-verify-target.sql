
--
-- verify: the target, which is reached through dblink
--

-- A run over a table goes in steps. Each step is a function that takes the job, does a bounded piece of work in a
-- transaction of its own, and returns the job as it is then. The job is one JSON object. The procedures commit between
-- the steps, so they can have no exception block: a step catches its errors, and they become part of the job.
--
-- Members of a job, set at the start:
--   ask                  what the caller asked for
--   server, target       the foreign server, and the name of the relation there
--   relation, name       the OID and the name of the relation here; a later relation of that name replaces the first
--   run, part            the rows of parity.run and parity.run_table that this job fills in
-- What the steps set:
--   step                 the next step: connect, snapshot, pass, decide, delay, replay, pause, give_up, finish, done
--   phase                what parity.status shows of the step
--   kind, target_kind    table, view or foreign table: what the caller named on either side, and all that is read there
--   plan                 key, columns, forms, ranges, replication: what connect found
--   found                candidates, ranges and counts after the last pass; the number of that look, and who was
--                        writing at each look and has not ended since (open)
--   source_lsn           the write position here at the last look
--   target_lsn           the position of the target's last snapshot
--   target_horizon       the oldest transaction in progress of that snapshot
--   target_server        which server and database the target is, and its incarnation
--   target_pid           the process there that serves the connection
--   target_notices       it notices by itself, within a second, that this side has gone (from PostgreSQL 14 on)
--   follows              what that snapshot shows of the look before: no (there is no replication), replayed, late,
--                        unknown, or "at once" where nobody waited for it; absent at the first look, after a conflict
--   followed             the last value of follows that was not "at once", for the records
--   looks, at_once       how many looks were waited for, and how many were taken at once since the last of them
--   took                 the seconds of the last pass
--   until                when delay, replay or pause ends
--   conflicts            how often the job went back to connect, but for replay
--   without_indexes      rows are read without indexes: one contradicted the rows, or something differs under a filter
--   misled               the sides on which an index hid rows from the filter
--   replays              how often the target's replay ended the reading
--   cancelled            the same since the last pass that was read to its end
--   status, sqlstate, message
--                        how the job ended
--   error                of a job that was refused: sqlstate, message, detail and hint
--   unpopulated          both relations are materialized views without data
--   left_out             the table is no part of the result: the target cannot have its rows
--   hopeless             no other table would do better
--   unrecorded           what was found could not be recorded
--   callback_message     what the callback did wrong

CREATE FUNCTION parity_internal.verify_dblink() RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    schema text;
BEGIN
    SELECT quote_ident(n.nspname) INTO schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'dblink';
    IF schema IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = 'extension "dblink" is not installed in this database', ERRCODE = '55000',
            HINT = 'CREATE EXTENSION dblink makes other clusters reachable.';
    END IF;
    RETURN schema;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_dblink() IS
    'the schema of dblink, quoted; an error (55000) where it is not installed';

CREATE FUNCTION parity_internal.verify_is_connected() RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    names text[];
BEGIN
    EXECUTE format('SELECT %s.dblink_get_connections()', parity_internal.verify_dblink()) INTO names;
    RETURN coalesce('pg_parity:target' = ANY (names), false);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_is_connected() IS 'whether this session has the connection of verifications';

-- This function is called after an error. A fault of the connection must not hide that error.
-- A cancel goes through a connection of its own. Nothing here can interrupt that, and a server that stands still does
-- not answer it. So the caller asks for a cancel only where the target would not notice by itself that this side has
-- gone.
CREATE FUNCTION parity_internal.verify_disconnect(cancel boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    dblink text;
    busy boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'dblink') OR NOT parity_internal.verify_is_connected() THEN
        RETURN;
    END IF;
    dblink := parity_internal.verify_dblink();
    IF cancel THEN
        BEGIN
            EXECUTE format('SELECT %1$s.dblink_is_busy($1) = 1 AND %1$s.dblink_error_message($1) = ''OK''', dblink)
            INTO busy
                USING 'pg_parity:target';
            IF busy THEN
                EXECUTE format('SELECT %s.dblink_cancel_query($1)', dblink) USING 'pg_parity:target';
            END IF;
        EXCEPTION WHEN OTHERS THEN
            NULL;  -- closing ends the query as well, only later
        END;
    END IF;
    EXECUTE format('SELECT %s.dblink_disconnect($1)', dblink) USING 'pg_parity:target';
EXCEPTION WHEN OTHERS THEN
    NULL;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_disconnect(boolean) IS
    'closes the connection with the target, and may cancel what runs there; no error where there is none';

CREATE FUNCTION parity_internal.verify_send(query text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    sent integer;
    reason text;
BEGIN
    EXECUTE format('SELECT %s.dblink_send_query($1, $2)', parity_internal.verify_dblink()) INTO sent
    USING 'pg_parity:target', query;
    IF sent = 1 THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT %s.dblink_error_message($1)', parity_internal.verify_dblink()) INTO reason
    USING 'pg_parity:target';
    RAISE EXCEPTION USING MESSAGE = 'could not send a query to the target', ERRCODE = '08006', DETAIL = reason;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_send(text) IS 'starts a query on the target';

-- A server that stands still looks like one that is busy. A question about catalogs is answered soon. The target reads
-- a table while this side reads it too: then `since` tells how long the target may take.
CREATE FUNCTION parity_internal.verify_patience(ask jsonb, since timestamptz DEFAULT NULL) RETURNS double precision
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN (ask ->> 'wait')::float8 > 0 THEN (ask ->> 'wait')::float8
                WHEN since IS NULL AND (ask ->> 'lock_timeout')::float8 > 0
                    THEN 60 + (ask ->> 'lock_timeout')::float8 / 1000
                ELSE greatest(3600, 10 * extract(epoch FROM clock_timestamp() - since)::float8) END
$$;
COMMENT ON FUNCTION parity_internal.verify_patience(jsonb, timestamptz) IS
    'how many seconds the target may take to answer; since: when reading began, NULL for other questions';

-- dblink_get_result waits in libpq, where a cancel does not reach it. So the answer must be there before it is called.
CREATE FUNCTION parity_internal.verify_await(seconds double precision) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    started timestamptz := clock_timestamp();
    nap double precision := 0.001;
    waiting boolean;
    -- Each call reads some kilobytes of what has arrived. Several calls in a row keep a long answer flowing.
    polled text := format('SELECT bool_and(%1$s.dblink_is_busy($1) = 1) AND %1$s.dblink_error_message($1) = ''OK'' '
                          'FROM generate_series(1, 64)', parity_internal.verify_dblink());
BEGIN
    LOOP
        EXECUTE polled INTO waiting USING 'pg_parity:target';
        EXIT WHEN NOT waiting;
        IF clock_timestamp() > started + make_interval(secs => seconds) THEN
            RAISE EXCEPTION USING MESSAGE = format('the target did not answer within %s s', round(seconds)),
                ERRCODE = '08006';
        END IF;
        PERFORM pg_sleep(nap);
        nap := least(nap * 1.5, 0.02);
    END LOOP;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_await(double precision) IS
    'waits until the target has answered or is lost, at most so long (08006)';

CREATE FUNCTION parity_internal.verify_answer(seconds double precision) RETURNS text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fetched text := format('SELECT count(*), max(t.answer) FROM %s.dblink_get_result($1) AS t(answer text)',
        parity_internal.verify_dblink());
    results integer;
    part text;
    answer text;
BEGIN
    LOOP
        PERFORM parity_internal.verify_await(seconds);
        EXECUTE fetched INTO results, part USING 'pg_parity:target';
        EXIT WHEN results = 0;
        answer := part;
    END LOOP;
    RETURN answer;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_answer(double precision) IS
    'the answer of the target to statements that were sent, each of which gives one row of one text: the last one''s';

CREATE FUNCTION parity_internal.verify_ask(query text, seconds double precision) RETURNS text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM parity_internal.verify_send(query);
    RETURN parity_internal.verify_answer(seconds);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_ask(text, double precision) IS
    'runs such statements on the target, and gives the answer';

CREATE FUNCTION parity_internal.verify_drain() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    results integer;
BEGIN
    PERFORM parity_internal.verify_await(60);
    EXECUTE format('SELECT count(*) FROM %s.dblink_get_result($1) AS t(answer text)', parity_internal.verify_dblink())
    INTO results
        USING 'pg_parity:target';
    IF results <> 0 THEN
        RAISE EXCEPTION USING MESSAGE = 'the target answered more than was asked', ERRCODE = 'XX000';
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_drain() IS 'ends an answer of the target';

CREATE FUNCTION parity_internal.verify_forget() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    results integer := 1;
BEGIN
    WHILE results > 0 LOOP
        PERFORM parity_internal.verify_await(60);
        EXECUTE format('SELECT count(*) FROM %s.dblink_get_result($1, false) AS t(answer text)',
            parity_internal.verify_dblink())
        INTO results USING 'pg_parity:target';
    END LOOP;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_forget() IS 'passes over what is left of an answer after an error';

-- The driver pins the same settings (driver/postgres/queries/session.cpp): those that change output or how literals are
-- read, and those that would end or misguide a transaction that waits for the other side. Index-only scans are off,
-- because they would not see rows that a corrupt index lacks.
CREATE FUNCTION parity_internal.verify_settings(ask jsonb) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT '{"DateStyle": "ISO, YMD", "IntervalStyle": "postgres", "TimeZone": "UTC", "extra_float_digits": "3",
             "bytea_output": "hex", "xmlbinary": "base64", "lc_numeric": "C", "quote_all_identifiers": "off",
             "array_nulls": "on", "standard_conforming_strings": "on", "backslash_quote": "safe_encoding",
             "transform_null_equals": "off", "idle_in_transaction_session_timeout": "0",
             "idle_session_timeout": "0", "transaction_timeout": "0", "jit": "off", "enable_indexonlyscan": "off",
             "row_security": "off"}'::jsonb
           || jsonb_build_object(
               'lock_timeout', ask ->> 'lock_timeout', 'statement_timeout', ask ->> 'statement_timeout')
$$;
COMMENT ON FUNCTION parity_internal.verify_settings(jsonb) IS 'the settings that both sides read a table under';

CREATE FUNCTION parity_internal.verify_pin(ask jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM set_config(s.name, p.value, true) FROM jsonb_each_text(parity_internal.verify_settings(ask)) p
        JOIN pg_settings s ON s.name = p.key
    WHERE p.key <> ALL ('{idle_session_timeout,statement_timeout}');  -- these count from the start of the CALL
END
$$;
COMMENT ON FUNCTION parity_internal.verify_pin(jsonb) IS 'sets them for the rest of this transaction';

-- An address may lead to another server from one connection to the next, and a pooler from one transaction to the next.
-- So every transaction on the target says which server it runs on, when it begins and again when all is read.
-- The identity of a server is its system identifier, where this role may read it, and the database's OID. They are
-- equal on standbys and promoted copies. The incarnation is when the server started, whether it is in recovery, and its
-- timeline.
CREATE FUNCTION parity_internal.verify_server_query(job jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('jsonb_build_object(''control'', %L::boolean, ''system'', %s, '
                  '''database'', (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()), '
                  '''started'', (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint, '
                  '''recovery'', pg_is_in_recovery(), ''timeline'', CASE WHEN pg_is_in_recovery() THEN %s '
                  'ELSE (''x'' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer END, '
                  '''pid'', pg_backend_pid())',
                  c.readable,
                  CASE WHEN c.readable THEN '(SELECT s.system_identifier::text FROM pg_control_system() s)'
                       ELSE 'NULL' END,
                  CASE WHEN c.readable THEN '(SELECT p.timeline_id FROM pg_control_checkpoint() p)' ELSE 'NULL' END)
    FROM (SELECT coalesce((job #>> '{target_server,control}')::boolean, false) AS readable) c
$$;
COMMENT ON FUNCTION parity_internal.verify_server_query(jsonb) IS
    'an expression for the target that tells which server it is';

CREATE FUNCTION parity_internal.verify_same_server(job jsonb, facts jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    was CONSTANT jsonb := job -> 'target_server';
    change text;
BEGIN
    IF job -> 'target_pid' <> facts -> 'pid' THEN
        RAISE EXCEPTION USING ERRCODE = '55000', HINT = 'Connect to the server itself, or to a pool in session mode.',
            MESSAGE = format(
                'server "%s" is a pooler in transaction or statement mode: process %s served the connection before, '
                'and process %s does now',
                job ->> 'server', job ->> 'target_pid', facts ->> 'pid');
    ELSIF was -> 'database' <> facts -> 'database' OR was ->> 'system' <> facts ->> 'system' THEN
        RAISE EXCEPTION USING ERRCODE = '55000',
            HINT = 'Let the foreign server name one server, and not an address that leads to several.',
            MESSAGE = format('target is another server now: system identifier %s and database OID %s, before %s and %s',
                             coalesce(facts ->> 'system', '(unknown)'), facts ->> 'database',
                             coalesce(was ->> 'system', '(unknown)'), was ->> 'database');
    END IF;
    change := CASE
        WHEN was -> 'started' <> facts -> 'started' AND was -> 'recovery' <> facts -> 'recovery'
            THEN 'it is another server of the cluster, or was restarted as '
                || CASE WHEN (facts ->> 'recovery')::boolean THEN 'a standby' ELSE 'a primary' END
        WHEN was -> 'started' <> facts -> 'started' THEN 'it was restarted, or is another server of the cluster'
        WHEN was -> 'recovery' <> facts -> 'recovery' THEN 'it was promoted'
        WHEN was -> 'timeline' <> facts -> 'timeline'
            THEN format('it follows timeline %s, before %s', facts ->> 'timeline', was ->> 'timeline') END;
    IF change IS NOT NULL THEN
        RAISE EXCEPTION USING MESSAGE = 'target is not what it was when the run began: ' || change, ERRCODE = '55000',
            HINT = 'What was read of the table counts no more. Verify it again.';
    END IF;
    RETURN job || jsonb_build_object('target_server', facts - 'pid', 'target_pid', facts -> 'pid');
END
$$;
COMMENT ON FUNCTION parity_internal.verify_same_server(jsonb, jsonb) IS
    'an error (55000) if the target is not where it was; gives the job with where it is';

CREATE FUNCTION parity_internal.verify_check_server(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN parity_internal.verify_same_server(job, parity_internal.verify_ask(
        format('SELECT (%s)::text', parity_internal.verify_server_query(job)),
        parity_internal.verify_patience(job -> 'ask'))::jsonb);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_check_server(jsonb) IS 'asks the target where it is, and compares';

-- Opens a transaction on the target and takes its snapshot at once. Returns the job with the snapshot's position and
-- its horizon, which is its oldest transaction in progress. If this session does not come to read, the target soon ends
-- the transaction.
CREATE FUNCTION parity_internal.verify_remote_begin(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ask CONSTANT jsonb := job -> 'ask';
    answer jsonb;
BEGIN
    answer := parity_internal.verify_ask(format(
        'BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL search_path = pg_catalog, pg_temp; '
        'SELECT count(set_config(s.name, p.value, true))::text FROM jsonb_each_text(%L) p '
        'JOIN pg_settings s ON s.name = p.key '
        'WHERE s.name <> ''client_connection_check_interval'' OR version() ~ ''linux''; '
        'SELECT jsonb_build_object('
        '''target_lsn'', CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() '
        'ELSE pg_current_wal_insert_lsn() END, '
        '''target_horizon'', pg_snapshot_xmin(pg_current_snapshot())::text, ''server'', %s)::text',
        parity_internal.verify_settings(ask) || jsonb_build_object(
            'client_connection_check_interval', '1s',
            'idle_in_transaction_session_timeout', parity_internal.verify_idle_limit(false)),
        parity_internal.verify_server_query(job)),
        parity_internal.verify_patience(ask));
    RETURN parity_internal.verify_same_server(job, answer -> 'server') || (answer - 'server');
END
$$;
COMMENT ON FUNCTION parity_internal.verify_remote_begin(jsonb) IS
    'begins a transaction on the target, whose server must be the same, and takes its snapshot';

CREATE FUNCTION parity_internal.verify_idle_limit(reading boolean) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN reading THEN '24h' ELSE '10min' END
$$;
COMMENT ON FUNCTION parity_internal.verify_idle_limit(boolean) IS
    'how long the target waits with an open transaction for this side: while this side still reads, and otherwise';

CREATE FUNCTION parity_internal.verify_idle(job jsonb, reading boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM parity_internal.verify_ask(
        format('SELECT set_config(''idle_in_transaction_session_timeout'', %L, true)',
               parity_internal.verify_idle_limit(reading)),
                                         parity_internal.verify_patience(job -> 'ask'));
END
$$;
COMMENT ON FUNCTION parity_internal.verify_idle(jsonb, boolean) IS
    'sets how long the target waits for this side in the transaction that is open there';
