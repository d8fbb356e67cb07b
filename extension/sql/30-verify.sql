
--
-- verify: comparing a table with the same on another cluster, through dblink
--

-- A run goes in steps, each a function that takes what is known so far as one object, does a bounded piece of work in a transaction of its
-- own, and gives what is known then. An error becomes part of it, so that the procedures, which commit between the steps, need no exception
-- blocks. Members of that object, the job:
--   server, relation (oid), name, target, ask (what was asked for)      set at the start; what has the name later becomes the relation
--   kind, target_kind                    table, view or foreign table: what the caller named on either side, and all that is read there
--   run, part, phase                     the records, and what they tell of the step
--   step                                 what comes next: connect, snapshot, pass, settle, delay, replay, pause, give_up, finish, done
--   plan                                 key, columns, forms, ranges, replication: what connect found
--   found                                candidates, ranges and counts after the last pass; which look that was, and who was writing (open)
--   source_lsn                           the write position here at the last look
--   target_lsn, target_horizon           position and oldest transaction of the target's last snapshot
--   target_server, target_pid            which server and database that is, its incarnation, and the process that serves the connection
--   follows                              what that snapshot shows of the look before: no (replication), replayed, late, unknown, or "at once"
--                                        of a glance; absent where nobody waited, as at the first look or after a conflict
--   followed                             the same without glances, for the records
--   looks, glances, took                 looks that were taken, glances since the last of them, and the seconds of the last pass
--   until                                when delay, replay or pause ends
--   conflicts, without_indexes           how often it went back to connect but for replay, and whether an index contradicted the rows
--   replays, cancelled                   how often the target's replay ended the reading, and how often since the last pass that was read to
--                                        its end
--   status, sqlstate, message            how it ended; error, with detail and hint, of a job that was refused
--   hopeless, unrecorded                 no other table would do better; what was found could not be recorded
--   callback_message                     what the callback did wrong

--
-- the other side
--

CREATE FUNCTION parity_internal.verify_dblink() RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    schema text;
BEGIN
    SELECT quote_ident(n.nspname) INTO schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'dblink';
    IF schema IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = 'extension "dblink" is not installed in this database', ERRCODE = '55000',
            HINT = 'CREATE EXTENSION dblink makes other clusters reachable.';
    END IF;
    RETURN schema;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_dblink() IS 'the schema of dblink, quoted; an error (55000) where it is not installed; internal';

CREATE FUNCTION parity_internal.verify_is_connected() RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    names text[];
BEGIN
    EXECUTE format('SELECT %s.dblink_get_connections()', parity_internal.verify_dblink()) INTO names;
    RETURN coalesce('pg_parity:target' = ANY (names), false);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_is_connected() IS 'whether this session has the connection of verifications; internal';

-- Runs where an error has happened already: whatever is wrong with the connection must not hide that. Cancelling goes through a connection
-- of its own that nothing here can interrupt, and that a server which stands still does not answer. So it is done only where a server
-- would not notice by itself that nobody waits for its answer any more.
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
            EXECUTE format('SELECT %1$s.dblink_is_busy($1) = 1 AND %1$s.dblink_error_message($1) = ''OK''', dblink) INTO busy
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
    'closes the connection with the target, and may cancel what runs there; no error where there is none; internal';

CREATE FUNCTION parity_internal.verify_send(query text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    sent integer;
    reason text;
BEGIN
    EXECUTE format('SELECT %s.dblink_send_query($1, $2)', parity_internal.verify_dblink()) INTO sent USING 'pg_parity:target', query;
    IF sent = 1 THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT %s.dblink_error_message($1)', parity_internal.verify_dblink()) INTO reason USING 'pg_parity:target';
    RAISE EXCEPTION USING MESSAGE = 'could not send a query to the target', ERRCODE = '08006', DETAIL = reason;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_send(text) IS 'starts a query on the target; internal';

-- A host or server that stands still looks like one that is busy. A question about catalogs is answered soon; what is read is read here at
-- the same time, so that `since` then tells how long that may take.
CREATE FUNCTION parity_internal.verify_patience(ask jsonb, since timestamptz DEFAULT NULL) RETURNS double precision
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN (ask ->> 'wait')::float8 > 0 THEN (ask ->> 'wait')::float8
                WHEN since IS NULL AND (ask ->> 'lock_timeout')::float8 > 0 THEN 60 + (ask ->> 'lock_timeout')::float8 / 1000
                ELSE greatest(3600, 10 * extract(epoch FROM clock_timestamp() - since)::float8) END
$$;
COMMENT ON FUNCTION parity_internal.verify_patience(jsonb, timestamptz) IS
    'how many seconds the target may take to answer; since: when reading began, NULL for other questions; internal';

-- dblink_get_result waits in libpq, where a cancel does not reach it. Before it is called the answer must be there.
CREATE FUNCTION parity_internal.verify_await(seconds double precision) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    started timestamptz := clock_timestamp();
    nap double precision := 0.001;
    waiting boolean;
    -- Each call takes some kilobytes of what has arrived, so that a few of them keep a long answer flowing.
    polled text := format('SELECT bool_and(%1$s.dblink_is_busy($1) = 1) AND %1$s.dblink_error_message($1) = ''OK'' '
                          'FROM generate_series(1, 64)', parity_internal.verify_dblink());
BEGIN
    LOOP
        EXECUTE polled INTO waiting USING 'pg_parity:target';
        EXIT WHEN NOT waiting;
        IF clock_timestamp() > started + make_interval(secs => seconds) THEN
            RAISE EXCEPTION USING MESSAGE = format('the target did not answer within %s s', round(seconds)), ERRCODE = '08006';
        END IF;
        PERFORM pg_sleep(nap);
        nap := least(nap * 1.5, 0.02);
    END LOOP;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_await(double precision) IS
    'waits until the target has answered or is lost, at most so long (08006); internal';

CREATE FUNCTION parity_internal.verify_answer(seconds double precision) RETURNS text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fetched text := format('SELECT count(*), max(t.answer) FROM %s.dblink_get_result($1) AS t(answer text)', parity_internal.verify_dblink());
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
    'the answer of the target to statements that were sent, each of which gives one row of one text: the last one''s; internal';

CREATE FUNCTION parity_internal.verify_ask(query text, seconds double precision) RETURNS text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM parity_internal.verify_send(query);
    RETURN parity_internal.verify_answer(seconds);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_ask(text, double precision) IS 'runs such statements on the target, and gives the answer; internal';

-- What the driver pins as well (driver/queries.cpp): what changes output and how literals are read, what would end or misguide a
-- transaction that waits for the other side. Rows that a corrupt index lacks would not be seen by index-only scans.
CREATE FUNCTION parity_internal.verify_settings(ask jsonb) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT '{"DateStyle": "ISO, YMD", "IntervalStyle": "postgres", "TimeZone": "UTC", "extra_float_digits": "3", "bytea_output": "hex",
             "xmlbinary": "base64", "lc_numeric": "C", "quote_all_identifiers": "off", "array_nulls": "on",
             "standard_conforming_strings": "on",
             "backslash_quote": "safe_encoding", "transform_null_equals": "off", "idle_in_transaction_session_timeout": "0",
             "idle_session_timeout": "0", "transaction_timeout": "0", "jit": "off", "enable_indexonlyscan": "off",
             "row_security": "off"}'::jsonb
           || jsonb_build_object('lock_timeout', ask ->> 'lock_timeout', 'statement_timeout', ask ->> 'statement_timeout')
$$;
COMMENT ON FUNCTION parity_internal.verify_settings(jsonb) IS 'the settings that both sides read a table under; internal';

CREATE FUNCTION parity_internal.verify_pin(ask jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM set_config(s.name, p.value, true) FROM jsonb_each_text(parity_internal.verify_settings(ask)) p JOIN pg_settings s ON s.name = p.key
    WHERE p.key <> ALL ('{idle_session_timeout,statement_timeout}');  -- these count from the start of the CALL
END
$$;
COMMENT ON FUNCTION parity_internal.verify_pin(jsonb) IS 'sets them for the rest of this transaction; internal';

-- An address may lead to another server from one connection to the next, and a pooler from one transaction to the next. So every
-- transaction on the target tells where it is, at its begin and again when all is read. Identity is the system identifier, where it may be
-- read, and the database's OID; they are equal on standbys and promoted copies. Incarnation is when the server started, whether it is in
-- recovery, and its timeline.
CREATE FUNCTION parity_internal.verify_server_query(job jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('jsonb_build_object(''control'', %L::boolean, ''system'', %s, '
                  '''database'', (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()), '
                  '''started'', (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint, ''recovery'', pg_is_in_recovery(), '
                  '''timeline'', CASE WHEN pg_is_in_recovery() THEN %s '
                  'ELSE (''x'' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer END, ''pid'', pg_backend_pid())',
                  c.readable, CASE WHEN c.readable THEN '(SELECT s.system_identifier::text FROM pg_control_system() s)' ELSE 'NULL' END,
                  CASE WHEN c.readable THEN '(SELECT p.timeline_id FROM pg_control_checkpoint() p)' ELSE 'NULL' END)
    FROM (SELECT coalesce((job #>> '{target_server,control}')::boolean, false) AS readable) c
$$;
COMMENT ON FUNCTION parity_internal.verify_server_query(jsonb) IS 'an expression for the target that tells which server it is; internal';

CREATE FUNCTION parity_internal.verify_same_server(job jsonb, facts jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    was CONSTANT jsonb := job -> 'target_server';
    change text;
BEGIN
    IF job -> 'target_pid' <> facts -> 'pid' THEN
        RAISE EXCEPTION USING ERRCODE = '55000', HINT = 'Connect to the server itself, or to a pool in session mode.', MESSAGE = format(
            'server "%s" is a pooler in transaction or statement mode: process %s served the connection before, and process %s does now',
            job ->> 'server', job ->> 'target_pid', facts ->> 'pid');
    ELSIF was -> 'database' <> facts -> 'database' OR was ->> 'system' <> facts ->> 'system' THEN
        RAISE EXCEPTION USING ERRCODE = '55000', HINT = 'Let the foreign server name one server, and not an address that leads to several.',
            MESSAGE = format('target is another server now: system identifier %s and database OID %s, before %s and %s',
                             coalesce(facts ->> 'system', '(unknown)'), facts ->> 'database', coalesce(was ->> 'system', '(unknown)'),
                             was ->> 'database');
    END IF;
    change := CASE
        WHEN was -> 'started' <> facts -> 'started' AND was -> 'recovery' <> facts -> 'recovery'
        THEN 'it is another server of the cluster, or was restarted as ' || CASE WHEN (facts ->> 'recovery')::boolean THEN 'a standby'
                                                                                ELSE 'a primary' END
        WHEN was -> 'started' <> facts -> 'started' THEN 'it was restarted, or is another server of the cluster'
        WHEN was -> 'recovery' <> facts -> 'recovery' THEN 'it was promoted'
        WHEN was -> 'timeline' <> facts -> 'timeline' THEN format('it follows timeline %s, before %s', facts ->> 'timeline',
                                                                  was ->> 'timeline') END;
    IF change IS NOT NULL THEN
        RAISE EXCEPTION USING MESSAGE = 'target is not what it was when the run began: ' || change, ERRCODE = '55000',
            HINT = 'What was read of the table counts no more. Verify it again.';
    END IF;
    RETURN job || jsonb_build_object('target_server', facts - 'pid', 'target_pid', facts -> 'pid');
END
$$;
COMMENT ON FUNCTION parity_internal.verify_same_server(jsonb, jsonb) IS
    'an error (55000) if the target is not where it was; gives the job with where it is; internal';

CREATE FUNCTION parity_internal.verify_check_server(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN parity_internal.verify_same_server(job, parity_internal.verify_ask(format('SELECT (%s)::text', parity_internal.verify_server_query(job)),
                                                            parity_internal.verify_patience(job -> 'ask'))::jsonb);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_check_server(jsonb) IS 'asks the target where it is, and compares; internal';

-- Opens a transaction on the target whose snapshot is taken at once, and gives the job with its position and its horizon: what no later than
-- that ended before the snapshot. Should this session not come to read, the target does not keep the snapshot for long.
CREATE FUNCTION parity_internal.verify_remote_begin(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ask CONSTANT jsonb := job -> 'ask';
    answer jsonb;
BEGIN
    answer := parity_internal.verify_ask(format(
        'BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET LOCAL search_path = pg_catalog, pg_temp; '
        'SELECT count(set_config(s.name, p.value, true))::text FROM jsonb_each_text(%L) p JOIN pg_settings s ON s.name = p.key '
        'WHERE s.name <> ''client_connection_check_interval'' OR version() ~ ''linux''; '
        'SELECT jsonb_build_object(''target_lsn'', CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() '
        'ELSE pg_current_wal_insert_lsn() END, ''target_horizon'', pg_snapshot_xmin(pg_current_snapshot())::text, ''server'', %s)::text',
        parity_internal.verify_settings(ask) || jsonb_build_object('client_connection_check_interval', '1s',
            'idle_in_transaction_session_timeout', parity_internal.verify_idle_limit(false)), parity_internal.verify_server_query(job)),
        parity_internal.verify_patience(ask));
    RETURN parity_internal.verify_same_server(job, answer -> 'server') || (answer - 'server');
END
$$;
COMMENT ON FUNCTION parity_internal.verify_remote_begin(jsonb) IS
    'begins a transaction on the target, whose server must be the same, and takes its snapshot; internal';

CREATE FUNCTION parity_internal.verify_idle_limit(reading boolean) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN reading THEN '24h' ELSE '10min' END
$$;
COMMENT ON FUNCTION parity_internal.verify_idle_limit(boolean) IS
    'how long the target waits with an open transaction for this side: while this side still reads, and otherwise; internal';

--
-- connect: what both sides have, and what of it can be compared
--

CREATE FUNCTION parity_internal.verify_facts_query(target text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format($query$SELECT jsonb_build_object(
        'extension', (SELECT extversion FROM pg_extension WHERE extname = 'pg_parity'),
        'control', has_function_privilege('pg_control_system()', 'EXECUTE'),
        'recovery', pg_is_in_recovery(), 'started', pg_postmaster_start_time(),
        'notices', coalesce(current_setting('client_connection_check_interval', true), '0') <> '0',
        'database', (SELECT oid FROM pg_database WHERE datname = current_database()),
        'relation', to_regclass(%1$L)::oid,
        'lacking', pg_is_in_recovery() AND coalesce(
            (SELECT bool_and(c.relpersistence = 'u') FROM pg_partition_tree(to_regclass(%1$L)) p JOIN pg_class c ON c.oid = p.relid
             WHERE p.isleaf),
            (SELECT c.relpersistence = 'u' FROM pg_class c WHERE c.oid = to_regclass(%1$L))),
        'subscriptions', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', s.subname, 'slot', s.subslotname, 'enabled', s.subenabled)),
            '[]')
            FROM pg_subscription s
            WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND EXISTS (
                SELECT FROM pg_subscription_rel r JOIN pg_stat_subscription t ON t.subid = r.srsubid
                WHERE t.subname = s.subname AND (r.srrelid = to_regclass(%1$L) OR r.srrelid IN (
                    SELECT p.relid FROM pg_partition_tree(to_regclass(%1$L)) p UNION SELECT a.relid
                        FROM pg_partition_ancestors(to_regclass(%1$L)) a(relid)))))
        )::text$query$, target)
$$;
COMMENT ON FUNCTION parity_internal.verify_facts_query(text) IS
    'asks a side what it is, and whether a subscription brings it the relation; internal';

-- Rows of the heap have versions. Those of other access methods and of foreign tables have something in their place.
CREATE FUNCTION parity_internal.verify_relation_query(name text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format($query$SELECT (SELECT jsonb_build_object(
        'oid', c.oid, 'format', parity.format_version(), 'kind', c.relkind,
        'columns', (SELECT coalesce(jsonb_object_agg(f.column_name, to_jsonb(f)), '{}') FROM parity.forms(c.oid) f),
        'key', (SELECT jsonb_build_object('columns', k.key_columns, 'proven', k.proven) FROM parity.key(c.oid) k),
        'versions', (
            WITH RECURSIVE tree(oid) AS (SELECT c.oid UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON i.inhparent = t.oid)
            SELECT bool_and(p.relkind = 'p' OR p.relkind IN ('r', 'm') AND a.amname = 'heap')
            FROM tree t JOIN pg_class p ON p.oid = t.oid LEFT JOIN pg_am a ON a.oid = p.relam))
        FROM pg_class c WHERE c.oid = to_regclass(%L))::text$query$, name)
$$;
COMMENT ON FUNCTION parity_internal.verify_relation_query(text) IS
    'asks a side for a relation''s OID, columns, forms and key, and whether its rows have versions; internal';

-- What is read there runs what an owner wrote, or not.
CREATE FUNCTION parity_internal.verify_kind(relkind text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'f' THEN 'foreign table' ELSE 'table' END
$$;
COMMENT ON FUNCTION parity_internal.verify_kind(text) IS 'what kind of relation that is, as far as it matters what reading it runs; internal';

-- Reading a view runs what its owner wrote, with the rights of who reads. That must have been meant: who named a table does not read a view
-- that has its name later, and a view on the target is read beside a table only if it was named. Gives the job with what is read there.
CREATE FUNCTION parity_internal.verify_require_kinds(job jsonb, own jsonb, other jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    own_kind text := parity_internal.verify_kind(own ->> 'kind');
    other_kind text := parity_internal.verify_kind(other ->> 'kind');
    expected text := coalesce(job ->> 'kind', 'table');
BEGIN
    IF own_kind <> expected THEN
        RAISE EXCEPTION USING MESSAGE = format('relation %s was a %s, and is a %s now', job ->> 'name', expected, own_kind),
            ERRCODE = '42809', HINT = 'Find out who replaced it. parity.verify reads a view or foreign table only where that is named.';
    ELSIF job ->> 'target_kind' <> other_kind THEN
        RAISE EXCEPTION USING ERRCODE = '42809', MESSAGE = format('relation %s was a %s on the target, and is a %s now',
            job ->> 'target', job ->> 'target_kind', other_kind);
    ELSIF other_kind <> 'table' AND own_kind = 'table' AND NOT job -> 'ask' ? 'target_relation' THEN
        RAISE EXCEPTION USING MESSAGE = format('relation %s is a %s on the target', job ->> 'target', other_kind),
            ERRCODE = '42809', HINT = 'target_relation => ... compares with it nevertheless.';
    END IF;
    RETURN job || jsonb_build_object('kind', own_kind, 'target_kind', other_kind);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_require_kinds(jsonb, jsonb, jsonb) IS
    'an error (42809) unless the relations are of the kinds that the caller named; internal';

CREATE FUNCTION parity_internal.verify_form(
    column_name text, asked text, own jsonb, other jsonb, OUT form text, OUT own_form text, OUT other_form text, OUT reason text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    zone text := regexp_replace(asked, '@[^][,<>]*', '@zone', 'g');
    plain text := regexp_replace(asked, '@[^][,<>]*', '', 'g');
    found text;
    side jsonb;
BEGIN
    IF asked IS NULL THEN
        -- The first of our exact forms that the other side has as an exact one. jsonb_raw tells documents apart that are equal.
        SELECT e.name INTO form
        FROM jsonb_array_elements_text(jsonb_build_array(own -> 'form') || (own -> 'other_forms')) WITH ORDINALITY AS e(name, no)
        WHERE e.name NOT LIKE 'jsonb\_raw%' AND (jsonb_build_array(other -> 'form') || (other -> 'other_forms')) ? e.name
        ORDER BY e.no LIMIT 1;
        IF form IS NULL THEN
            reason := coalesce(own ->> 'reason', other ->> 'reason',
                               format('types %s on source and %s on target have no form in common', own ->> 'data_type',
                                   other ->> 'data_type'));
        ELSIF form LIKE '%float%' AND form NOT LIKE 'record%' AND own -> 'lossy_forms' <> other -> 'lossy_forms' THEN
            reason := format('types %s on source and %s on target hold other numbers for the same decimal one', own ->> 'data_type',
                             other ->> 'data_type');
            form := NULL;
        END IF;
        own_form := form;
        other_form := form;
        RETURN;
    END IF;
    form := plain;
    FOR side IN SELECT s FROM jsonb_array_elements(jsonb_build_array(own, other)) s LOOP
        found := CASE WHEN side -> 'lossy_forms' ? zone THEN asked
                      WHEN (jsonb_build_array(side -> 'form') || (side -> 'other_forms') || (side -> 'lossy_forms')) ? plain THEN plain END;
        IF found IS NULL THEN
            RAISE EXCEPTION USING MESSAGE = format('column "%s" of type %s has no form "%s"', column_name, side ->> 'data_type', asked),
                ERRCODE = '22023', HINT = 'parity.forms() shows the forms that each column has.';
        END IF;
        IF own_form IS NULL THEN own_form := found; END IF;
        other_form := found;
    END LOOP;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_form(text, text, jsonb, jsonb) IS
    'the form that a column is compared under, and what each side is asked for; where there is none, why; internal';

CREATE FUNCTION parity_internal.verify_estimate(relation oid) RETURNS double precision
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE tree(oid) AS (SELECT relation UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON i.inhparent = t.oid)
    SELECT coalesce(sum(CASE WHEN c.relkind = 'f' THEN greatest(c.reltuples, 0)
                             WHEN c.relpages > 0 AND c.reltuples >= 0
                             THEN c.reltuples / c.relpages * (pg_relation_size(c.oid) / current_setting('block_size')::bigint)
                             ELSE pg_relation_size(c.oid) / 100.0 END), 0)
    FROM tree t JOIN pg_class c ON c.oid = t.oid WHERE c.relkind IN ('r', 'm', 'f')
$$;
COMMENT ON FUNCTION parity_internal.verify_estimate(oid) IS 'about how many rows a relation has; internal';

-- What is compared: key, columns and their forms on both sides, and what is not.
CREATE FUNCTION parity_internal.verify_plan(job jsonb, own jsonb, other jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ask jsonb := job -> 'ask';
    asked_key jsonb := ask -> 'key_columns';
    asked_columns jsonb := ask -> 'columns';
    key_names text[];
    wanted text[];
    compared text[] := '{}';
    own_forms jsonb := '{}';
    other_forms jsonb := '{}';
    common jsonb := '{}';
    left_out jsonb := '[]';
    name text;
    chosen record;
    slices integer;
BEGIN
    SELECT coalesce(array_agg(k.name ORDER BY k.no), '{}') INTO key_names
    FROM jsonb_array_elements_text(coalesce(asked_key, own -> 'key' -> 'columns')) WITH ORDINALITY AS k(name, no);
    SELECT coalesce(array_agg(c.name ORDER BY c.no), '{}') INTO wanted
        FROM jsonb_array_elements_text(asked_columns) WITH ORDINALITY AS c(name, no);
    IF asked_columns IS NULL THEN
        SELECT coalesce(array_agg(c.name ORDER BY c.name COLLATE "C"), '{}') INTO wanted
        FROM jsonb_object_keys(own -> 'columns') AS c(name) WHERE c.name <> ALL (key_names);
        SELECT coalesce(jsonb_agg(jsonb_build_object('what', format('column %I', c.name), 'reason', 'source lacks it')
            ORDER BY c.name COLLATE "C"), '[]')
        INTO left_out
        FROM jsonb_object_keys(other -> 'columns') AS c(name) WHERE NOT own -> 'columns' ? c.name;
    END IF;
    FOREACH name IN ARRAY key_names || wanted LOOP
        IF NOT own -> 'columns' ? name THEN
            RAISE EXCEPTION USING MESSAGE = format('column "%s" of relation %s does not exist', name, job ->> 'name'), ERRCODE = '42703';
        ELSIF NOT other -> 'columns' ? name THEN
            IF name = ANY (key_names) OR asked_columns IS NOT NULL THEN
                RAISE EXCEPTION USING MESSAGE = format('column "%s" of relation %s does not exist on the target', name, job ->> 'target'),
                    ERRCODE = '42703';
            END IF;
            left_out := left_out || jsonb_build_object('what', format('column %I', name), 'reason', 'target lacks it');
            CONTINUE;
        END IF;
        chosen := parity_internal.verify_form(name, ask -> 'forms' ->> name, own -> 'columns' -> name, other -> 'columns' -> name);
        IF chosen.form IS NULL AND name = ANY (key_names) THEN
            RAISE EXCEPTION USING MESSAGE = format('key column "%s" is not comparable: %s', name, chosen.reason), ERRCODE = '0A000';
        ELSIF chosen.form IS NULL THEN
            left_out := left_out || jsonb_build_object('what', format('column %I', name), 'reason', chosen.reason);
            CONTINUE;
        END IF;
        own_forms := own_forms || jsonb_build_object(name, chosen.own_form);
        other_forms := other_forms || jsonb_build_object(name, chosen.other_form);
        common := common || jsonb_build_object(name, chosen.form);
        IF name <> ALL (key_names) THEN compared := compared || name; END IF;
    END LOOP;
    SELECT n INTO name FROM jsonb_object_keys(ask -> 'forms') n WHERE NOT common ? n LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING MESSAGE = format('forms names column "%s", which is not compared', name), ERRCODE = '42703';
    END IF;
    -- Rows of a table without columns are all equal, and counted. Where columns are left out, a count would not be what was asked for.
    IF cardinality(key_names) = 0 AND cardinality(compared) = 0 AND (own -> 'columns' <> '{}' OR other -> 'columns' <> '{}') THEN
        RAISE EXCEPTION USING MESSAGE = format('relation %s has no column that could be compared', job ->> 'name'), ERRCODE = '0A000';
    END IF;
    slices := cardinality(compared) + 2;
    RETURN jsonb_build_object(
        'key', to_jsonb(key_names), 'columns', to_jsonb(compared), 'source_forms', own_forms, 'target_forms', other_forms,
        'key_forms', (SELECT coalesce(jsonb_agg(common -> n ORDER BY o), '[]')
                      FROM unnest(CASE WHEN cardinality(key_names) > 0 THEN key_names ELSE compared END) WITH ORDINALITY AS u(n, o)),
        'source_versions', own -> 'versions', 'target_versions', other -> 'versions',
        'source_shape', md5(own::text), 'target_shape', md5(other::text),
        'not_compared', left_out,
        'ranges', coalesce((ask ->> 'ranges')::integer,
                           greatest(64, least(4096, parity_internal.verify_estimate((job ->> 'relation')::oid) / 1250, 524288 / slices))::integer),
        'seed', ('x' || substr(md5(concat(random(), clock_timestamp(), pg_backend_pid())), 1, 16))::bit(64)::bigint);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_plan(jsonb, jsonb, jsonb) IS 'what is compared, and how; internal';

-- How the target follows this database: physical, logical, none, or unknown where that cannot be seen. What comes to either side from
-- elsewhere may come to the other one sooner or later, and no position tells when.
CREATE FUNCTION parity_internal.verify_replication(facts jsonb, own_facts jsonb, own_system text, target_system text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    recovery boolean := facts ->> 'recovery';
    slots jsonb;
    disabled text;
    elsewhere text;
    own text;
BEGIN
    IF recovery AND own_system = target_system THEN
        RETURN '{"kind": "physical"}';
    ELSIF recovery AND (own_system IS NULL OR target_system IS NULL) THEN
        RETURN '{"kind": "unknown", "reason": "pg_control_system() tells whose standby it is, and may not be called"}';
    END IF;
    SELECT string_agg(s.name, ', ') INTO own FROM jsonb_to_recordset(own_facts -> 'subscriptions') AS s(name text, enabled boolean)
    WHERE s.enabled;
    IF own IS NOT NULL THEN
        RETURN jsonb_build_object('kind', 'unknown', 'reason', format('this side subscribes to the relation (%s). Verify it where it is '
            'published', own));
    END IF;
    SELECT jsonb_agg(l.slot_name) FILTER (WHERE l.slot_name IS NOT NULL),
           string_agg(s.name, ', ') FILTER (WHERE l.slot_name IS NOT NULL AND NOT s.enabled),
           string_agg(s.name, ', ') FILTER (WHERE (l.slot_name IS NULL OR recovery) AND s.enabled)
    INTO slots, disabled, elsewhere
    FROM jsonb_to_recordset(facts -> 'subscriptions') AS s(name text, slot text, enabled boolean)
    LEFT JOIN pg_replication_slots l ON l.slot_name = s.slot AND l.slot_type = 'logical' AND l.database = current_database();
    RETURN CASE WHEN elsewhere IS NOT NULL
                THEN jsonb_build_object('kind', 'unknown',
                                        'reason', format('the target subscribes to the relation elsewhere (%s)', elsewhere))
                WHEN recovery THEN '{"kind": "none", "reason": "the target is a standby of another cluster"}'
                WHEN slots IS NULL THEN '{"kind": "none"}'
                WHEN disabled IS NOT NULL
                THEN jsonb_build_object('kind', 'none', 'reason', format('subscription %s of the target is disabled', disabled))
                ELSE jsonb_build_object('kind', 'logical', 'slots', slots) END;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_replication(jsonb, jsonb, text, text) IS 'how the target follows this database; internal';

CREATE FUNCTION parity_internal.verify_system() RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT has_function_privilege('pg_control_system()', 'EXECUTE') THEN RETURN NULL; END IF;
    RETURN (SELECT system_identifier::text FROM pg_control_system());
END
$$;
COMMENT ON FUNCTION parity_internal.verify_system() IS 'this cluster''s identifier, NULL where it may not be seen; internal';

CREATE FUNCTION parity_internal.verify_open(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    dblink text := parity_internal.verify_dblink();
    mapping record;
BEGIN
    PERFORM parity_internal.verify_disconnect(false);
    -- dblink would take an unknown name for a connection string.
    PERFORM FROM pg_foreign_server WHERE srvname = job ->> 'server';
    IF NOT FOUND THEN
        RAISE EXCEPTION USING MESSAGE = format('server "%s" does not exist', job ->> 'server'), ERRCODE = '42704',
            HINT = 'CREATE SERVER ... FOREIGN DATA WRAPPER dblink_fdw, and a user mapping, tell where it is.';
    END IF;
    SELECT m.umuser = 0 AS of_public,
           (SELECT o.option_value FROM pg_options_to_table(m.umoptions) o WHERE o.option_name = 'user') AS role,
           EXISTS (SELECT FROM pg_options_to_table(m.umoptions) o WHERE o.option_name = 'password') AS has_password
    INTO mapping
    FROM pg_user_mappings m WHERE m.srvname = job ->> 'server' AND m.usename IN (CURRENT_USER, 'public') ORDER BY m.umuser = 0 LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format(
            'role "%s" has no user mapping for server "%s": CREATE USER MAPPING tells who it is there', CURRENT_USER, job ->> 'server');
    END IF;
    BEGIN
        EXECUTE format('SELECT %s.dblink_connect($1, $2)', dblink) USING 'pg_parity:target', job ->> 'server';
    EXCEPTION WHEN SQLSTATE '2F003' THEN
        RAISE EXCEPTION USING ERRCODE = '2F003', MESSAGE = CASE WHEN mapping.has_password THEN format(
                'server "%s" let role "%s" in without asking for its password, which dblink takes from superusers only: '
                'pg_hba.conf there must ask it for one (scram-sha-256)', job ->> 'server', mapping.role)
            -- Its options are not for everybody to see.
            WHEN mapping.of_public THEN format('the user mapping of PUBLIC for server "%s" has no password, or the server does not ask for it; '
                'dblink lets nobody but superusers connect without', job ->> 'server')
            ELSE format('the user mapping of role "%s" for server "%s" has no password, and dblink lets nobody but superusers connect without: '
                        'ALTER USER MAPPING gives it one', CURRENT_USER, job ->> 'server') END;
    END;
    PERFORM parity_internal.verify_ask('SET search_path = pg_catalog, pg_temp; SET application_name = pg_parity; '
                              'SELECT count(set_config(name, ''0'', false))::text FROM pg_settings WHERE name = ''idle_session_timeout''',
                              parity_internal.verify_patience(job -> 'ask'));
    RETURN parity_internal.verify_check_server((job - 'target_pid') || jsonb_build_object(
        'target_server', coalesce(job -> 'target_server', '{}') || jsonb_build_object('control', parity_internal.verify_ask(
            'SELECT (has_function_privilege(''pg_control_system()'', ''EXECUTE'') '
            'AND has_function_privilege(''pg_control_checkpoint()'', ''EXECUTE''))::text', parity_internal.verify_patience(job -> 'ask'))::boolean)));
END
$$;
COMMENT ON FUNCTION parity_internal.verify_open(jsonb) IS 'connects with the target, and gives the job with where it is; internal';

CREATE FUNCTION parity_internal.verify_connect(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ask jsonb := job -> 'ask';
    wait double precision := parity_internal.verify_patience(ask);
    facts jsonb;
    own_facts jsonb;
    own jsonb;
    other jsonb;
    plan jsonb;
    own_system text := parity_internal.verify_system();
    target_system text;
BEGIN
    PERFORM parity_internal.verify_pin(ask);
    job := parity_internal.verify_open(job);
    IF job ? 'plan' THEN  -- once more, after a conflict
        RETURN job || '{"step": "snapshot"}';
    END IF;
    job := parity_internal.verify_remote_begin(job);
    facts := parity_internal.verify_ask(parity_internal.verify_facts_query(job ->> 'target'), wait);
    IF facts ->> 'extension' IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = 'extension "pg_parity" is not installed on the target', ERRCODE = '55000',
            HINT = 'CREATE EXTENSION pg_parity in the database that the server names; a physical replica has it from its primary.';
    ELSIF facts ->> 'relation' IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = format('relation %s does not exist on the target', job ->> 'target'), ERRCODE = '42P01';
    END IF;
    -- A standby does not have the rows of an unlogged table. That is nothing to be told of every night, but an answer to who asks for it.
    IF (facts ->> 'lacking')::boolean THEN
        PERFORM parity_internal.verify_check_server(job);
        PERFORM parity_internal.verify_ask('COMMIT', wait);
        RETURN job || jsonb_build_object('step', 'finish',
            'message', 'unlogged: its rows are not replicated to the target, which is in recovery',
            'status', CASE WHEN ask ? 'patterns' THEN 'skipped' ELSE 'incomplete' END,
            'left_out', CASE WHEN ask ? 'patterns' THEN true END);
    END IF;
    IF (facts ->> 'control')::boolean THEN
        target_system := parity_internal.verify_ask('SELECT system_identifier::text FROM pg_control_system()', wait);
    END IF;
    IF NOT (ask ->> 'allow_same_server')::boolean AND (facts ->> 'started')::timestamptz = pg_postmaster_start_time()
       AND own_system IS NOT DISTINCT FROM target_system
       AND (facts ->> 'database')::oid = (SELECT oid FROM pg_database WHERE datname = current_database()) THEN
        RAISE EXCEPTION USING MESSAGE = format('server "%s" leads to this database itself', job ->> 'server'), ERRCODE = '22023',
            HINT = 'allow_same_server => true compares a table with another one of the same database.';
    END IF;
    other := parity_internal.verify_ask(parity_internal.verify_relation_query(job ->> 'target'), wait);
    EXECUTE parity_internal.verify_relation_query(job ->> 'name') INTO own;
    EXECUTE parity_internal.verify_facts_query(job ->> 'name') INTO own_facts;
    IF own IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = format('relation %s does not exist', job ->> 'name'), ERRCODE = '42P01';
    ELSIF other IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = format('relation %s does not exist on the target', job ->> 'target'), ERRCODE = '42P01';
    ELSIF own -> 'format' <> other -> 'format' THEN
        RAISE EXCEPTION USING MESSAGE = format('digests of format %s here cannot be compared with format %s on the target',
            own ->> 'format',
                                               other ->> 'format'), ERRCODE = '55000',
            HINT = 'Both sides need versions of pg_parity with one digest format.';
    END IF;
    job := parity_internal.verify_require_kinds(job, own, other);
    -- The name is what is recorded. Where another relation has it by now, that is the one; the lock stays on the first.
    IF own -> 'oid' <> job -> 'relation' THEN
        job := job || jsonb_build_object('relation', own -> 'oid');
    END IF;
    plan := parity_internal.verify_plan(job, own, other) || jsonb_build_object(
        'target_oid', other -> 'oid', 'target_notices', facts -> 'notices',
        'replication', parity_internal.verify_replication(facts, own_facts, own_system, target_system),
        'key_proven', CASE WHEN NOT ask ? 'key_columns' THEN own -> 'key' -> 'proven' END);
    PERFORM parity_internal.verify_check_server(job);
    PERFORM parity_internal.verify_ask('COMMIT', wait);
    RETURN job || jsonb_build_object('plan', plan, 'step', 'snapshot');
END
$$;
COMMENT ON FUNCTION parity_internal.verify_connect(jsonb) IS 'a step of verify: connects, and makes the plan; internal';

--
-- pass: both sides are read under one snapshot each
--

CREATE FUNCTION parity_internal.verify_names(list jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(e.name ORDER BY e.no), '{}') FROM jsonb_array_elements_text(list) WITH ORDINALITY AS e(name, no)
$$;
COMMENT ON FUNCTION parity_internal.verify_names(jsonb) IS 'a list of texts as an array; internal';

CREATE FUNCTION parity_internal.verify_target_arguments(job jsonb) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('relation => %L::oid::regclass, key_columns => %L::text[], columns => %L::text[], forms => %L::jsonb, filter => %L, '
                  'seed => %L::bigint',
                  job -> 'plan' ->> 'target_oid', parity_internal.verify_names(job -> 'plan' -> 'key'),
                      parity_internal.verify_names(job -> 'plan' -> 'columns'),
                  job -> 'plan' -> 'target_forms', job -> 'ask' ->> 'filter',
                  job -> 'plan' ->> 'seed')
$$;
COMMENT ON FUNCTION parity_internal.verify_target_arguments(jsonb) IS 'the arguments of every call of the extension on the target; internal';

-- Digests of ranges on both sides at the same time. All ranges that were asked for come back.
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
            'SELECT d.*, NULL::text FROM parity.range_totals(%s, bounds => %L::bytea[], only_ranges => %L::integer[], workers => %L) t, '
            'unnest(t.range_numbers, t.row_counts, t.key_digests, t.row_digests) d'
        ELSE
            'SELECT range_no, row_count, key_digest, row_digest, column_digests::text FROM parity.range_digests(%s, bounds => %L::bytea[], '
            'only_ranges => %L::integer[], workers => %L)'
        END, parity_internal.verify_target_arguments(job), coalesce(bounds, '{}'), only_ranges, ask ->> 'remote_workers'));
    EXECUTE CASE WHEN totals_only THEN
            'SELECT array_agg(d.no), array_agg(d.rows), array_agg(d.key), array_agg(d.row), array_agg(NULL::text) FROM parity.range_totals('
        ELSE
            'SELECT array_agg(range_no), array_agg(row_count), array_agg(key_digest), array_agg(row_digest), array_agg(column_digests::text) '
            'FROM parity.range_digests('
        END || '$1, bounds => $2, key_columns => $3, columns => $4, forms => $5, filter => $6, seed => $7, workers => $8, only_ranges => $9) t'
        || CASE WHEN totals_only THEN ', unnest(t.range_numbers, t.row_counts, t.key_digests, t.row_digests) d(no, rows, key, row)' ELSE '' END
    INTO numbers, row_counts, keys, rows, cells
    USING (job ->> 'relation')::oid::regclass, coalesce(bounds, '{}'), parity_internal.verify_names(plan -> 'key'), names, plan -> 'source_forms',
        ask ->> 'filter', (plan ->> 'seed')::bigint, (ask ->> 'workers')::integer, only_ranges;
    PERFORM parity_internal.verify_await(parity_internal.verify_patience(ask, started));
    RETURN QUERY EXECUTE format($query$
        SELECT s.range_no, s.row_count, t.row_count,
            coalesce(s.row_count <> t.row_count OR s.key_digest OPERATOR(parity.<>) t.key_digest
                     OR s.row_digest OPERATOR(parity.<>) t.row_digest, true) OR s.cells IS DISTINCT FROM t.cells,
            CASE WHEN s.cells IS DISTINCT FROM t.cells THEN ARRAY(
                SELECT n.name FROM unnest($6, s.cells::parity.digest[], t.cells::parity.digest[]) WITH ORDINALITY AS n(name, s, t, no)
                WHERE n.s OPERATOR(parity.<>) n.t ORDER BY n.no) ELSE '{}' END,
            concat_ws(' ', s.key_digest, s.row_digest), concat_ws(' ', t.key_digest, t.row_digest)
        FROM unnest($1, $2, $3, $4, $5) AS s(range_no, row_count, key_digest, row_digest, cells)
        FULL JOIN %s.dblink_get_result($7) AS t(range_no integer, row_count bigint, key_digest parity.digest, row_digest parity.digest,
            cells text)
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
COMMENT ON FUNCTION parity_internal.verify_digests(jsonb, bytea[], integer[], boolean) IS 'digests ranges on both sides and compares them; internal';

CREATE FUNCTION parity_internal.verify_drain() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    results integer;
BEGIN
    PERFORM parity_internal.verify_await(60);
    EXECUTE format('SELECT count(*) FROM %s.dblink_get_result($1) AS t(answer text)', parity_internal.verify_dblink()) INTO results
        USING 'pg_parity:target';
    IF results <> 0 THEN
        RAISE EXCEPTION USING MESSAGE = 'the target answered more than was asked', ERRCODE = 'XX000';
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_drain() IS 'ends an answer of the target; internal';

-- The rows of ranges, or with some keys, on both sides, and of them the keys under which the sides differ. Rows under one key are a
-- multiset of row hashes; what identifies it on a side is a text of these hashes and their numbers. Of a keyless table the key is the
-- whole row.
CREATE FUNCTION parity_internal.verify_rows(job jsonb, bounds bytea[], only_ranges integer[], keys bytea[], known bytea[],
    room integer, room_bytes bigint) RETURNS jsonb
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
    -- The last row of the target's answer is a mark that it is whole.
    PERFORM parity_internal.verify_send(format(
        'SELECT range_no, key, row_hash, cell_hashes FROM parity.row_digests(%s, bounds => %L::bytea[], only_ranges => %L::integer[], '
        'keys => %L::bytea[]) '
        'UNION ALL SELECT 0, NULL, NULL, NULL',
        parity_internal.verify_target_arguments(job), bounds, only_ranges, keys));
    SELECT array_agg(d.range_no), array_agg(d.key), array_agg(d.row_hash), array_agg(d.cell_hashes)
    INTO range_numbers, row_keys, hashes, cells
    FROM parity.row_digests(
        (job ->> 'relation')::oid::regclass, bounds => bounds, only_ranges => only_ranges, keys => keys,
        key_columns => parity_internal.verify_names(plan -> 'key'), columns => names, forms => plan -> 'source_forms', filter => ask ->> 'filter',
        seed => (plan ->> 'seed')::bigint) d;
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
            SELECT range_no, key, sum(greatest(sn - tn, 0))::bigint AS source_extra, sum(greatest(tn - sn, 0))::bigint AS target_extra,
                string_agg(hash || int8send(sn), ''::bytea ORDER BY hash) FILTER (WHERE sn > 0) AS source_state,
                string_agg(hash || int8send(tn), ''::bytea ORDER BY hash) FILTER (WHERE tn > 0) AS target_state,
                (array_agg(sc ORDER BY hash) FILTER (WHERE sn > tn))[1] AS sc, (array_agg(tc ORDER BY hash) FILTER (WHERE tn > sn))[1] AS tc
            FROM line JOIN (SELECT DISTINCT range_no, key FROM line WHERE sn <> tn) changed USING (range_no, key) GROUP BY 1, 2
        ), new AS (
            SELECT d.*, row_number() OVER (ORDER BY range_no, key) AS no, sum(length(key)) OVER (ORDER BY range_no, key) AS bytes
            FROM differing d WHERE NOT coalesce(key = ANY ($6), false)
        )
        SELECT jsonb_build_object(
            'whole', EXISTS (SELECT FROM answer WHERE range_no = 0),
            'source_rows', coalesce((SELECT sum(n) FROM source), 0), 'target_rows', coalesce((SELECT sum(n) FROM target), 0),
            'differing', coalesce((SELECT jsonb_agg(DISTINCT range_no) FROM differing), '[]'),
            'open', coalesce((SELECT jsonb_agg(DISTINCT range_no) FROM new WHERE no > $7 OR bytes > $9), '[]'),
            'rows', coalesce((SELECT jsonb_agg(jsonb_build_object(
                    'range', range_no, 'key', encode(key, 'hex'), 'source_extra', source_extra, 'target_extra', target_extra,
                    'source', encode(CASE WHEN length(source_state) > 64 THEN sha256(source_state) ELSE source_state END, 'hex'),
                    'target', encode(CASE WHEN length(target_state) > 64 THEN sha256(target_state) ELSE target_state END, 'hex'),
                    'columns', to_jsonb(ARRAY(SELECT c.name FROM unnest($8) WITH ORDINALITY AS c(name, no)
                                              WHERE sc IS NOT NULL AND tc IS NOT NULL
                                                AND substr(sc, (8 * c.no - 7)::integer, 8) <> substr(tc, (8 * c.no - 7)::integer, 8)
                                                    ORDER BY c.no)))
                ORDER BY no) FROM new WHERE no <= $7 AND bytes <= $9), '[]'))$query$, parity_internal.verify_dblink())
    INTO result USING range_numbers, row_keys, hashes, cells, 'pg_parity:target', known, coalesce(room, 2147483647), names,
        coalesce(room_bytes, 9223372036854775807);
    PERFORM parity_internal.verify_drain();
    IF NOT (result ->> 'whole')::boolean THEN
        RAISE EXCEPTION USING MESSAGE = 'the target''s answer is not whole', ERRCODE = '08006';
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_rows(jsonb, bytea[], integer[], bytea[], bytea[], integer, bigint) IS
    'reads rows on both sides, and gives the keys under which they differ, at most so many new ones; internal';

-- Which versions of rows a side has under some keys: an object from the keys to pairs, the xmin of its rows and whether nobody has changed
-- or locked any of them since. Two looks that see the same version of a row prove that it was never another one between them, which the
-- same hash does not. Absent: there is no such row. Rows are found by the bytes of their keys: what people see of a key may be how another
-- one is written, and reading it would run what the owner of its type wrote.
CREATE FUNCTION parity_internal.verify_versions_query(relation oid, keys bytea[], key_columns text[], columns text[], forms jsonb) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('SELECT coalesce(jsonb_object_agg(encode(v.key, ''hex''), jsonb_build_array('
                  'CASE WHEN length(v.version) > 100 THEN md5(v.version) ELSE v.version END, v.free)), ''{}'')::text FROM ('
                  'SELECT w.key, string_agg(concat(w.writer, ''*'', w.rows), '','' ORDER BY w.writer) AS version, bool_and(w.free) AS free '
                  'FROM (SELECT r.key, r.xmin::text AS writer, count(*) AS rows, bool_and(r.xmax::text = ''0'') AS free '
                  'FROM parity.row_versions(%L::oid::regclass, keys => %L::bytea[], key_columns => %L::text[], columns => %L::text[], '
                  'forms => %L::jsonb) r GROUP BY 1, 2) w GROUP BY 1) v',
                  relation, keys, key_columns, CASE WHEN cardinality(key_columns) > 0 THEN '{}' ELSE columns END, forms)
$$;
COMMENT ON FUNCTION parity_internal.verify_versions_query(oid, bytea[], text[], text[], jsonb) IS
    'asks a side for the versions of rows, and which of them nobody changes; internal';

CREATE FUNCTION parity_internal.verify_forget() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    results integer := 1;
BEGIN
    WHILE results > 0 LOOP
        PERFORM parity_internal.verify_await(60);
        EXECUTE format('SELECT count(*) FROM %s.dblink_get_result($1, false) AS t(answer text)', parity_internal.verify_dblink())
        INTO results USING 'pg_parity:target';
    END LOOP;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_forget() IS 'passes over what is left of an answer after an error; internal';

-- Where a side's rows come from elsewhere than its pages, it cannot tell (0A000).
CREATE FUNCTION parity_internal.verify_versions_of_both(job jsonb, own_query text, other_query text, OUT source jsonb, OUT target jsonb)
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
            PERFORM parity_internal.verify_ask('ROLLBACK TO SAVEPOINT versions', parity_internal.verify_patience(job -> 'ask'));
        END;
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_versions_of_both(jsonb, text, text) IS
    'asks both sides about versions at the same time; NULL of a side whose rows have none, or that cannot tell; internal';

CREATE FUNCTION parity_internal.verify_versions_by_key(job jsonb, keys bytea[], OUT source jsonb, OUT target jsonb)
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT v.source, v.target
    FROM (SELECT job -> 'plan' AS plan, parity_internal.verify_names(job -> 'plan' -> 'key') AS key,
                 parity_internal.verify_names(job -> 'plan' -> 'columns') AS columns) p,
        parity_internal.verify_versions_of_both(
            job, parity_internal.verify_versions_query((job ->> 'relation')::oid, keys, p.key, p.columns, p.plan -> 'source_forms'),
            parity_internal.verify_versions_query((p.plan ->> 'target_oid')::oid, keys, p.key, p.columns, p.plan -> 'target_forms')) v
$$;
COMMENT ON FUNCTION parity_internal.verify_versions_by_key(jsonb, bytea[]) IS 'the versions of rows on both sides, found by their keys; internal';

-- What was committed on a side since the last look is not older than the oldest transaction that went on then: some of what is older may be
-- seen as well, and nothing is missed. Rows outside of a filter count, too.
CREATE FUNCTION parity_internal.verify_fresh_query(
    relation oid, since text, bounds bytea[], numbers integer[], key_columns text[], columns text[], forms jsonb) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('SELECT coalesce(jsonb_agg(f.range_no), ''[]'')::text FROM parity.fresh_rows(%L::oid::regclass, since => %L::xid8, '
                  'bounds => %L::bytea[], only_ranges => %L::integer[], key_columns => %L::text[], columns => %L::text[], '
                  'forms => %L::jsonb) f',
                  relation, since, bounds, numbers, key_columns, CASE WHEN cardinality(key_columns) > 0 THEN '{}' ELSE columns END, forms)
$$;
COMMENT ON FUNCTION parity_internal.verify_fresh_query(oid, text, bytea[], integer[], text[], text[], jsonb) IS
    'asks a side in which ranges it has rows that were written since the last look; internal';

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
        parity_internal.verify_fresh_query((job ->> 'relation')::oid, job -> 'found' ->> 'source_horizon', division.bounds, division.numbers,
                                  key_names, names, plan -> 'source_forms'),
        parity_internal.verify_fresh_query((plan ->> 'target_oid')::oid, job -> 'found' ->> 'target_horizon', division.bounds, division.numbers,
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
    'the numbers of those of some ranges in which a side has such rows; internal';

-- What identifies the versions that a side has under a key or in a range, for every row and range: source_version and target_version, equal
-- in two looks only if these saw the very same rows. Of a range, the number of the look since which that is so stands for them: none of its
-- rows is new, and there are as many as before, for their digest is the same. NULL: that cannot be told.
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
        'rows', (SELECT coalesce(jsonb_agg(r.value || jsonb_build_object(
                'source_version',
                CASE WHEN source_has THEN coalesce(by_key.source -> (r.value ->> 'key') -> 0, to_jsonb(look)) END,
                'target_version',
                CASE WHEN target_has THEN coalesce(by_key.target -> (r.value ->> 'key') -> 0, to_jsonb(look)) END,
                'free', coalesce(by_key.source -> (r.value ->> 'key') -> 1, 'false')) ORDER BY r.no), '[]')
            FROM jsonb_array_elements(seen -> 'rows') WITH ORDINALITY AS r(value, no)),
        'ranges', (SELECT coalesce(jsonb_agg(r.value || jsonb_build_object(
                'source_version', parity_internal.verify_range_version('source', r.value, source_has, fresh.source, look),
                'target_version', parity_internal.verify_range_version('target', r.value, target_has, fresh.target, look))
                ORDER BY r.no), '[]')
            FROM jsonb_array_elements(seen -> 'ranges') WITH ORDINALITY AS r(value, no)));
END
$$;
COMMENT ON FUNCTION parity_internal.verify_versions(jsonb, jsonb) IS
    'adds to rows and ranges which versions the sides have, as far as they can be told; internal';

CREATE FUNCTION parity_internal.verify_range_version(side text, value jsonb, known boolean, fresh jsonb, look text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN NOT known THEN NULL
                WHEN value ? 'before' AND value -> side = value -> 'before' -> side AND NOT fresh @> (value -> 'no')
                THEN coalesce(nullif(value -> 'before' -> (side || '_version'), 'null'), to_jsonb(look))
                ELSE to_jsonb(look) END
$$;
COMMENT ON FUNCTION parity_internal.verify_range_version(text, jsonb, boolean, jsonb, text) IS
    'what identifies the versions that one side has in a range; internal';

-- The transactions that may have written to this side's relation and had not ended for this snapshot. One that waits for a synchronous
-- standby, or is between writing its commit and being seen, is among them, though the target may show what it did: a snapshot lists only
-- those below its xmax, which is one more than the last that ended, and step snapshot has ended one that began after the target's snapshot.
-- Who goes on without a lock on the relation that allows writing has not written; the lock is held until after a transaction is seen.
CREATE FUNCTION parity_internal.verify_writers(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    writers text[];
    others text[];
BEGIN
    SELECT array_agg(x::text) INTO writers FROM pg_snapshot_xip(pg_current_snapshot()) x;
    IF writers IS NOT NULL AND (job -> 'plan' ->> 'source_versions')::boolean THEN
        WITH RECURSIVE tree(oid) AS (
            SELECT (job ->> 'relation')::oid UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON i.inhparent = t.oid
        ), lock AS MATERIALIZED (
            SELECT * FROM pg_locks  -- once, so that it is of one moment
        )
        SELECT array_agg(o.xid) INTO others FROM unnest(writers) AS o(xid) JOIN lock x ON x.transactionid = o.xid::xid8::xid
        WHERE x.locktype = 'transactionid' AND x.granted AND x.mode = 'ExclusiveLock' AND NOT EXISTS (
            SELECT FROM lock l JOIN tree t ON t.oid = l.relation
            WHERE l.virtualtransaction = x.virtualtransaction AND l.locktype = 'relation' AND l.granted
              AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
              AND l.mode NOT IN ('AccessShareLock', 'RowShareLock'));
        -- Locks are not let go of all at once: only of what still goes on afterwards all were seen.
        SELECT array_agg(o.xid) INTO writers FROM unnest(writers) AS o(xid)
        WHERE NOT (o.xid = ANY (coalesce(others, '{}')) AND coalesce(pg_xact_status(o.xid::xid8) = 'in progress', false));
    END IF;
    RETURN to_jsonb(coalesce(writers, '{}'));
END
$$;
COMMENT ON FUNCTION parity_internal.verify_writers(jsonb) IS
    'the transactions that may have written here and are not seen by this snapshot yet; internal';

-- Of the writers that were open at each look, those that have been ever since: {"look": 2, "open": {"1": [], "2": ["700"]}}.
CREATE FUNCTION parity_internal.verify_open_writers(found jsonb, writers jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('look', look, 'open', jsonb_build_object(look::text, writers) || coalesce((
        SELECT jsonb_object_agg(o.key, (SELECT coalesce(jsonb_agg(x.xid), '[]') FROM jsonb_array_elements_text(o.value) AS x(xid)
                                        WHERE writers ? x.xid))
        FROM jsonb_each(found -> 'open') o), '{}'))
    FROM (SELECT coalesce((found ->> 'look')::integer, 0) + 1 AS look) l
$$;
COMMENT ON FUNCTION parity_internal.verify_open_writers(jsonb, jsonb) IS
    'the number of a look, and who was writing at each and has been ever since; internal';

-- The first pass over the whole relation. Gives what differs: {"rows", "ranges", ...}.
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
    -- Bounds of the finer division that may be wanted later are taken at the same time, since a B-tree's inner pages are under no snapshot.
    IF most_ranges > 1 THEN
        SELECT array_agg(s.bound ORDER BY s.bound_no), array_agg(s.bound_text ORDER BY s.bound_no) INTO fine, fine_texts
        FROM parity.split_keys((job ->> 'relation')::oid::regclass, CASE WHEN many THEN least(131072, most_ranges * 16)
            ELSE most_ranges END,
                               key_names, (SELECT jsonb_object_agg(f.key, f.value) FROM jsonb_each(plan -> 'source_forms') f
                                           WHERE cardinality(key_names) = 0 OR f.key = ANY (key_names))) s;
    END IF;
    step := greatest(1, ceil((coalesce(cardinality(fine), 0) + 1)::numeric / most_ranges)::integer);
    SELECT array_agg(f.bound ORDER BY f.no), array_agg(f.shown ORDER BY f.no) INTO bounds, texts
    FROM unnest(fine, fine_texts) WITH ORDINALITY AS f(bound, shown, no) WHERE f.no % step = 0;

    SELECT jsonb_build_object(
        'source_rows', coalesce(sum(d.source_rows), 0), 'target_rows', coalesce(sum(d.target_rows), 0), 'ranges_compared', count(*),
        'differing', coalesce(jsonb_agg(jsonb_build_object(
            'no', d.range_no, 'parent', d.range_no, 'source_rows', d.source_rows, 'target_rows', d.target_rows, 'columns',
                to_jsonb(d.columns),
            'source', md5(d.source_digest), 'target', md5(d.target_digest)) ORDER BY d.range_no) FILTER (WHERE d.differs), '[]'))
    INTO found
    FROM parity_internal.verify_digests(job, bounds, NULL, false) d;
    found := found || jsonb_build_object('effort', (SELECT to_jsonb(e) FROM parity.last_digest() e));
    work := found -> 'differing';
    ranges := found ->> 'ranges_compared';

    -- With about D differences among R rows of differing ranges, sqrt(D * R) ranges cost least (driver/descend.cpp). Where there are many
    -- more differences than will be named, a finer division is of no use.
    SELECT sqrt(q.differences * q.rows) INTO wanted FROM (
        SELECT sum(greatest((w ->> 'source_rows')::float8, (w ->> 'target_rows')::float8)) AS rows,
               -ranges * ln(greatest(ranges - count(*), 0.5) / ranges) AS differences
        FROM jsonb_array_elements(work) w) q
    WHERE q.rows > 100000 AND q.rows > 0.05 * greatest((found ->> 'source_rows')::float8, (found ->> 'target_rows')::float8)
      AND q.differences <= 10 * (job -> 'ask' ->> 'max_rows')::float8;
    parts := least(step, coalesce(wanted, 0) / greatest(jsonb_array_length(work), 1));
    IF parts > 1 THEN
        SELECT f.bounds, f.texts, f.work INTO bounds, texts, work FROM parity_internal.verify_finer(job, fine, fine_texts, step, parts, work) f;
    END IF;
    SELECT found || jsonb_build_object('differing', jsonb_array_length(found -> 'differing'), 'work', coalesce(jsonb_agg(
            w.value || jsonb_build_object(
                'lower', encode(bounds[(w.value ->> 'no')::integer - 1], 'hex'), 'lower_text', texts[(w.value ->> 'no')::integer - 1],
                'upper', encode(bounds[(w.value ->> 'no')::integer], 'hex'), 'upper_text', texts[(w.value ->> 'no')::integer])
            ORDER BY w.no), '[]'))
    INTO found FROM jsonb_array_elements(work) WITH ORDINALITY AS w(value, no);
    RETURN found;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_first_look(jsonb) IS
    'digests the whole relation on both sides, and differing ranges once more in finer ones; internal';

CREATE FUNCTION parity_internal.verify_finer(
    job jsonb, fine bytea[], fine_texts text[], step integer, parts integer, coarse jsonb, OUT bounds bytea[], OUT texts text[],
        OUT work jsonb)
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
    -- Range n of the first division lies between the fine bounds (n - 1) * step and n * step, of which the first and the last may be
    -- missing.
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
    'digests differing ranges in a finer division; internal';

-- Names rows of differing ranges, in order and in batches, as long as there is room. `work` are ranges with their bounds. Gives the new
-- rows, and the ranges of which not all rows are known now.
CREATE FUNCTION parity_internal.verify_name_rows(job jsonb, work jsonb, known bytea[], room integer, OUT new_rows jsonb, OUT unnamed jsonb)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- dblink holds a whole answer in memory.
    batch_rows CONSTANT integer := 50000;
    huge_range CONSTANT integer := 250000;
    -- A key may be long, that of a table without one is the whole row, and no JSON is larger than 256 MB. What is beyond is left to ranges.
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
    SELECT array_agg(greatest((w.value ->> 'source_rows')::bigint, (w.value ->> 'target_rows')::bigint) ORDER BY w.no) INTO sizes
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
            SELECT sum((w.value ->> 'source_rows')::bigint), sum((w.value ->> 'target_rows')::bigint) INTO source_total, target_total
            FROM jsonb_array_elements(work) WITH ORDINALITY AS w(value, no) WHERE w.no BETWEEN seen + 1 AND last;
            IF source_total <> (read ->> 'source_rows')::bigint OR target_total <> (read ->> 'target_rows')::bigint
               OR jsonb_array_length(read -> 'differing') <> last - seen THEN
                RAISE EXCEPTION USING MESSAGE = 'rows and digests of the same ranges contradict each other', ERRCODE = 'XX002';
            END IF;
            -- Rows know the range of the first division that they are in.
            SELECT new_rows || coalesce(jsonb_agg(r.value || jsonb_build_object('range', p.parent, 'state', 'new') ORDER BY r.no), '[]')
            INTO new_rows
            FROM jsonb_array_elements(read -> 'rows') WITH ORDINALITY AS r(value, no)
            JOIN (SELECT n.number, w.value -> 'parent' AS parent FROM unnest(numbers) WITH ORDINALITY AS n(number, no)
                  JOIN jsonb_array_elements(work) WITH ORDINALITY AS w(value, no) ON w.no = n.no) p
                ON p.number = (r.value ->> 'range')::integer;
            SELECT unnamed || coalesce(jsonb_agg(w.value ORDER BY w.no), '[]') INTO unnamed
            FROM jsonb_array_elements(work) WITH ORDINALITY AS w(value, no)
            WHERE w.no BETWEEN seen + 1 AND last AND read -> 'open' @> to_jsonb(numbers[w.no::integer]);
            room := CASE WHEN jsonb_array_length(read -> 'open') > 0 THEN 0 ELSE room - jsonb_array_length(read -> 'rows') END;
            room_bytes := room_bytes - (SELECT coalesce(sum(length(r ->> 'key') / 2), 0) FROM jsonb_array_elements(read -> 'rows') r);
        END IF;
        seen := last;
    END LOOP;
    SELECT unnamed || coalesce(jsonb_agg(w.value ORDER BY w.no), '[]') INTO unnamed
    FROM jsonb_array_elements(work) WITH ORDINALITY AS w(value, no) WHERE w.no > seen;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_name_rows(jsonb, jsonb, bytea[], integer) IS 'names rows of differing ranges; internal';

-- What was found may be large, and is copied with each function that a job goes through.
CREATE FUNCTION parity_internal.verify_lean(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN job #- '{found,rows}' #- '{found,ranges}';
END
$$;
COMMENT ON FUNCTION parity_internal.verify_lean(jsonb) IS 'a job without the rows and ranges that were found; internal';

-- What differed is looked at again. A row of the last look clears if its key is equal, or absent on both sides, now; a range if its digests
-- are. What becomes of the others is judged afterwards.
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
    SELECT coalesce(jsonb_agg(n.value || jsonb_build_object('range', b.value -> 'range', 'before', b.value, 'state', b.value -> 'state')
        ORDER BY b.no), '[]')
    INTO now_rows
    FROM jsonb_array_elements(before) WITH ORDINALITY AS b(value, no)
        JOIN jsonb_array_elements(now_rows) AS n(value) ON n.value ->> 'key' = b.value ->> 'key';
    found := found || jsonb_build_object(
        'cleared', (found ->> 'cleared')::bigint + jsonb_array_length(before) - jsonb_array_length(now_rows), 'rows', now_rows);

    IF jsonb_array_length(ranges_before) > 0 THEN
        ranges := parity_internal.verify_ranges_again(job, ranges_before);
        room := (job -> 'ask' ->> 'max_rows')::integer - jsonb_array_length(now_rows);
        named := parity_internal.verify_name_rows(job, ranges, (SELECT array_agg(decode(r ->> 'key', 'hex')) FROM jsonb_array_elements(now_rows) r),
            room);
        found := found || jsonb_build_object('rows', now_rows || named.new_rows);
        ranges := named.unnamed;
    END IF;
    RETURN found || jsonb_build_object('ranges', ranges);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_second_look(jsonb) IS 'looks at candidates and unnamed ranges again; internal';

-- One list of bounds for all ranges, which are in order; what lies between them is not asked for. `numbers` are theirs in that list.
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
COMMENT ON FUNCTION parity_internal.verify_bounds(jsonb) IS 'bounds of some ranges as functions of the extension take them; internal';

CREATE FUNCTION parity_internal.verify_ranges_again(job jsonb, ranges jsonb) RETURNS jsonb
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_agg(r.value || jsonb_build_object(
               'source_rows', d.source_rows, 'target_rows', d.target_rows, 'columns', to_jsonb(d.columns),
               'source', md5(d.source_digest), 'target', md5(d.target_digest), 'before', r.value) ORDER BY d.range_no), '[]')
    FROM parity_internal.verify_bounds(ranges) b, parity_internal.verify_digests(job, b.bounds, b.numbers, false) d
        JOIN unnest(b.numbers) WITH ORDINALITY AS n(number, no) ON n.number = d.range_no
        JOIN jsonb_array_elements(ranges) WITH ORDINALITY AS r(value, no) ON r.no = n.no
    WHERE d.differs
$$;
COMMENT ON FUNCTION parity_internal.verify_ranges_again(jsonb, jsonb) IS 'digests unnamed ranges again and gives those that still differ; internal';

-- What differs is confirmed
-- * where the target does not follow this database: if both sides are what they were;
-- * where it does, and had replayed all that the last look saw here when this look's snapshot was taken there, by either of two proofs.
--   - This side has the very same rows as then (source_since). Whatever the target has replayed, it has these, and at most others besides.
--     If it has not more than this side, it should be equal, unless somebody has changed the rows here and is not seen yet: not if nobody
--     has touched them (free), or if all who were writing then have ended by a later look that still sees the same rows here.
--   - The target has the very same rows as at an earlier look (target_since), though it has come past the last look's moment. So at that
--     moment they should have been here, and if this side had not more, it should have been equal, unless what they come from was not seen
--     here yet: not if all who were writing when the target was first seen with them had ended by the last look (target_sure).
-- Hashes that are equal in two looks prove nothing there: rows may have been changed and changed back. Everything else is still moving.
CREATE FUNCTION parity_internal.verify_judge(found jsonb, follows text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH line AS (
        SELECT l.list, r.no, r.value, r.value ? 'before' AS again, r.value -> 'before' AS before,
            coalesce((r.value ->> 'source_extra')::bigint, (r.value ->> 'source_rows')::bigint) AS source_rows,
            coalesce((r.value ->> 'target_extra')::bigint, (r.value ->> 'target_rows')::bigint) AS target_rows
        FROM unnest('{rows,ranges}'::text[]) AS l(list), jsonb_array_elements(found -> l.list) WITH ORDINALITY AS r(value, no)
    ), compared AS (
        SELECT *, again AND value -> 'source' = before -> 'source' AND value -> 'target' = before -> 'target' AS same,
            coalesce(again AND value ->> 'source_version' = before ->> 'source_version', false) AS source_stays,
            coalesce(again AND value ->> 'target_version' = before ->> 'target_version', false) AS target_stays
        FROM line
    ), timed AS (
        SELECT *, CASE WHEN NOT source_stays THEN NULL
                       WHEN before ->> 'source_since' IS NOT NULL THEN before ->> 'source_since'
                       WHEN follows = 'replayed' AND target_rows <= source_rows THEN found ->> 'look' END AS source_since,
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
                WHEN follows = 'replayed' AND source_stays AND target_rows <= source_rows AND (value ->> 'free')::boolean THEN 'divergent'
                WHEN found -> 'open' -> source_since = '[]' THEN 'divergent'
                WHEN follows = 'replayed' AND target_stays AND (before ->> 'target_sure')::boolean THEN 'divergent'
                ELSE 'moving' END) AS value
        FROM timed
    )
    SELECT found || jsonb_build_object('rows', coalesce(jsonb_agg(value ORDER BY no) FILTER (WHERE list = 'rows'), '[]'),
                                       'ranges', coalesce(jsonb_agg(value ORDER BY no) FILTER (WHERE list = 'ranges'), '[]'))
    FROM judged
$$;
COMMENT ON FUNCTION parity_internal.verify_judge(jsonb, text) IS
    'what is confirmed after another look, and what is still moving; follows: no, replayed, late, unknown, or anything else; internal';

-- Values as text by column name, cut at 64 kB, for the rows that still differ: as many of them as fit into a result.
CREATE FUNCTION parity_internal.verify_values(job jsonb, rows jsonb, most_bytes bigint, OUT with_values jsonb, OUT left_out bigint)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    plan jsonb := job -> 'plan';
    ask jsonb := job -> 'ask';
    started timestamptz := clock_timestamp();
    names text[] := parity_internal.verify_names(plan -> 'columns');
    -- Of each row, in the order of keys, the bytes of its values and of the names that come with them count.
    query CONSTANT text := 'SELECT s.key, CASE WHEN sum(pg_column_size(s.shown) + %s) OVER (ORDER BY s.key) <= %s THEN s.shown END '
        'AS shown FROM (SELECT encode(d.key, ''hex'') AS key, ARRAY(SELECT CASE WHEN octet_length(v.shown) > 65536 '
        'THEN left(v.shown, 16384) || format(''... (%%s bytes)'', octet_length(v.shown)) ELSE v.shown END '
        'FROM unnest(d.column_values) WITH ORDINALITY AS v(shown, no) ORDER BY v.no) AS shown '
        'FROM parity.row_digests(%s, with_values => true) d) s';
    map CONSTANT text := 'SELECT jsonb_object_agg(t.key, jsonb_object($1, t.shown)) FILTER (WHERE t.shown IS NOT NULL), '
        'array_agg(t.key) FILTER (WHERE t.shown IS NULL AND t.key IS NOT NULL) FROM ';
    name_bytes integer := pg_column_size(names);
    keys bytea[];
    own jsonb;
    other jsonb;
    own_beyond text[];
    other_beyond text[];
    beyond text[];
BEGIN
    SELECT array_agg(decode(r ->> 'key', 'hex')) INTO keys FROM jsonb_array_elements(rows) r;
    IF keys IS NULL THEN
        with_values := rows;
        left_out := 0;
        RETURN;
    END IF;
    PERFORM parity_internal.verify_send(format(query, name_bytes, most_bytes,
                                      format('%s, keys => %L::bytea[]', parity_internal.verify_target_arguments(job), keys))
                               || ' UNION ALL SELECT NULL, NULL');
    EXECUTE map || format('(%s) t', format(query, name_bytes, most_bytes,
                                           '$2, keys => $3, key_columns => $4, columns => $1, forms => $5, filter => $6, seed => $7'))
    INTO own, own_beyond
    USING names, (job ->> 'relation')::oid::regclass, keys, parity_internal.verify_names(plan -> 'key'), plan -> 'source_forms', ask ->> 'filter',
        (plan ->> 'seed')::bigint;
    PERFORM parity_internal.verify_await(parity_internal.verify_patience(ask, started));
    EXECUTE map || format('%s.dblink_get_result($2) AS t(key text, shown text[])', parity_internal.verify_dblink())
    INTO other, other_beyond USING names, 'pg_parity:target';
    PERFORM parity_internal.verify_drain();
    beyond := coalesce(own_beyond, '{}') || coalesce(other_beyond, '{}');
    SELECT coalesce(jsonb_agg(r.value || CASE WHEN r.value ->> 'key' = ANY (beyond) THEN '{}' ELSE jsonb_build_object(
            'source_values', parity_internal.verify_shown(own -> (r.value ->> 'key'), r.value),
            'target_values', parity_internal.verify_shown(other -> (r.value ->> 'key'), r.value)) END
            ORDER BY r.no), '[]'), count(*) FILTER (WHERE r.value ->> 'key' = ANY (beyond))
    INTO with_values, left_out
    FROM jsonb_array_elements(rows) WITH ORDINALITY AS r(value, no);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_values(jsonb, jsonb, bigint) IS
    'adds the values of rows that differ, and tells of how many they would have been too many bytes; internal';

CREATE FUNCTION parity_internal.verify_shown(shown jsonb, line jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN (line ->> 'source_extra')::bigint > 0 AND (line ->> 'target_extra')::bigint > 0
                THEN (SELECT jsonb_object_agg(v.key, v.value) FROM jsonb_each(shown) v WHERE line -> 'columns' ? v.key) ELSE shown END
$$;
COMMENT ON FUNCTION parity_internal.verify_shown(jsonb, jsonb) IS 'of the values of a row those that a finding tells; internal';

-- A standby's replay ends the query (40001, or 40P01 for a deadlock), or the session while that waits in its transaction. The extension
-- itself has 40001 for a table that was rewritten. Its messages are never translated, so they tell.
CREATE FUNCTION parity_internal.verify_is_by_replay(job jsonb, state text, message text, context text) RETURNS boolean
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(state IN ('40001', '40P01') AND context LIKE '%pg_parity:target%'
                    AND coalesce((job #>> '{target_server,recovery}')::boolean, true) AND job ->> 'step' <> 'give_up'
                    AND message !~ '^relation ".*" was .* after the snapshot was taken$', false)
$$;
COMMENT ON FUNCTION parity_internal.verify_is_by_replay(jsonb, text, text, text) IS
    'whether replay on the target, a standby, ended what was read there; where the target has not told yet what it is, whether that may be; internal';

-- It is read again after 1, 2, 4 and 8 seconds, in which replay can catch up, and then given up. The driver does the same
-- (driver/recovery_conflict.cpp).
CREATE FUNCTION parity_internal.verify_after_replay(job jsonb, state text, message text) RETURNS jsonb
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT job || jsonb_build_object('cancelled', c.times, 'replays', coalesce((job ->> 'replays')::integer, 0) + 1)
               || CASE WHEN c.times < 5
                       THEN jsonb_build_object('step', 'pause', 'until', clock_timestamp() + make_interval(secs => 2 ^ (c.times - 1)))
                       ELSE jsonb_build_object('step', 'give_up', 'sqlstate', state, 'message', message) END
    FROM (SELECT coalesce((job ->> 'cancelled')::integer, 0) + 1) AS c(times)
$$;
COMMENT ON FUNCTION parity_internal.verify_after_replay(jsonb, text, text) IS
    'what becomes of a job whose reading the target''s replay has ended; internal';

CREATE FUNCTION parity_internal.verify_give_up(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    standby jsonb;
BEGIN
    PERFORM parity_internal.verify_open(job);
    -- As the driver asks it (driver/queries_catalog.cpp).
    standby := parity_internal.verify_ask(
        'SELECT jsonb_build_object(''recovery'', pg_is_in_recovery(), ''delay'', s.delay, ''value'', current_setting(s.delay), '
        '''feedback'', current_setting(''hot_standby_feedback''))::text '
        'FROM (SELECT CASE WHEN EXISTS (SELECT FROM pg_stat_wal_receiver) THEN ''max_standby_streaming_delay'' '
        'ELSE ''max_standby_archive_delay'' END) AS s(delay)', parity_internal.verify_patience(job -> 'ask'))::jsonb;
    IF NOT (standby ->> 'recovery')::boolean THEN
        RETURN job || jsonb_build_object('step', 'finish', 'status', 'failed', 'message', 'on the target: ' || (job ->> 'message'));
    END IF;
    RETURN job || jsonb_build_object('step', 'finish', 'status', 'incomplete', 'message', format(
        'given up after %s attempts: the target is a standby, whose replay ended each of them (%s); %s is %s there, hot_standby_feedback '
        'is %s; %s', job ->> 'cancelled', job ->> 'message', standby ->> 'delay', standby ->> 'value', standby ->> 'feedback',
        CASE standby ->> 'feedback' WHEN 'on'
            THEN format('let %s there be longer than reading the table takes: with hot_standby_feedback on, it is locks that conflict, '
                        'those of DDL and of a VACUUM that truncates', standby ->> 'delay')
            ELSE format('set hot_standby_feedback = on there, or let %s be longer than reading the table takes', standby ->> 'delay') END));
END
$$;
COMMENT ON FUNCTION parity_internal.verify_give_up(jsonb) IS
    'a step of verify: ends a job that the target''s replay never let be read, with the settings that decide; internal';

-- What becomes of a job in which something failed: nothing is left running. A table that was rewritten, or that a standby's replay did not
-- let be read, is tried again with new snapshots. What the target refused or lost is incomplete; a cancel that came from here is told apart
-- from one of the target's.
CREATE FUNCTION parity_internal.verify_failed(job jsonb, state text, message text, detail text, context text) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_target boolean := context LIKE '%pg_parity:target%';
    again jsonb;
    status text;
    secret text;
BEGIN
    RAISE DEBUG USING MESSAGE = message, DETAIL = context;
    -- 08006: the target is gone, or did not answer.
    PERFORM parity_internal.verify_disconnect(state <> '08006' AND NOT coalesce((job -> 'plan' ->> 'target_notices')::boolean, true));
    again := job || '{"step": "connect"}';
    -- What the target had replayed when it was last waited for is not what has been seen here since then.
    IF job ->> 'step' NOT IN ('snapshot', 'pass') THEN
        again := again - 'follows';
    END IF;
    IF parity_internal.verify_is_by_replay(job, state, message, context) THEN
        RETURN parity_internal.verify_after_replay(again, state, message);
    ELSIF state IN ('40001', '40P01') AND coalesce((job ->> 'conflicts')::integer, 0) < 3 AND job ->> 'step' <> 'give_up' THEN
        RETURN again || jsonb_build_object('conflicts', coalesce((job ->> 'conflicts')::integer, 0) + 1);
    END IF;
    -- An index that lacks rows, or has others, is the likely reason for contradictions: once more without any.
    IF state = 'XX002' AND NOT job ? 'without_indexes' THEN
        RETURN again || '{"without_indexes": true}';
    END IF;
    status := CASE WHEN state = '57014' AND NOT of_target THEN 'cancelled'
                   WHEN state LIKE '08%' OR (of_target AND state LIKE '57P%') THEN 'incomplete' ELSE 'failed' END;
    message := CASE WHEN of_target THEN 'on the target: ' WHEN state = '42501' THEN 'here: ' ELSE '' END || message
               || CASE WHEN detail <> '' AND state LIKE '08%' THEN ': ' || regexp_replace(btrim(detail, E'\n '), '\s*\n\s*', '; ', 'g')
                       ELSE '' END;
    FOR secret IN SELECT o.option_value FROM pg_user_mappings m, pg_options_to_table(m.umoptions) o
                  WHERE m.srvname = job ->> 'server' AND o.option_name = 'password' AND o.option_value <> '' LOOP
        message := replace(message, secret, '***');
    END LOOP;
    RETURN job || jsonb_build_object('step', 'finish', 'status', status, 'sqlstate', state, 'message', message,
        -- With no other table it would be another way.
        'hopeless', state = '55000' AND message ~ 'another server now|is a pooler'
                    OR job ->> 'step' = 'connect' AND (state LIKE '08%' OR state IN ('2F003', '42704', '55000')));
EXCEPTION WHEN query_canceled THEN  -- who cancels may do it twice
    RETURN job || '{"step": "finish", "status": "cancelled", "sqlstate": "57014", "message": "cancelled while an error was dealt with"}';
END
$$;
COMMENT ON FUNCTION parity_internal.verify_failed(jsonb, text, text, text, text) IS 'what becomes of a job in which something failed; internal';

CREATE FUNCTION parity_internal.verify_avoid_indexes(seconds double precision) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('enable_seqscan', 'on', true);
    PERFORM parity_internal.verify_ask('SELECT concat(set_config(''enable_indexscan'', ''off'', true), set_config(''enable_bitmapscan'', ''off'', true), '
                              'set_config(''enable_seqscan'', ''on'', true))', seconds);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_avoid_indexes(double precision) IS 'has both sides read without indexes for the rest of the pass; internal';

-- Later looks find rows by their keys, through an index where there is one. A row that a corrupt index lacks, or has twice, would seem to
-- have become equal. So what was found in ranges is looked for by key at once, under the same snapshots: it must be there as it is.
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
        SELECT r ->> 'key', r ->> 'source', r ->> 'target', r ->> 'source_extra', r ->> 'target_extra' FROM jsonb_array_elements(rows) r
        EXCEPT
        SELECT k ->> 'key', k ->> 'source', k ->> 'target', k ->> 'source_extra', k ->> 'target_extra' FROM jsonb_array_elements(by_key) k);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_are_found_by_key(jsonb, jsonb) IS 'whether rows that differ are found by their keys as they are; internal';

CREATE FUNCTION parity_internal.verify_idle(job jsonb, reading boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM parity_internal.verify_ask(format('SELECT set_config(''idle_in_transaction_session_timeout'', %L, true)',
                                     parity_internal.verify_idle_limit(reading)), parity_internal.verify_patience(job -> 'ask'));
END
$$;
COMMENT ON FUNCTION parity_internal.verify_idle(jsonb, boolean) IS
    'sets how long the target waits for this side in the transaction that is open there; internal';

-- The plan is about the relations that had the names when it was made, their kinds and columns. They are locked until the end of the pass,
-- and then must still have the names and be what they were, so that what is read is what is checked here. Locking plans nothing, and the
-- kind comes with the lock: under this snapshot a table that has become a view since is still one.
CREATE FUNCTION parity_internal.verify_is_as_planned(job jsonb) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wait CONSTANT double precision := parity_internal.verify_patience(job -> 'ask');
    own_kind text;
    other_kind text;
    own jsonb;
    other jsonb;
BEGIN
    PERFORM parity_internal.verify_idle(job, true);
    other_kind := parity_internal.verify_ask(format('SELECT parity.hold_relation(%L::oid)::text', job -> 'plan' ->> 'target_oid'), wait);
    own_kind := parity.hold_relation((job ->> 'relation')::oid)::text;
    other := parity_internal.verify_ask(parity_internal.verify_relation_query(job ->> 'target'), wait);
    EXECUTE parity_internal.verify_relation_query(job ->> 'name') INTO own;
    -- The plan that is made next finds what is gone, or of another kind. A shape has the OID.
    RETURN coalesce(own_kind = own ->> 'kind' AND other_kind = other ->> 'kind'
                    AND md5(own::text) = job -> 'plan' ->> 'source_shape' AND md5(other::text) = job -> 'plan' ->> 'target_shape', false);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_is_as_planned(jsonb) IS
    'locks the relations of the plan, and tells whether they are what it was made for; internal';

CREATE FUNCTION parity_internal.verify_start_over(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    conflicts integer := coalesce((job ->> 'conflicts')::integer, 0) + 1;
BEGIN
    IF conflicts > 3 THEN
        RAISE EXCEPTION USING ERRCODE = '55006',
            MESSAGE = format('relation %s or its columns were exchanged again and again', job ->> 'name');
    END IF;
    RETURN (job - '{plan,found,follows,followed,looks,glances,without_indexes}'::text[])
           || jsonb_build_object('step', 'connect', 'conflicts', conflicts);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_start_over(jsonb) IS 'a job without anything that was found; internal';

-- A pass: the target's snapshot has been taken, this transaction's is being taken.
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
        named := parity_internal.verify_name_rows(job, found -> 'work', NULL, (job -> 'ask' ->> 'max_rows')::integer);
        found := (found - 'work') || jsonb_build_object('rows', named.new_rows, 'ranges', named.unnamed, 'cleared', 0);
    ELSE
        found := parity_internal.verify_second_look(job);
    END IF;
    IF NOT job ? 'without_indexes' AND NOT parity_internal.verify_are_found_by_key(lean, (
            SELECT coalesce(jsonb_agg(r), '[]') FROM jsonb_array_elements(found -> 'rows') r WHERE r ->> 'state' = 'new')) THEN
        job := job || '{"without_indexes": true}';
        PERFORM parity_internal.verify_avoid_indexes(parity_internal.verify_patience(job -> 'ask'));
    END IF;
    IF (job -> 'ask' ->> 'with_values')::boolean THEN
        shown := parity_internal.verify_values(lean, found -> 'rows', 8000000);
        found := found || jsonb_build_object('rows', shown.with_values, 'values_left_out', shown.left_out);
    END IF;
    found := parity_internal.verify_versions(lean, found || parity_internal.verify_open_writers(lean -> 'found', writers));
    PERFORM parity_internal.verify_idle(lean, false);
    PERFORM parity_internal.verify_check_server(lean);  -- before any of it counts
    found := parity_internal.verify_judge(found, coalesce(job ->> 'follows', 'first'));
    -- A glance leaves how far the target had come at the last look as it is, for the message.
    RETURN (job - 'cancelled') || jsonb_build_object('found', found, 'source_lsn', lsn, 'step', 'settle',
                                     'followed', coalesce(nullif(job ->> 'follows', 'at once'), job ->> 'followed'),
                                     'took', extract(epoch FROM clock_timestamp() - now()),
                                     'looks', coalesce((job ->> 'looks')::integer, 0)
                                              + CASE WHEN job ->> 'follows' = 'at once' THEN 0 ELSE 1 END);
EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, context = PG_EXCEPTION_CONTEXT;
    RETURN parity_internal.verify_failed(job, state, message, detail, context);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_pass(jsonb) IS 'a step of verify: reads both sides under one snapshot each; internal';

--
-- the other steps
--

CREATE FUNCTION parity_internal.verify_settle(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found jsonb := job -> 'found';
    moving boolean;
    looks integer := job ->> 'looks';
    glances integer := coalesce((job ->> 'glances')::integer, 0);
BEGIN
    PERFORM parity_internal.verify_ask('ROLLBACK', parity_internal.verify_patience(job -> 'ask'));
    SELECT coalesce(bool_or(e ->> 'state' = 'moving'), false) INTO moving
    FROM jsonb_array_elements((found -> 'rows') || (found -> 'ranges')) e;
    -- Rows that are written all the time are seen equal only by snapshots that are close together: some glances at once, where looking is
    -- quick. They begin no proof, but may complete one.
    IF moving AND looks > 1 AND glances < 10 AND (job ->> 'took')::float8 < 1 AND jsonb_array_length(found -> 'ranges') = 0 THEN
        RETURN job || jsonb_build_object('step', 'snapshot', 'follows', 'at once', 'glances', glances + 1);
    ELSIF NOT moving OR looks > (job -> 'ask' ->> 'rechecks')::integer THEN
        PERFORM parity_internal.verify_disconnect(false);
        RETURN job || '{"step": "finish"}';
    END IF;
    RETURN job || jsonb_build_object('step', 'delay', 'glances', 0, 'until',
        clock_timestamp() + make_interval(secs => (job -> 'ask' ->> 'recheck_delay')::float8));
END
$$;
COMMENT ON FUNCTION parity_internal.verify_settle(jsonb) IS
    'a step of verify: lets the target''s snapshot go, and decides whether to look again; internal';

CREATE FUNCTION parity_internal.verify_delay(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    left_over double precision := extract(epoch FROM (job ->> 'until')::timestamptz - clock_timestamp());
BEGIN
    PERFORM pg_sleep(greatest(0, least(1, left_over)));
    IF left_over > 1 THEN
        RETURN job;
    END IF;
    RETURN job || jsonb_build_object('step', 'replay', 'until',
        clock_timestamp() + make_interval(secs => (job -> 'ask' ->> 'replay_timeout')::float8));
END
$$;
COMMENT ON FUNCTION parity_internal.verify_delay(jsonb) IS 'a step of verify: waits a while before looking again; internal';

CREATE FUNCTION parity_internal.verify_pause(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    left_over double precision := extract(epoch FROM (job ->> 'until')::timestamptz - clock_timestamp());
BEGIN
    PERFORM pg_sleep(greatest(0, least(1, left_over)));
    RETURN job || jsonb_build_object('step', CASE WHEN left_over > 1 THEN 'pause' ELSE 'connect' END);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_pause(jsonb) IS 'a step of verify: lets replay on the target catch up before reading again; internal';

-- Whether the target shows at least what was committed here before source_lsn. confirmed_flush_lsn lags, but may be seen by everybody.
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
        answer := parity_internal.verify_ask(format(query, parity_internal.verify_server_query(job), format(
            'coalesce(pg_last_wal_replay_lsn() >= %L, false)', job ->> 'source_lsn')), wait);
        PERFORM parity_internal.verify_same_server(job, answer -> 'server');
        RETURN answer -> 'reached';
    END IF;
    SELECT coalesce(bool_and(coalesce(greatest(w.replay_lsn, s.confirmed_flush_lsn) >= (job ->> 'source_lsn')::pg_lsn, false)), false)
           AND count(*) = jsonb_array_length(replication -> 'slots')
    INTO reached
    FROM pg_replication_slots s LEFT JOIN pg_stat_replication w ON w.pid = s.active_pid
    WHERE replication -> 'slots' ? s.slot_name;
    -- While a table is copied at first, its subscription goes on without it.
    IF NOT reached THEN
        RETURN false;
    END IF;
    answer := parity_internal.verify_ask(format(query, parity_internal.verify_server_query(job), format(
        'NOT EXISTS (SELECT FROM pg_subscription_rel r WHERE r.srsubstate <> ''r'' AND (r.srrelid = %1$L::oid OR r.srrelid IN ('
        'SELECT p.relid FROM pg_partition_tree(%1$L::oid) p UNION SELECT a.relid FROM pg_partition_ancestors(%1$L::oid) a(relid))))',
        job -> 'plan' ->> 'target_oid')), wait);
    PERFORM parity_internal.verify_same_server(job, answer -> 'server');
    RETURN answer -> 'reached';
END
$$;
COMMENT ON FUNCTION parity_internal.verify_has_replayed(jsonb) IS 'whether the target has replayed what the last look saw here; internal';

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
    'a step of verify: waits until the target has replayed what the last look saw here; internal';

CREATE FUNCTION parity_internal.verify_phase(job jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE job ->> 'step'
        WHEN 'connect' THEN 'connecting'
        WHEN 'snapshot' THEN CASE WHEN job ? 'found' THEN format('looking again (%s of %s)', job ->> 'looks', job -> 'ask' ->> 'rechecks')
            ELSE 'comparing' END
        WHEN 'delay' THEN 'waiting before looking again'
        WHEN 'replay' THEN 'waiting for the target to replay'
        WHEN 'pause' THEN format('waiting for replay on the target before attempt %s of 5', (job ->> 'cancelled')::integer + 1) END
$$;
COMMENT ON FUNCTION parity_internal.verify_phase(jsonb) IS 'what parity.status shows of a step; internal';

-- The first that differ tell where to look. All of a large relation would fill the records.
CREATE FUNCTION parity_internal.verify_most_ranges() RETURNS integer
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 10000
$$;
COMMENT ON FUNCTION parity_internal.verify_most_ranges() IS 'how many ranges of one relation are recorded at most; internal';

CREATE FUNCTION parity_internal.verify_findings(job jsonb) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH plan AS (
        SELECT parity_internal.verify_names(job -> 'plan' -> 'key') AS key, parity_internal.verify_names(job -> 'plan' -> 'columns') AS columns,
            parity_internal.verify_names(job -> 'plan' -> 'key_forms') AS forms
    ), line AS (
        SELECT r.no, r.value, CASE r.value ->> 'state' WHEN 'divergent' THEN 'divergent' ELSE 'in_flight' END AS state,
            -- Where there is no key, what tells rows apart are their values.
            CASE WHEN cardinality(p.key) > 0 OR (job -> 'ask' ->> 'with_values')::boolean THEN
                jsonb_object(CASE WHEN cardinality(p.key) > 0 THEN p.key ELSE p.columns END,
                             parity.key_values(decode(r.value ->> 'key', 'hex'), p.forms))
            END AS key,
            (r.value ->> 'source_extra')::bigint AS source_extra, (r.value ->> 'target_extra')::bigint AS target_extra
        FROM plan p, jsonb_array_elements(job -> 'found' -> 'rows') WITH ORDINALITY AS r(value, no)
    ), finding AS (
        SELECT 1 AS part, no, jsonb_build_object('kind', 'mismatch', 'state', state, 'key', key, 'columns', value -> 'columns',
            'occurrences', least(source_extra, target_extra), 'source_values', value -> 'source_values', 'target_values',
                value -> 'target_values') AS finding
        FROM line WHERE source_extra > 0 AND target_extra > 0
        UNION ALL
        SELECT 2, no, jsonb_build_object('kind', CASE WHEN source_extra > target_extra THEN 'missing_on_target'
            ELSE 'missing_on_source' END,
            'state', state, 'key', key, 'occurrences', abs(source_extra - target_extra),
            'source_values', CASE WHEN source_extra > target_extra THEN value -> 'source_values' END,
            'target_values', CASE WHEN source_extra < target_extra THEN value -> 'target_values' END)
        FROM line WHERE source_extra <> target_extra
        UNION ALL
        SELECT 3, r.no, jsonb_build_object('kind', 'range', 'state', CASE r.value ->> 'state' WHEN 'divergent' THEN 'divergent'
            ELSE 'in_flight' END,
            'key', jsonb_build_object('lower', r.value -> 'lower_text', 'upper', r.value -> 'upper_text'), 'columns', r.value -> 'columns')
        FROM jsonb_array_elements(job -> 'found' -> 'ranges') WITH ORDINALITY AS r(value, no)
            WHERE r.no <= parity_internal.verify_most_ranges()
    )
    SELECT coalesce(jsonb_agg(jsonb_strip_nulls(finding - '{key,source_values,target_values}'::text[])
                              || jsonb_build_object('key', finding -> 'key', 'source_values', finding -> 'source_values', 'target_values',
                                  finding -> 'target_values')
                              ORDER BY no, part), '[]')
    FROM finding
$$;
COMMENT ON FUNCTION parity_internal.verify_findings(jsonb) IS 'what is recorded of the rows and ranges that differ; internal';

CREATE FUNCTION parity_internal.verify_facts(job jsonb) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH line AS (
        SELECT r.value, r.value ->> 'state' = 'divergent' AS sure, greatest((r.value ->> 'source_extra')::bigint,
            (r.value ->> 'target_extra')::bigint) AS rows
        FROM jsonb_array_elements(job -> 'found' -> 'rows') r
    ), range AS (
        SELECT r.value, r.value ->> 'state' = 'divergent' AS sure FROM jsonb_array_elements(job -> 'found' -> 'ranges') r
    ), sure AS (
        SELECT value -> 'range' AS range, value -> 'columns' AS columns FROM line WHERE sure UNION ALL SELECT value -> 'parent',
            value -> 'columns' FROM range WHERE sure
    )
    SELECT CASE WHEN job ? 'found' THEN jsonb_build_object(
        'source_rows', job -> 'found' -> 'source_rows', 'target_rows', job -> 'found' -> 'target_rows', 'ranges',
            job -> 'found' -> 'ranges_compared',
        'divergent_ranges', (SELECT count(DISTINCT range) FROM sure),
        'divergent_rows', (SELECT coalesce(sum(rows), 0) FROM line WHERE sure), 'in_flight_rows', (SELECT coalesce(sum(rows), 0) FROM line
            WHERE NOT sure),
        'cleared_rows', job -> 'found' -> 'cleared', 'unnamed_ranges', (SELECT count(*) FROM range),
        'divergent_columns', (SELECT coalesce(jsonb_agg(DISTINCT c.value), '[]') FROM sure, jsonb_array_elements(sure.columns) c))
        ELSE '{}' END
        || jsonb_build_object(
        'source_lsn', job -> 'source_lsn', 'target_lsn', job -> 'target_lsn', 'not_compared', coalesce(job -> 'plan' -> 'not_compared',
            '[]'),
        'details', jsonb_strip_nulls(jsonb_build_object('left_out', job -> 'left_out', 'without_indexes', job -> 'without_indexes', 'key', job -> 'plan' -> 'key', 'key_proven', job -> 'plan' -> 'key_proven',
            'looks', job -> 'looks',
            'replication', job -> 'plan' -> 'replication', 'follows', job -> 'followed',
            'conflicts', nullif(coalesce((job ->> 'conflicts')::integer, 0) + coalesce((job ->> 'replays')::integer, 0), 0), 'digests',
                job -> 'found' -> 'effort')),
        'sqlstate', job -> 'sqlstate', 'message', job -> 'message')
$$;
COMMENT ON FUNCTION parity_internal.verify_facts(jsonb) IS 'what is recorded of a table; internal';

CREATE FUNCTION parity_internal.verify_finish(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found jsonb := job -> 'found';
    sure boolean;
    moving boolean;
BEGIN
    PERFORM parity_internal.verify_disconnect(false);  -- what an error may have left
    -- Who waits for a lock on the records keeps the relation's lock from everybody else.
    PERFORM set_config('lock_timeout', CASE WHEN job ? 'unrecorded' THEN '5s' ELSE job -> 'ask' ->> 'lock_timeout' END, true);
    SELECT coalesce(bool_or(e ->> 'state' = 'divergent'), false), coalesce(bool_or(e ->> 'state' <> 'divergent'), false) INTO sure, moving
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
    PERFORM parity_internal.record_table_finish((job ->> 'part')::bigint, job ->> 'status', parity_internal.verify_facts(job));
    RETURN job || '{"step": "done"}';
END
$$;
COMMENT ON FUNCTION parity_internal.verify_finish(jsonb) IS 'a step of verify: records how it ended; internal';

CREATE FUNCTION parity_internal.verify_message(job jsonb, moving boolean) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT nullif(concat_ws('; ',
        CASE WHEN job ->> 'status' = 'incomplete'
             THEN (SELECT string_agg(format('%s was not compared: %s', n ->> 'what', n ->> 'reason'), '; ')
                   FROM jsonb_array_elements(job -> 'plan' -> 'not_compared') n)
             WHEN moving AND job ->> 'followed' = 'late' THEN format(
                 'the target had not replayed %s in time: see %s', job ->> 'source_lsn',
                 CASE WHEN job -> 'plan' -> 'replication' ? 'slots'
                      THEN format('pg_replication_slots here (slot %s) and pg_stat_subscription there', (
                          SELECT string_agg(n, ', ') FROM jsonb_array_elements_text(job -> 'plan' -> 'replication' -> 'slots') n))
                      ELSE 'pg_stat_replication here' END)
             WHEN moving AND job ->> 'followed' = 'unknown'
             THEN 'whether what differs is only on its way cannot be told: ' || (job -> 'plan' -> 'replication' ->> 'reason') END,
        CASE WHEN job ->> 'status' = 'divergent' THEN (
            SELECT concat_ws('; ',
                CASE WHEN replication ->> 'kind' = 'none' AND replication ? 'reason'
                     THEN format('%s, so what differs may be what it has not received', replication ->> 'reason') END,
                CASE WHEN unnamed > 0 THEN format('not all rows of %s ranges are named', unnamed) END,
                CASE WHEN unnamed > 0 AND found -> 'source_rows' <> found -> 'target_rows'
                     THEN format('%s rows here, %s on the target', found ->> 'source_rows', found ->> 'target_rows') END,
                (SELECT string_agg(format('%s is not compared: %s', n ->> 'what', n ->> 'reason'), '; ')
                 FROM jsonb_array_elements(job -> 'plan' -> 'not_compared') n))
            FROM (SELECT job -> 'found' AS found, job -> 'plan' -> 'replication' AS replication,
                         jsonb_array_length(job -> 'found' -> 'ranges') AS unnamed) AS known) END,
        CASE WHEN jsonb_array_length(job -> 'found' -> 'ranges') > parity_internal.verify_most_ranges()
             THEN format('only %s of %s ranges are recorded', parity_internal.verify_most_ranges(),
                         jsonb_array_length(job -> 'found' -> 'ranges')) END,
        CASE WHEN (job -> 'found' ->> 'values_left_out')::bigint > 0
             THEN format('the values of %s rows would have been too many bytes and are not recorded', job -> 'found' ->> 'values_left_out')
        END), '')
$$;
COMMENT ON FUNCTION parity_internal.verify_message(jsonb, boolean) IS 'what there is to say of a result besides an error; internal';

-- What was found cannot be recorded. How it ended still may be, in a transaction that has not failed yet.
CREATE FUNCTION parity_internal.verify_finish_failed(job jsonb, state text, message text) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    job := job || jsonb_build_object(
        'status', CASE WHEN state = '57014' THEN 'cancelled' ELSE coalesce(job ->> 'status', 'failed') END,
        'sqlstate', state, 'message', 'what was found could not be recorded: ' || message);
    IF NOT job ? 'unrecorded' THEN
        RETURN job || '{"unrecorded": true}';
    END IF;
    RAISE WARNING USING MESSAGE = format('verification of %s: %s', job ->> 'name', job ->> 'message'), ERRCODE = 'PP003';
    RETURN job || '{"step": "done"}';
END
$$;
COMMENT ON FUNCTION parity_internal.verify_finish_failed(jsonb, text, text) IS 'what becomes of a job that could not be recorded; internal';

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
    -- Out of what has no step nothing can be made that has one: the loop round this would never end.
    IF step IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = 'a verification has lost its job', ERRCODE = 'XX000';
    END IF;
    -- What these steps record is a phase, which no standby has to have. Waiting for one that is away would keep the target's snapshot.
    IF step <> 'finish' AND current_setting('synchronous_commit') NOT IN ('local', 'off') THEN
        PERFORM set_config('synchronous_commit', 'local', true);
    END IF;
    BEGIN
        IF step = 'finish' THEN
            RETURN parity_internal.verify_finish(job);
        ELSIF step <> ALL ('{connect,snapshot,settle,delay,replay,pause,give_up}') THEN
            RAISE EXCEPTION USING MESSAGE = format('a verification has no step "%s"', step), ERRCODE = 'XX000';
        END IF;
        IF step = 'snapshot' THEN
            -- In this order, and even where there is no phase to record: whose writes the target can show has a lower number than this
            -- transaction, which ends before the local snapshot is taken. So that snapshot tells of him if he goes on (verify_writers).
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
            WHEN 'settle' THEN parity_internal.verify_settle(job)
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
COMMENT ON FUNCTION parity_internal.verify_step(jsonb) IS 'takes the next step of a job; internal';

CREATE FUNCTION parity_internal.verify_is_at(job jsonb, step text) RETURNS boolean
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(job ->> 'step' = step, false)
$$;
COMMENT ON FUNCTION parity_internal.verify_is_at(jsonb, text) IS 'whether a step comes next; internal';

--
-- the start and the end
--

CREATE FUNCTION parity_internal.verify_check_options(ask jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
    milliseconds jsonb := '{}';
BEGIN
    FOREACH name IN ARRAY '{max_rows,with_values,recheck_delay,rechecks,replay_timeout,lock_timeout,allow_same_server,'
                          'fail}'::text[] LOOP
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
        milliseconds := milliseconds || jsonb_build_object(name, round(extract(epoch FROM (ask ->> name)::interval)::numeric * 1000));
    END LOOP;
    RETURN jsonb_strip_nulls(ask) || jsonb_build_object(
        'recheck_delay', (milliseconds ->> 'recheck_delay')::float8 / 1000, 'replay_timeout',
            (milliseconds ->> 'replay_timeout')::float8 / 1000,
        'lock_timeout', milliseconds ->> 'lock_timeout', 'statement_timeout', coalesce(milliseconds ->> 'statement_timeout', '0'),
        'wait', CASE WHEN (milliseconds ->> 'statement_timeout')::numeric > 0
            THEN (milliseconds ->> 'statement_timeout')::numeric / 1000 + 10 ELSE 0 END);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_check_options(jsonb) IS 'checks what was asked for; internal';

-- The key of an advisory lock is two integers. The second is the relation's OID; the first has sixteen bits that are the project's ("pa")
-- and sixteen that tell what the relation is compared with, so that runs against different sides do not wait for each other.
CREATE FUNCTION parity_internal.verify_lock_class(kind text, target text) RETURNS integer
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (28769 << 16) | (hashtext(kind || ' ' || target) & 65535)
$$;
COMMENT ON FUNCTION parity_internal.verify_lock_class(text, text) IS
    'the first key of the advisory lock of verifications against a server (kind verify) or a baseline''s label (baseline); internal';

CREATE FUNCTION parity_internal.verify_lock(relation oid, target text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN pg_try_advisory_lock(parity_internal.verify_lock_class('verify', target), relation::bigint::bit(32)::integer);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_lock(oid, text) IS
    'takes the advisory lock under which one session at a time verifies a relation against a server; internal';

CREATE FUNCTION parity_internal.verify_lock_holder(of_kind text, of_target text, of_relation oid) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((
        SELECT CASE WHEN r.id IS NULL THEN format(' (pid %s)', l.pid) ELSE format(' (run %s, pid %s)', r.id, l.pid) END
        FROM pg_locks l LEFT JOIN parity.run r ON r.pid = l.pid AND r.finished IS NULL
        WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted AND l.objid = of_relation AND l.pid <> pg_backend_pid()
          AND l.classid::bigint = parity_internal.verify_lock_class(of_kind, of_target)::bigint & 4294967295
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        ORDER BY r.id DESC NULLS LAST LIMIT 1), '')
$$;
COMMENT ON FUNCTION parity_internal.verify_lock_holder(text, text, oid) IS
    'who has the advisory lock of a relation and a server, or a baseline''s label, in brackets; empty if nobody has it any more; internal';

-- A session has one run at a time, so that all of its locks are that one's.
CREATE FUNCTION parity_internal.verify_unlock() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held record;
BEGIN
    LOOP
        SELECT l.classid::bigint::bit(32)::integer AS class, l.objid::bigint::bit(32)::integer AS object INTO held FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid::bigint >> 16 = 28769 AND l.mode = 'ExclusiveLock'
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.pid = pg_backend_pid() AND l.granted
        LIMIT 1;
        -- One of a transaction, as of a baseline, is not let go of by this.
        EXIT WHEN NOT FOUND OR NOT pg_advisory_unlock(held.class, held.object);
    END LOOP;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_unlock() IS 'lets go of the advisory locks of verifications that this session has; internal';

CREATE FUNCTION parity_internal.verify_leave_behind() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM parity_internal.verify_disconnect(false);
    PERFORM parity_internal.verify_unlock();
END
$$;
COMMENT ON FUNCTION parity_internal.verify_leave_behind() IS
    'lets go of what a run that was broken off between two steps left in this session: connection and lock; internal';

CREATE FUNCTION parity_internal.verify_begin_run(ask jsonb, source text) RETURNS bigint
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT parity_internal.record_run_start('verify', source, ask ->> 'server',
        'pg_parity ' || (SELECT extversion FROM pg_extension WHERE extname = 'pg_parity'),
        jsonb_strip_nulls(ask - '{server,wait,relation,found,error,callback_oid}'::text[]), true)
$$;
COMMENT ON FUNCTION parity_internal.verify_begin_run(jsonb, text) IS 'begins the record of a run; internal';

-- What was asked for that is not the whole table with its namesake. Under a form that was asked for values that differ may be equal.
CREATE FUNCTION parity_internal.verify_scope(ask jsonb, name text, target text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'filter', ask -> 'filter', 'columns', ask -> 'columns', 'key_columns', ask -> 'key_columns',
        'forms', nullif(ask -> 'forms', '{}'),
        'target_relation', CASE WHEN target <> name THEN target END))
$$;
COMMENT ON FUNCTION parity_internal.verify_scope(jsonb, text, text) IS 'what is compared, as parity.run_table has it; internal';

-- One spelling, so that a run that could not begin has the scope of the others. What is no name is recorded as it is.
CREATE FUNCTION parity_internal.verify_target(name text, target text) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parts text[];
BEGIN
    IF target IS NULL THEN
        RETURN name;
    END IF;
    parts := parse_ident(target);
    RETURN parity_internal.record_quoted(CASE WHEN cardinality(parts) = 1 THEN (parse_ident(name))[1:1] ELSE '{}' END || parts);
EXCEPTION WHEN data_exception THEN
    RETURN target;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_target(text, text) IS
    'the name on the target of a relation: what was asked for, in the schema of its name if in none, or that name itself; internal';

-- The job of one table. Where another session verifies the table it is done at once. `kind` is what was chosen; if it is not given, what the
-- relation is now.
CREATE FUNCTION parity_internal.verify_begin_table(ask jsonb, run bigint, relation oid, kind text DEFAULT NULL) RETURNS jsonb
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
    job := jsonb_build_object('ask', ask, 'server', ask ->> 'server', 'run', run, 'part', part, 'relation', relation, 'name', name,
                              'target', target,
                              'kind', coalesce(kind, (SELECT parity_internal.verify_kind(c.relkind::text) FROM pg_class c WHERE c.oid = relation)));
    IF NOT parity_internal.verify_lock(relation, ask ->> 'server') THEN
        PERFORM parity_internal.record_table_finish(part, 'skipped', jsonb_build_object('message', 'another session verifies the relation'
            || parity_internal.verify_lock_holder('verify', ask ->> 'server', relation)));
        RETURN job || '{"status": "skipped", "step": "done"}';
    END IF;
    RETURN job || '{"step": "connect"}';
END
$$;
COMMENT ON FUNCTION parity_internal.verify_begin_table(jsonb, bigint, oid, text) IS 'begins the record and the job of one table; internal';

-- An error before there is a job is recorded and told like any other: a schedule whose table is gone must not fall silent. It goes on
-- to the caller when that is done.
CREATE FUNCTION parity_internal.verify_refused(ask jsonb, run bigint, relation text, scope jsonb, error jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part bigint := parity_internal.record_table_start(run, relation, coalesce(scope ->> 'target_relation', relation), scope);
    status text := CASE error ->> 'sqlstate' WHEN '57014' THEN 'cancelled' ELSE 'failed' END;
BEGIN
    PERFORM parity_internal.record_table_finish(part, status, jsonb_build_object('sqlstate', error -> 'sqlstate', 'message', error -> 'message'));
    RETURN jsonb_build_object('ask', ask, 'run', run, 'part', part, 'status', status, 'step', 'done', 'error', error,
                              'sqlstate', error -> 'sqlstate', 'message', error -> 'message');
END
$$;
COMMENT ON FUNCTION parity_internal.verify_refused(jsonb, bigint, text, jsonb, jsonb) IS
    'records a table that could not be begun, and gives a job that is done; internal';

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
        parity_internal.verify_scope(ask, found ->> 'name', parity_internal.verify_target(found ->> 'name', ask ->> 'target_relation')), error);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_begin(jsonb) IS 'begins the run over one table, and its job; internal';

-- A callback that is not found is no reason to fall silent either.
CREATE FUNCTION parity_internal.verify_take_callback(asked jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (asked - '{found,called,relation,callback}'::text[])
           || jsonb_strip_nulls(jsonb_build_object('callback', asked -> 'called' -> 'name', 'callback_oid', asked -> 'called' -> 'oid',
                                                   'error', asked -> 'called' -> 'error'))
$$;
COMMENT ON FUNCTION parity_internal.verify_take_callback(jsonb) IS 'puts the callback that was found among what was asked for; internal';

-- An own function of the caller is told what NOTIFY tells. What it does wrong is known as well, and changes no result. The cast chooses
-- among functions of one name.
CREATE FUNCTION parity_internal.verify_tell(job jsonb, payload jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    callback text := job -> 'ask' ->> 'callback';
    message text;
    state text;
BEGIN
    IF callback IS NOT NULL THEN
        -- What has its name by now may be somebody else's.
        IF job -> 'ask' ? 'callback_oid'
           AND to_regprocedure(callback || '(pg_catalog.jsonb)')::oid IS DISTINCT FROM (job -> 'ask' ->> 'callback_oid')::oid THEN
            RAISE EXCEPTION USING MESSAGE = 'it is not the function that had this name when the run began', ERRCODE = '42883';
        END IF;
        EXECUTE format('SELECT %s($1::pg_catalog.jsonb)', callback) USING payload;
    END IF;
    RETURN job;
EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    BEGIN
        message := parity_internal.record_error((job ->> 'run')::bigint, NULL, state, message);
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
        -- Its text is lost; that it failed is not.
        state := CASE SQLSTATE WHEN '57014' THEN SQLSTATE ELSE state END;
        message := parity_internal.record_message(state, message);
    END;
    message := format('callback %s failed: %s', callback, message);
    RAISE WARNING USING MESSAGE = message, ERRCODE = 'PP003';
    RETURN job || jsonb_build_object('callback_message', message)
           || CASE WHEN state = '57014' THEN '{"status": "cancelled"}' ELSE '{}' END::jsonb;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_tell(jsonb, jsonb) IS 'calls the caller''s function; internal';

CREATE FUNCTION parity_internal.verify_call_back(job jsonb) RETURNS jsonb
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
    SELECT parity_internal.verify_tell(job, parity_internal.record_payload((job ->> 'run')::bigint, (job ->> 'part')::bigint))
$$;
COMMENT ON FUNCTION parity_internal.verify_call_back(jsonb) IS 'calls the caller''s function with what is told of a table; internal';

CREATE FUNCTION parity_internal.verify_end_run(job jsonb) RETURNS text
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- The callback's words are no error's, whose text might have to be kept apart.
    PERFORM parity_internal.record_run_finish((job ->> 'run')::bigint, job ->> 'status',
                                     CASE WHEN NOT job ? 'callback_message' THEN job ->> 'sqlstate' END, job ->> 'callback_message');
    RETURN job ->> 'status';
END
$$;
COMMENT ON FUNCTION parity_internal.verify_end_run(jsonb) IS 'ends the record of a run, and gives its status; internal';

CREATE FUNCTION parity_internal.verify_worst(run bigint, result text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN count(*) > 0 THEN format('; %s %s: %s', count(*), CASE count(*) WHEN 1 THEN 'table' ELSE 'tables' END,
                                              string_agg(t.relation, ', ' ORDER BY t.id) FILTER (WHERE t.no <= 5)
                                              || CASE WHEN count(*) > 5 THEN ', ...' ELSE '' END) ELSE '' END
    FROM (SELECT t.id, t.relation, row_number() OVER (ORDER BY t.id) AS no FROM parity.run_table t
          WHERE t.run_id = run AND t.status = result) AS t
$$;
COMMENT ON FUNCTION parity_internal.verify_worst(bigint, text) IS
    'how many tables of a run ended as the run did, and the names of the first ones; internal';

-- The end of a CALL, after all is recorded: an error that let nothing begin and a cancel go on to the caller, and so does any other bad
-- end if that was asked for. A raised error is logged, and a scheduler keeps it: it has no text that may quote a value.
CREATE FUNCTION parity_internal.verify_raise(job jsonb, result text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    message CONSTANT text := parity_internal.record_message(job ->> 'sqlstate', job ->> 'message');
    error CONSTANT jsonb := job -> 'error';
    run CONSTANT bigint := job ->> 'run';
BEGIN
    IF error ->> 'detail' <> '' THEN
        RAISE EXCEPTION USING MESSAGE = error ->> 'message', ERRCODE = error ->> 'sqlstate', DETAIL = error ->> 'detail',
            HINT = format('It is recorded as run %s.', job ->> 'run');
    ELSIF error IS NOT NULL THEN
        RAISE EXCEPTION USING MESSAGE = error ->> 'message', ERRCODE = error ->> 'sqlstate',
            HINT = coalesce(nullif(error ->> 'hint', ''), format('It is recorded as run %s.', job ->> 'run'));
    ELSIF result = 'cancelled' THEN
        RAISE EXCEPTION USING MESSAGE = coalesce(message, 'canceling statement due to user request'), ERRCODE = '57014';
    ELSIF (job -> 'ask' ->> 'fail')::boolean AND result <> 'identical' THEN
        RAISE EXCEPTION USING MESSAGE = coalesce(
                CASE WHEN NOT job ? 'unrecorded' THEN parity_internal.record_line(run, (job ->> 'part')::bigint) END
                    || CASE WHEN NOT job ? 'part' THEN parity_internal.verify_worst(run, result) ELSE '' END,
                format('verification against %s: %s', job -> 'ask' ->> 'server', result) || coalesce(': ' || message, '')),
            ERRCODE = CASE WHEN result = 'divergent' THEN 'PP002' ELSE 'PP003' END,
            HINT = parity_internal.record_hint(run, NULL, result);
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_raise(jsonb, text) IS
    'an error for a run that was refused or cancelled, or not identical where fail was asked for; internal';

-- No SET clause and no exception block, since it commits. Nothing is evaluated between a COMMIT and SET TRANSACTION, which must come
-- before any query.
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
COMMENT ON PROCEDURE parity_internal.verify_table(jsonb) IS 'takes the steps of one table''s job; internal';

CREATE PROCEDURE parity.verify(
    relation text, server text, target_relation text DEFAULT NULL, ranges integer DEFAULT NULL, columns text[] DEFAULT NULL,
    key_columns text[] DEFAULT NULL, forms jsonb DEFAULT NULL, filter text DEFAULT NULL, max_rows integer DEFAULT 1000,
    with_values boolean DEFAULT false, recheck_delay interval DEFAULT '10 s', rechecks integer DEFAULT 3,
        replay_timeout interval DEFAULT '60 s',
    workers integer DEFAULT NULL, remote_workers integer DEFAULT NULL, lock_timeout interval DEFAULT '10 s',
        statement_timeout interval DEFAULT NULL,
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
        'relation', relation, 'server', server, 'target_relation', target_relation, 'ranges', ranges, 'columns', columns, 'key_columns',
            key_columns,
        'forms', forms, 'filter', filter, 'max_rows', max_rows, 'with_values', with_values, 'recheck_delay', recheck_delay, 'rechecks',
            rechecks,
        'replay_timeout', replay_timeout, 'workers', workers, 'remote_workers', remote_workers, 'lock_timeout', lock_timeout,
        'statement_timeout', statement_timeout, 'allow_same_server', allow_same_server, 'callback', callback, 'fail', fail,
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
COMMENT ON PROCEDURE parity.verify(text, text, text, integer, text[], text[], jsonb, text, integer, boolean, interval, integer, interval, integer, integer, interval, interval, boolean, text, boolean, bigint, text) IS
    'compares a relation with the same on another cluster, which a foreign server for dblink names, records what differs and tells of it. Relation and callback are names, so that a call whose table is gone is recorded';

--
-- verify_schema: many tables in one run
--

-- A pattern as psql and pgparity have it: * is any characters, ? is one, dots divide database, schema and name, letters are folded to lower
-- case; double quotes take what is between them as it is, and two of them there are one; $ is itself, and whatever else regular expressions
-- have means that. A pattern without a dot is of any schema.
CREATE FUNCTION parity_internal.verify_pattern(pattern text, OUT schema_regex text, OUT name_regex text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on AS $$
DECLARE
    token text;
    parts text[] := '{""}';
    empty boolean[] := '{true}';
    piece text;
BEGIN
    FOR token IN SELECT t.found[1] FROM regexp_matches(pattern, '"(?:[^"]|"")*"?|\[\]|[^"]', 'g') AS t(found) LOOP
        IF token = '.' THEN
            parts := array_append(parts, '');
            empty := array_append(empty, true);
            CONTINUE;
        ELSIF left(token, 1) = '"' THEN
            IF length(replace(token, '"', '')) % 2 <> length(token) % 2 THEN
                RAISE EXCEPTION USING MESSAGE = format('"%s" is no pattern for tables: a quote is not closed', pattern), ERRCODE = '22023';
            END IF;
            piece := regexp_replace(replace(substr(token, 2, length(token) - 2), '""', '"'), '[|*+?()[\]{}.^$\\]', '\\\&', 'g');
        ELSE
            piece := CASE token WHEN '*' THEN '.*' WHEN '?' THEN '.' WHEN '$' THEN '\$' WHEN '[]' THEN '\[]'
                ELSE translate(token, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') END;
        END IF;
        parts[cardinality(parts)] := parts[cardinality(parts)] || piece;
        empty[cardinality(parts)] := false;
    END LOOP;
    IF true = ANY (empty) OR cardinality(parts) > 3 THEN
        RAISE EXCEPTION USING MESSAGE = format('"%s" is no pattern for tables', pattern), ERRCODE = '22023',
            HINT = 'A pattern is such as public.* or "Sales".orders_?.';
    ELSIF cardinality(parts) = 3 AND current_database() !~ ('^(' || parts[1] || ')$') THEN
        RAISE EXCEPTION USING MESSAGE = format('"%s" is no pattern for tables of this database', pattern), ERRCODE = '22023';
    END IF;
    schema_regex := '^(' || parts[cardinality(parts) - 1] || ')$';
    name_regex := '^(' || parts[cardinality(parts)] || ')$';
END
$$;
COMMENT ON FUNCTION parity_internal.verify_pattern(text) IS 'a pattern for tables as regular expressions; internal';

-- Those whose turn it is come first: never looked at before, else the longest ago. What counts is when a table was last tried as a
-- whole, so that one which fails every time does not keep the others from being reached. Partitions are compared with their table.
CREATE FUNCTION parity_internal.verify_relations(server text, patterns text[], exclude text[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off AS $$
#variable_conflict use_variable
DECLARE
    idle text;
    chosen jsonb;
BEGIN
    IF patterns IS NULL OR array_position(patterns, NULL) IS NOT NULL OR array_position(exclude, NULL) IS NOT NULL THEN
        RAISE EXCEPTION USING MESSAGE = 'patterns must not be NULL', ERRCODE = '22004';
    END IF;
    WITH candidate AS (
        SELECT c.oid, n.nspname, c.relname, format('%I.%I', n.nspname, c.relname) AS name
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
                          AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e')
          AND NOT EXISTS (SELECT FROM unnest(exclude) AS e(pattern), parity_internal.verify_pattern(e.pattern) x
                          WHERE (x.schema_regex IS NULL OR n.nspname ~ (x.schema_regex COLLATE "default"))
                            AND c.relname ~ (x.name_regex COLLATE "default"))
    ), matched AS (
        SELECT c.*, m.pattern FROM candidate c JOIN unnest(patterns) AS m(pattern) ON true, parity_internal.verify_pattern(m.pattern) x
        WHERE (x.schema_regex IS NULL OR c.nspname ~ (x.schema_regex COLLATE "default")) AND c.relname ~ (x.name_regex COLLATE "default")
    ), own AS (
        SELECT DISTINCT m.oid, m.name FROM matched m
        WHERE NOT EXISTS (SELECT FROM pg_partition_ancestors(m.oid) a(relid) JOIN matched p ON p.oid = a.relid WHERE a.relid <> m.oid)
    ), tried AS (
        SELECT t.relation, max(t.finished) AS at FROM parity.run_table t JOIN parity.run r ON r.id = t.run_id
        WHERE r.kind = 'verify' AND r.target = server AND t.status <> 'skipped'::text AND t.scope = '{}' GROUP BY 1
    )
    SELECT (SELECT jsonb_agg(jsonb_build_object('oid', o.oid, 'name', o.name) ORDER BY t.at NULLS FIRST, o.name COLLATE "C")
            FROM own o LEFT JOIN tried t ON t.relation = o.name),
           (SELECT string_agg(format('"%s"', p.pattern), ', ') FROM unnest(patterns) AS p(pattern) WHERE NOT EXISTS (SELECT FROM matched m
               WHERE m.pattern = p.pattern))
    INTO chosen, idle;
    IF idle IS NOT NULL OR chosen IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = coalesce('no table matches ' || idle, 'no pattern was given'), ERRCODE = '42P01';
    END IF;
    RETURN chosen;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_relations(text, text[], text[]) IS
    'the tables that patterns choose, in the order in which it is their turn; internal';

-- A budget bounds more than the start of a table: what differs is not waited for longer than there is time left. Two rechecks are always
-- made, since fewer could confirm little.
CREATE FUNCTION parity_internal.verify_within(ask jsonb, until timestamptz) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ask || jsonb_build_object(
        'replay_timeout', least((ask ->> 'replay_timeout')::float8, greatest(l.seconds - (ask ->> 'recheck_delay')::float8, 1)),
        'rechecks', least((ask ->> 'rechecks')::integer, greatest(2, floor(l.seconds / greatest(
            (ask ->> 'recheck_delay')::float8 + (ask ->> 'replay_timeout')::float8, 0.001)))))
    FROM (SELECT extract(epoch FROM until - clock_timestamp())::float8) AS l(seconds) WHERE until IS NOT NULL
    UNION ALL SELECT ask WHERE until IS NULL
$$;
COMMENT ON FUNCTION parity_internal.verify_within(jsonb, timestamptz) IS 'what was asked for, with waiting cut to the time that is left; internal';

-- The next table of a run over many: {"ask", "run", "left", "until", "statuses", "stop", "target_server"}. One that was dropped since the list was made is
-- passed over under the name that it had.
CREATE FUNCTION parity_internal.verify_next(work jsonb, OUT rest jsonb, OUT job jsonb)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    next jsonb;
    until timestamptz := work ->> 'until';
    ask jsonb;
    state text;
    message text;
    hint text;
BEGIN
    rest := work;
    LOOP
        next := rest -> 'left' -> 0;
        IF next IS NULL OR rest ? 'stop' THEN
            RETURN;
        ELSIF clock_timestamp() >= until THEN
            rest := rest || '{"stop": "not reached within the budget"}';
            RETURN;
        END IF;
        rest := jsonb_set(rest, '{left}', (rest -> 'left') - 0);
        BEGIN
            ask := parity_internal.verify_within(rest -> 'ask', until);
            IF EXISTS (SELECT FROM pg_class c WHERE c.oid = (next ->> 'oid')::oid) THEN
                job := parity_internal.verify_begin_table(ask, (rest ->> 'run')::bigint, (next ->> 'oid')::oid, 'table')
                       || jsonb_strip_nulls(jsonb_build_object('target_server', rest -> 'target_server'));
                RETURN;
            END IF;
        EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
            GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
            PERFORM parity_internal.verify_unlock();
            -- Unless it was dropped only just now, that is its result.
            IF state <> '42P01' OR EXISTS (SELECT FROM pg_class c WHERE c.oid = (next ->> 'oid')::oid) THEN
                job := parity_internal.verify_refused(rest -> 'ask', (rest ->> 'run')::bigint, next ->> 'name', '{}',
                                             jsonb_build_object('sqlstate', state, 'message', message, 'hint', hint)) - 'error';
                RETURN;
            END IF;
        END;
        PERFORM parity_internal.record_tables_skipped((rest ->> 'run')::bigint, ARRAY[next ->> 'name'], 'dropped meanwhile', '{"dropped": true}');
    END LOOP;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_next(jsonb) IS 'begins the next of many tables; internal';

-- Whether the same would happen with any other table.
CREATE FUNCTION parity_internal.verify_is_hopeless(job jsonb) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((job ->> 'hopeless')::boolean AND CASE job ->> 'sqlstate'
        WHEN '42704' THEN NOT EXISTS (SELECT FROM pg_user_mappings m WHERE m.srvname = job ->> 'server'
                                      AND (m.umuser = 0 OR m.usename = CURRENT_USER))
        WHEN '55000' THEN NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'dblink')
                          OR job ->> 'message' ~ '^extension "pg_parity" is not installed|^digests of format |another server now|is a pooler'
        ELSE true END, false)
$$;
COMMENT ON FUNCTION parity_internal.verify_is_hopeless(jsonb) IS 'whether what ended a job would end that of any other table; internal';

CREATE FUNCTION parity_internal.verify_note(work jsonb, job jsonb) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN job ->> 'left_out' = 'true' THEN work
                ELSE jsonb_set(work, '{statuses}', (work -> 'statuses') || (job -> 'status')) END
           || CASE WHEN NOT work ? 'target_server' AND job -> 'target_server' ? 'database'
                   THEN jsonb_build_object('target_server', job -> 'target_server') ELSE '{}' END
           || CASE WHEN job ->> 'status' = 'cancelled' THEN jsonb_build_object('stop', 'not reached before the run was cancelled',
               'sqlstate', job -> 'sqlstate', 'message', job -> 'message')
                   WHEN parity_internal.verify_is_hopeless(job)
                   THEN jsonb_build_object('stop', 'not tried: ' || parity_internal.record_message(job ->> 'sqlstate', job ->> 'message'))
                   ELSE '{}' END
           || CASE WHEN job ? 'callback_message' THEN jsonb_build_object('callback_message', job -> 'callback_message') ELSE '{}' END
$$;
COMMENT ON FUNCTION parity_internal.verify_note(jsonb, jsonb) IS 'notes how one of many tables ended; internal';

CREATE FUNCTION parity_internal.verify_end_schema(work jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    run bigint := work ->> 'run';
    result text := work ->> 'status';
    message text := work ->> 'message';
    left_over integer := jsonb_array_length(work -> 'left');
    told jsonb := work;
BEGIN
    IF left_over > 0 THEN
        PERFORM parity_internal.record_tables_skipped(run, ARRAY(SELECT l ->> 'name' FROM jsonb_array_elements(work -> 'left') l), work ->> 'stop');
    END IF;
    IF result IS NULL THEN
        SELECT s.status INTO result
        FROM unnest('{cancelled,divergent,failed,in_flight,incomplete,skipped,identical}'::text[]) WITH ORDINALITY AS s(status, no)
        WHERE work -> 'statuses' ? s.status ORDER BY s.no LIMIT 1;
        IF result = 'skipped' OR result IS NULL OR (result = 'identical' AND left_over > 0) THEN
            result := 'incomplete';
        END IF;
        message := CASE WHEN left_over > 0 THEN
            format('%s of %s tables %s', left_over, left_over + jsonb_array_length(work -> 'statuses'), work ->> 'stop') END;
    END IF;
    -- The callback hears of the run as a whole when listeners do.
    IF message IS NOT NULL OR NOT work -> 'statuses' ? result THEN
        told := parity_internal.verify_tell(work, parity_internal.record_payload(run, NULL) || jsonb_strip_nulls(jsonb_build_object(
            'status', result, 'sqlstate', work -> 'error' -> 'sqlstate',
            'message', CASE WHEN NOT work ? 'error' THEN left(message, 1000) END)));
    END IF;
    IF told ->> 'status' = 'cancelled' AND result <> 'cancelled' THEN  -- while the callback was at it
        result := 'cancelled';
        work := work - 'sqlstate' || jsonb_build_object('message', told -> 'callback_message');
    END IF;
    PERFORM parity_internal.record_run_finish(run, result, work -> 'error' ->> 'sqlstate',
                                     nullif(concat_ws('; ', message, told ->> 'callback_message'), ''));
    RETURN work || jsonb_build_object('status', result, 'message', coalesce(work ->> 'message', message));
END
$$;
COMMENT ON FUNCTION parity_internal.verify_end_schema(jsonb) IS 'ends the record of a run over many tables; internal';

CREATE FUNCTION parity_internal.verify_begin_schema(asked jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ask jsonb := parity_internal.verify_take_callback(asked);
    work jsonb := '{"left": [], "statuses": []}';
    state text;
    message text;
    hint text;
BEGIN
    PERFORM parity_internal.verify_leave_behind();
    PERFORM parity_internal.record_require_values(asked, '{server}');
    BEGIN
        ask := parity_internal.verify_check_options(ask);
        work := work || jsonb_build_object('until', clock_timestamp() + (ask ->> 'budget')::interval, 'left', parity_internal.verify_relations(
            ask ->> 'server', parity_internal.verify_list(asked -> 'patterns'), parity_internal.verify_list(asked -> 'exclude')));
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
        ask := ask || jsonb_build_object('error', jsonb_build_object('sqlstate', state, 'message', message, 'hint', hint));
    END;
    work := work || jsonb_build_object('ask', ask, 'run', parity_internal.verify_begin_run(ask, current_database()));
    IF ask ? 'error' THEN
        work := work || jsonb_build_object('left', '[]'::jsonb, 'error', ask -> 'error', 'sqlstate', ask -> 'error' -> 'sqlstate',
            'message', ask -> 'error' -> 'message', 'status', CASE state WHEN '57014' THEN 'cancelled' ELSE 'failed' END);
    END IF;
    RETURN work;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_begin_schema(jsonb) IS 'begins the run over many tables; internal';

CREATE FUNCTION parity_internal.verify_list(list jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE jsonb_typeof(list) WHEN 'array' THEN ARRAY(
        SELECT e.value FROM jsonb_array_elements_text(list) WITH ORDINALITY AS e(value, no) ORDER BY e.no) END
$$;
COMMENT ON FUNCTION parity_internal.verify_list(jsonb) IS 'a list of texts as an array, with its nulls; internal';

CREATE PROCEDURE parity.verify_schema(
    server text, patterns text[] DEFAULT '{public.*}', exclude text[] DEFAULT '{}', budget interval DEFAULT NULL,
        ranges integer DEFAULT NULL,
    max_rows integer DEFAULT 1000, with_values boolean DEFAULT false, recheck_delay interval DEFAULT '10 s', rechecks integer DEFAULT 3,
    replay_timeout interval DEFAULT '60 s', workers integer DEFAULT NULL, remote_workers integer DEFAULT NULL,
        lock_timeout interval DEFAULT '10 s',
    statement_timeout interval DEFAULT NULL, allow_same_server boolean DEFAULT false, callback text DEFAULT NULL,
        fail boolean DEFAULT false,
    INOUT run_id bigint DEFAULT NULL, INOUT result text DEFAULT NULL)
    LANGUAGE plpgsql AS $$
DECLARE
    work pg_catalog.jsonb;
    job pg_catalog.jsonb;
BEGIN
    PERFORM parity_internal.record_require_primary();
    COMMIT;  -- an error inside a transaction block, where nothing has been done yet
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE;
    work := parity_internal.verify_begin_schema(pg_catalog.jsonb_build_object(
        'server', server, 'patterns', patterns, 'exclude', exclude, 'budget', budget, 'ranges', ranges, 'max_rows', max_rows,
        'with_values', with_values, 'recheck_delay', recheck_delay, 'rechecks', rechecks, 'replay_timeout', replay_timeout,
        'workers', workers, 'remote_workers', remote_workers, 'lock_timeout', lock_timeout, 'statement_timeout', statement_timeout,
        'allow_same_server', allow_same_server, 'callback', callback, 'fail', fail, 'called', parity_internal.record_find_callback(callback)));
    run_id := pg_catalog.jsonb_extract_path_text(work, 'run')::pg_catalog.int8;
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE;
    LOOP
        SELECT n.rest, n.job INTO work, job FROM parity_internal.verify_next(work) n;
        EXIT WHEN job IS NULL;
        IF parity_internal.verify_is_at(job, 'done') THEN
            job := parity_internal.verify_call_back(job);
        ELSE
            CALL parity_internal.verify_table(job);
        END IF;
        work := parity_internal.verify_note(work, job);
        COMMIT;
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE;
    END LOOP;
    work := parity_internal.verify_end_schema(work);
    COMMIT;
    result := pg_catalog.jsonb_extract_path_text(work, 'status');
    PERFORM parity_internal.verify_raise(work, result);
END
$$;
COMMENT ON PROCEDURE parity.verify_schema(text, text[], text[], interval, integer, integer, boolean, interval, integer, interval, integer, integer, interval, interval, boolean, text, boolean, bigint, text) IS
    'verifies the tables that patterns choose in one run, those first whose turn it is, as many as a budget of time allows';

DO $revoke$
DECLARE
    internal record;
BEGIN
    FOR internal IN
        SELECT p.oid::pg_catalog.regprocedure AS name FROM pg_catalog.pg_proc p
        WHERE p.pronamespace OPERATOR(pg_catalog.=) ANY ('{parity,parity_internal}'::pg_catalog.regnamespace[]::pg_catalog.oid[])
          AND (p.proname OPERATOR(pg_catalog.=) 'verify'::pg_catalog.name OR p.proname::pg_catalog.text OPERATOR(pg_catalog.~~) 'verify\_%')
    LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', internal.name);
        EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO parity_operator', internal.name);
    END LOOP;
END
$revoke$;
