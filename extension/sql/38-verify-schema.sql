
--
-- verify_schema: many tables in one run
--

-- A pattern as psql and pgparity have it. * is any characters, ? is one. Dots divide database, schema and name. Letters
-- are folded to lower case. Double quotes take what is between them as it is; two of them there are one. $ is itself.
-- Whatever else regular expressions have keeps its meaning. A pattern without a dot is of any schema.
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
                RAISE EXCEPTION USING MESSAGE = format('"%s" is no pattern for tables: a quote is not closed', pattern),
                    ERRCODE = '22023';
            END IF;
            piece := regexp_replace(
                replace(substr(token, 2, length(token) - 2), '""', '"'), '[|*+?()[\]{}.^$\\]', '\\\&', 'g');
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
        RAISE EXCEPTION USING MESSAGE = format('"%s" is no pattern for tables of this database', pattern),
            ERRCODE = '22023';
    END IF;
    schema_regex := '^(' || parts[cardinality(parts) - 1] || ')$';
    name_regex := '^(' || parts[cardinality(parts)] || ')$';
END
$$;
COMMENT ON FUNCTION parity_internal.verify_pattern(text) IS 'a pattern for tables as regular expressions';

-- The tables whose turn it is come first: those that no run has tried, then those whose last try is the longest ago.
-- Only tries of the whole table count. A table that fails every time comes late again, and does not keep the others
-- from being reached. Partitions are compared with their table.
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
        WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
          AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
          AND NOT EXISTS (SELECT FROM pg_depend d
                          WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
                            AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e')
          AND NOT EXISTS (SELECT FROM unnest(exclude) AS e(pattern), parity_internal.verify_pattern(e.pattern) x
                          WHERE (x.schema_regex IS NULL OR n.nspname ~ (x.schema_regex COLLATE "default"))
                            AND c.relname ~ (x.name_regex COLLATE "default"))
    ), matched AS (
        SELECT c.*, m.pattern
        FROM candidate c JOIN unnest(patterns) AS m(pattern) ON true, parity_internal.verify_pattern(m.pattern) x
        WHERE (x.schema_regex IS NULL OR c.nspname ~ (x.schema_regex COLLATE "default"))
          AND c.relname ~ (x.name_regex COLLATE "default")
    ), own AS (
        SELECT DISTINCT m.oid, m.name FROM matched m
        WHERE NOT EXISTS (SELECT FROM pg_partition_ancestors(m.oid) a(relid) JOIN matched p ON p.oid = a.relid
                          WHERE a.relid <> m.oid)
    ), tried AS (
        SELECT t.relation, max(t.finished) AS at FROM parity.run_table t JOIN parity.run r ON r.id = t.run_id
        WHERE r.kind = 'verify' AND r.target = server AND t.status <> 'skipped'::text AND t.scope = '{}' GROUP BY 1
    )
    SELECT (SELECT jsonb_agg(jsonb_build_object('oid', o.oid, 'name', o.name)
                             ORDER BY t.at NULLS FIRST, o.name COLLATE "C")
            FROM own o LEFT JOIN tried t ON t.relation = o.name),
           (SELECT string_agg(format('"%s"', p.pattern), ', ') FROM unnest(patterns) AS p(pattern)
            WHERE NOT EXISTS (SELECT FROM matched m WHERE m.pattern = p.pattern))
    INTO chosen, idle;
    IF idle IS NOT NULL OR chosen IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = coalesce('no table matches ' || idle, 'no pattern was given'),
            ERRCODE = '42P01';
    END IF;
    RETURN chosen;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_relations(text, text[], text[]) IS
    'the tables that patterns choose, in the order in which it is their turn';

-- A budget also bounds how long differences are waited for. Two rechecks are always made, because fewer could confirm
-- little.
CREATE FUNCTION parity_internal.verify_within(ask jsonb, until timestamptz) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ask || jsonb_build_object(
        'replay_timeout', least((ask ->> 'replay_timeout')::float8,
                                greatest(l.seconds - (ask ->> 'recheck_delay')::float8, 1)),
        'rechecks', least((ask ->> 'rechecks')::integer, greatest(2, floor(l.seconds / greatest(
            (ask ->> 'recheck_delay')::float8 + (ask ->> 'replay_timeout')::float8, 0.001)))))
    FROM (SELECT extract(epoch FROM until - clock_timestamp())::float8) AS l(seconds) WHERE until IS NOT NULL
    UNION ALL SELECT ask WHERE until IS NULL
$$;
COMMENT ON FUNCTION parity_internal.verify_within(jsonb, timestamptz) IS
    'what was asked for, with waiting cut to the time that is left';

-- Begins the next table of a run over many: {"ask", "run", "left", "until", "statuses", "stop", "target_server"}. A
-- table that was dropped since the list was made is recorded as skipped, under the name that it had.
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
            -- This is the table's result, unless it was dropped only just now.
            IF state <> '42P01' OR EXISTS (SELECT FROM pg_class c WHERE c.oid = (next ->> 'oid')::oid) THEN
                job := parity_internal.verify_refused(rest -> 'ask', (rest ->> 'run')::bigint, next ->> 'name', '{}',
                    jsonb_build_object('sqlstate', state, 'message', message, 'hint', hint)) - 'error';
                RETURN;
            END IF;
        END;
        PERFORM parity_internal.record_tables_skipped((rest ->> 'run')::bigint, ARRAY[next ->> 'name'],
            'dropped meanwhile', '{"dropped": true}');
    END LOOP;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_next(jsonb) IS 'begins the next of many tables';

-- Whether the same would happen with any other table.
CREATE FUNCTION parity_internal.verify_is_hopeless(job jsonb) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((job ->> 'hopeless')::boolean AND CASE job ->> 'sqlstate'
        WHEN '42704' THEN NOT EXISTS (SELECT FROM pg_user_mappings m WHERE m.srvname = job ->> 'server'
                                      AND (m.umuser = 0 OR m.usename = CURRENT_USER))
        WHEN '55000' THEN NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'dblink')
                          OR job ->> 'message' ~ '^extension "pg_parity" is not installed|^digests of format '
                                                 '|another server now|is a pooler'
        ELSE true END, false)
$$;
COMMENT ON FUNCTION parity_internal.verify_is_hopeless(jsonb) IS
    'whether what ended a job would end that of any other table';

CREATE FUNCTION parity_internal.verify_note(work jsonb, job jsonb) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN job ->> 'left_out' = 'true' THEN work
                ELSE jsonb_set(work, '{statuses}', (work -> 'statuses') || (job -> 'status')) END
           || CASE WHEN NOT work ? 'target_server' AND job -> 'target_server' ? 'database'
                   THEN jsonb_build_object('target_server', job -> 'target_server') ELSE '{}' END
           || CASE WHEN job ->> 'status' = 'cancelled'
                   THEN jsonb_build_object('stop', 'not reached before the run was cancelled',
                                           'sqlstate', job -> 'sqlstate', 'message', job -> 'message')
                   WHEN parity_internal.verify_is_hopeless(job)
                   THEN jsonb_build_object(
                       'stop', format('not tried, for the same reason as %s', job ->> 'name'),
                       'reason', 'not tried: ' || parity_internal.record_message(job ->> 'sqlstate', job ->> 'message'))
                   ELSE '{}' END
           || CASE WHEN job ? 'callback_message'
                   THEN jsonb_build_object('callback_message', job -> 'callback_message') ELSE '{}' END
$$;
COMMENT ON FUNCTION parity_internal.verify_note(jsonb, jsonb) IS 'notes how one of many tables ended';

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
        PERFORM parity_internal.record_tables_skipped(run,
            ARRAY(SELECT l ->> 'name' FROM jsonb_array_elements(work -> 'left') l), work ->> 'stop');
    END IF;
    IF result IS NULL THEN
        SELECT s.status INTO result
        FROM unnest('{cancelled,divergent,failed,in_flight,incomplete,skipped,identical}'::text[])
            WITH ORDINALITY AS s(status, no)
        WHERE work -> 'statuses' ? s.status ORDER BY s.no LIMIT 1;
        IF result = 'skipped' OR result IS NULL OR (result = 'identical' AND left_over > 0) THEN
            result := 'incomplete';
        END IF;
        message := CASE WHEN left_over > 0 THEN format(
            '%s of %s tables %s', left_over, left_over + jsonb_array_length(work -> 'statuses'),
            coalesce(work ->> 'reason', work ->> 'stop')) END;
    END IF;
    -- The callback is called for the run as a whole when NOTIFY is sent for it.
    IF message IS NOT NULL OR NOT work -> 'statuses' ? result THEN
        told := parity_internal.verify_tell(work,
            parity_internal.record_payload(run, NULL) || jsonb_strip_nulls(jsonb_build_object(
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
COMMENT ON FUNCTION parity_internal.verify_end_schema(jsonb) IS 'ends the record of a run over many tables';

CREATE FUNCTION parity_internal.verify_list(list jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE jsonb_typeof(list) WHEN 'array' THEN ARRAY(
        SELECT e.value FROM jsonb_array_elements_text(list) WITH ORDINALITY AS e(value, no) ORDER BY e.no) END
$$;
COMMENT ON FUNCTION parity_internal.verify_list(jsonb) IS 'a list of texts as an array, with its nulls';

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
        work := work || jsonb_build_object('until', clock_timestamp() + (ask ->> 'budget')::interval,
            'left', parity_internal.verify_relations(
                ask ->> 'server', parity_internal.verify_list(asked -> 'patterns'),
                parity_internal.verify_list(asked -> 'exclude')));
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
        ask := ask || jsonb_build_object(
            'error', jsonb_build_object('sqlstate', state, 'message', message, 'hint', hint));
    END;
    work := work || jsonb_build_object('ask', ask, 'run', parity_internal.verify_begin_run(ask, current_database()));
    IF ask ? 'error' THEN
        work := work || jsonb_build_object('left', '[]'::jsonb, 'error', ask -> 'error',
            'sqlstate', ask -> 'error' -> 'sqlstate', 'message', ask -> 'error' -> 'message',
            'status', CASE state WHEN '57014' THEN 'cancelled' ELSE 'failed' END);
    END IF;
    RETURN work;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_begin_schema(jsonb) IS 'begins the run over many tables';

CREATE PROCEDURE parity.verify_schema(
    server text, patterns text[] DEFAULT '{public.*}', exclude text[] DEFAULT '{}', budget interval DEFAULT NULL,
    ranges integer DEFAULT NULL, max_rows integer DEFAULT 1000, with_values boolean DEFAULT false,
    recheck_delay interval DEFAULT '10 s', rechecks integer DEFAULT 3, replay_timeout interval DEFAULT '60 s',
    workers integer DEFAULT NULL, remote_workers integer DEFAULT NULL, lock_timeout interval DEFAULT '10 s',
    statement_timeout interval DEFAULT NULL, allow_same_server boolean DEFAULT false, callback text DEFAULT NULL,
    fail boolean DEFAULT false, INOUT run_id bigint DEFAULT NULL, INOUT result text DEFAULT NULL)
    LANGUAGE plpgsql AS $$
DECLARE
    work pg_catalog.jsonb;
    job pg_catalog.jsonb;
BEGIN
    PERFORM parity_internal.record_require_primary();
    COMMIT;  -- an error inside a transaction block, where nothing has been done yet
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE;
    work := parity_internal.verify_begin_schema(pg_catalog.jsonb_build_object(
        'server', server, 'patterns', patterns, 'exclude', exclude, 'budget', budget, 'ranges', ranges,
        'max_rows', max_rows, 'with_values', with_values, 'recheck_delay', recheck_delay, 'rechecks', rechecks,
        'replay_timeout', replay_timeout, 'workers', workers, 'remote_workers', remote_workers,
        'lock_timeout', lock_timeout, 'statement_timeout', statement_timeout, 'allow_same_server', allow_same_server,
        'callback', callback, 'fail', fail, 'called', parity_internal.record_find_callback(callback)));
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
COMMENT ON PROCEDURE parity.verify_schema(text, text[], text[], interval, integer, integer, boolean, interval, integer,
    interval, integer, integer, interval, interval, boolean, text, boolean, bigint, text) IS
    'verifies the tables that patterns choose in one run, those first whose turn it is, as many as a budget of time '
    'allows';

DO $revoke$
DECLARE
    internal record;
BEGIN
    FOR internal IN
        SELECT p.oid::pg_catalog.regprocedure AS name FROM pg_catalog.pg_proc p
        WHERE p.pronamespace
                  OPERATOR(pg_catalog.=) ANY ('{parity,parity_internal}'::pg_catalog.regnamespace[]::pg_catalog.oid[])
          AND (p.proname OPERATOR(pg_catalog.=) 'verify'::pg_catalog.name
               OR p.proname::pg_catalog.text OPERATOR(pg_catalog.~~) 'verify\_%')
    LOOP
        EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', internal.name);
        EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO parity_operator', internal.name);
    END LOOP;
END
$revoke$;
