
--
-- records: writing them
--

CREATE FUNCTION parity_internal.record_check(run_id bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM parity.run r
    WHERE r.id = run_id AND r.finished IS NULL AND r.pid = pg_backend_pid() AND r.performer = SESSION_USER
      AND r.backend_start = (SELECT a.backend_start FROM pg_stat_activity a WHERE a.pid = pg_backend_pid());
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '55000',
            MESSAGE = format('run %s is not a run of this session that is going on', coalesce(run_id::text, '(none)'));
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.record_check(bigint) IS
    'an error (55000) unless this session has begun the run and not ended it';

CREATE FUNCTION parity_internal.record_require_end(status text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(status, 'running') = 'running' THEN
        RAISE EXCEPTION USING MESSAGE = format('status must not be %s where a record ends', coalesce(status, 'NULL')),
            ERRCODE = '22023';
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.record_require_end(text) IS 'an error (22023) for a status that is no end';

-- Shown are errors of the classes in which the server's texts name objects, settings and addresses at most, and errors
-- of the extension about arguments. The text of any other error may quote a value.
CREATE FUNCTION parity_internal.record_message(sqlstate text, message text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN sqlstate IS NULL OR message IS NULL
                     OR left(sqlstate, 2) = ANY ('{08,0A,25,26,28,2D,2F,3D,3F,40,42,53,54,55,57,58,PP}'::text[])
                     OR sqlstate = ANY ('{22012,XX000,XX001,XX002}'::text[])
                     OR sqlstate = ANY ('{22004,22023}'::text[])
                        AND message ~ ('^(on the target: )?(server "[^"]*" leads to '
                                       '|column "[^"]*" of type [^:]* (has no form|cannot be digested as) '
                                       '|cannot compare these digests: |[a-z_]+ must (not )?be '
                                       '|".*" is no pattern for tables)')
                THEN message
                ELSE format('error %s; parity.run_error has its text, which may quote a value', left(sqlstate, 5)) END
$$;
COMMENT ON FUNCTION parity_internal.record_message(text, text) IS
    'what everybody who reads records may read of an error';

CREATE FUNCTION parity_internal.record_error(run_id bigint, run_table_id bigint, sqlstate text, message text)
    RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    shown text := parity_internal.record_message(sqlstate, message);
BEGIN
    PERFORM parity_internal.record_check(run_id);
    IF shown <> message THEN
        INSERT INTO parity.run_error (run_id, run_table_id, sqlstate, message)
        VALUES (run_id, run_table_id, left(sqlstate, 5), message);
    END IF;
    RETURN shown;
END
$$;
COMMENT ON FUNCTION parity_internal.record_error(bigint, bigint, text, text) IS
    'keeps the text of an error apart if it may quote a value, and gives what may be shown of it';

-- A result about rows that its author may not read would be worth nothing. The role that logged in, or that it has set,
-- must have the privilege.
CREATE FUNCTION parity_internal.record_may_read(relation text, scope jsonb) RETURNS boolean
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found oid;
BEGIN
    BEGIN
        found := to_regclass(relation);
    EXCEPTION WHEN invalid_name OR syntax_error OR feature_not_supported THEN
        RETURN true;  -- the name of something elsewhere
    END;
    RETURN found IS NULL OR coalesce((
        SELECT bool_or(has_table_privilege(r.oid, found, 'SELECT')
                       OR scope ?| '{columns,without_columns}' AND has_any_column_privilege(r.oid, found, 'SELECT'))
        FROM pg_roles r WHERE r.rolname IN (SESSION_USER, current_setting('role'))), true);
END
$$;
COMMENT ON FUNCTION parity_internal.record_may_read(text, jsonb) IS
    'whether the caller may read a relation of this name, or there is none';

CREATE FUNCTION parity_internal.record_require_read(relation text, scope jsonb) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT parity_internal.record_may_read(relation, scope) THEN
        RAISE EXCEPTION USING MESSAGE = format('permission denied for relation %s', relation), ERRCODE = '42501',
            HINT = 'What is recorded about rows takes SELECT on the relation of this name in this database.';
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.record_require_read(text, jsonb) IS 'an error (42501) unless it may';

CREATE FUNCTION parity_internal.record_dead_runs() RETURNS integer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    dead record;
    reason text;
    part bigint;
    told boolean;
    ended integer := 0;
BEGIN
    FOR dead IN
        SELECT r.id, r.pid, r.backend_start FROM parity.run r
        WHERE r.finished IS NULL AND NOT parity_internal.record_goes_on(r.id)
        FOR UPDATE SKIP LOCKED
    LOOP
        reason := CASE WHEN EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = dead.pid
                                    AND coalesce(a.backend_start = dead.backend_start, true))
                       THEN 'its session broke it off' ELSE 'its session ended before it did' END;
        UPDATE parity.run SET status = 'died', finished = clock_timestamp(), message = reason WHERE id = dead.id;
        told := false;
        FOR part IN
            UPDATE parity.run_table SET status = 'died', finished = clock_timestamp(), phase = NULL, message = reason
            WHERE run_id = dead.id AND finished IS NULL RETURNING id
        LOOP
            PERFORM parity_internal.record_tell(dead.id, part);
            told := true;
        END LOOP;
        IF NOT told THEN
            PERFORM parity_internal.record_tell(dead.id, NULL);
        END IF;
        ended := ended + 1;
    END LOOP;
    RETURN ended;
END
$$;
COMMENT ON FUNCTION parity_internal.record_dead_runs() IS
    'marks the runs whose session is gone, or has broken them off, as died, tells of each, and gives their number; '
    'every run does it when it starts';

CREATE FUNCTION parity_internal.record_run_start(
    kind text, source text, target text, tool text, options jsonb DEFAULT '{}', in_statement boolean DEFAULT false)
    RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made bigint;
BEGIN
    -- A session has one run at a time. An older run of this session ended between two steps, without a record of its
    -- end.
    UPDATE parity.run r SET backend_start = NULL WHERE r.finished IS NULL AND r.pid = pg_backend_pid();
    PERFORM parity_internal.record_dead_runs();
    INSERT INTO parity.run (kind, source, target, tool, options, backend_start, statement_start)
    SELECT kind, source, target, tool, options, a.backend_start,
        CASE WHEN in_statement AND a.state = 'active' THEN a.query_start END
    FROM pg_stat_activity a WHERE a.pid = pg_backend_pid()
    RETURNING id INTO made;
    RETURN made;
END
$$;
COMMENT ON FUNCTION parity_internal.record_run_start(text, text, text, text, jsonb, boolean) IS
    'begins the record of a run of this session and gives its number; commit at once, so that others see it. '
    'in_statement: the run is over when the statement is that the session runs now';

-- A word may be a keyword in one version only. So the program that records may quote a name that this server would not
-- quote.
CREATE FUNCTION parity_internal.record_spelled(name text) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parts text[];
BEGIN
    parts := parse_ident(name);
    RETURN CASE cardinality(parts) WHEN 2 THEN parity_internal.record_quoted(parts) ELSE name END;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN name;
END
$$;
COMMENT ON FUNCTION parity_internal.record_spelled(text) IS
    'a qualified name, quoted where it must be here; what is none, as it is';

CREATE FUNCTION parity_internal.record_table_start(
    run_id bigint, relation text, target_relation text, scope jsonb DEFAULT '{}') RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made bigint;
BEGIN
    PERFORM parity_internal.record_check(run_id);
    INSERT INTO parity.run_table (run_id, relation, target_relation, scope)
    VALUES (run_id, parity_internal.record_spelled(relation), parity_internal.record_spelled(target_relation),
            coalesce(scope, '{}') || CASE WHEN scope ? 'target_relation' THEN jsonb_build_object(
                'target_relation', parity_internal.record_spelled(scope ->> 'target_relation')) ELSE '{}' END)
    RETURNING id INTO made;
    RETURN made;
END
$$;
COMMENT ON FUNCTION parity_internal.record_table_start(bigint, text, text, jsonb) IS
    'begins the record of one table of a run and gives its number; scope: as in parity.run_table';

CREATE FUNCTION parity_internal.record_table_phase(run_table_id bigint, phase text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    PERFORM parity_internal.record_check((SELECT t.run_id FROM parity.run_table t WHERE t.id = run_table_id));
    UPDATE parity.run_table t SET phase = record_table_phase.phase WHERE t.id = run_table_id;
END
$$;
COMMENT ON FUNCTION parity_internal.record_table_phase(bigint, text) IS
    'what a run does with a table just now, for parity.status';

CREATE FUNCTION parity_internal.record_divergences(run_table_id bigint, findings jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    PERFORM parity_internal.record_check((SELECT t.run_id FROM parity.run_table t WHERE t.id = run_table_id));
    INSERT INTO parity.divergence (run_table_id, kind, state, key, columns, occurrences, source_values, target_values)
    SELECT record_divergences.run_table_id, d.kind, d.state, d.key, d.columns, coalesce(d.occurrences, 1),
        d.source_values, d.target_values
    FROM jsonb_to_recordset(findings) AS d(
        kind text, state text, key jsonb, columns text[], occurrences bigint, source_values jsonb, target_values jsonb);
END
$$;
COMMENT ON FUNCTION parity_internal.record_divergences(bigint, jsonb) IS
    'records differences of one table: a list of objects with the columns of parity.divergence';

CREATE FUNCTION parity_internal.record_table_finish(run_table_id bigint, status text, facts jsonb DEFAULT '{}')
    RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    part parity.run_table%ROWTYPE;
BEGIN
    SELECT * INTO part FROM parity.run_table t WHERE t.id = run_table_id;
    PERFORM parity_internal.record_check(part.run_id);
    PERFORM parity_internal.record_require_end(status);
    IF status IN ('identical', 'divergent', 'in_flight') THEN
        PERFORM parity_internal.record_require_read(part.relation, part.scope);
    END IF;
    part := jsonb_populate_record(part, facts - '{id,run_id,relation,target_relation,scope,started}'::text[]);
    part.message := parity_internal.record_error(part.run_id, run_table_id, part.sqlstate, part.message);
    UPDATE parity.run_table t SET
        status = record_table_finish.status, finished = clock_timestamp(), phase = NULL,
        source_rows = part.source_rows, target_rows = part.target_rows, ranges = part.ranges,
        divergent_ranges = part.divergent_ranges, divergent_rows = part.divergent_rows,
        in_flight_rows = part.in_flight_rows, cleared_rows = part.cleared_rows, unnamed_ranges = part.unnamed_ranges,
        divergent_columns = part.divergent_columns, source_lsn = part.source_lsn, target_lsn = part.target_lsn,
        not_compared = part.not_compared, details = part.details, sqlstate = part.sqlstate, message = part.message
    WHERE t.id = run_table_id;
    PERFORM parity_internal.record_tell(part.run_id, run_table_id);
END
$$;
COMMENT ON FUNCTION parity_internal.record_table_finish(bigint, text, jsonb) IS
    'ends the record of one table: its status and, as an object, the columns of parity.run_table; tells of it. A '
    'status about rows takes SELECT on the table, where there is one of its name';

CREATE FUNCTION parity_internal.record_table_again(run_table_id bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    PERFORM parity_internal.record_check((SELECT t.run_id FROM parity.run_table t WHERE t.id = run_table_id));
    DELETE FROM parity.divergence d WHERE d.run_table_id = record_table_again.run_table_id;
    UPDATE parity.run_table t SET status = 'running', finished = NULL WHERE t.id = run_table_id;
END
$$;
COMMENT ON FUNCTION parity_internal.record_table_again(bigint) IS
    'a table whose record was ended is compared once more: what was recorded of it counts no more';

CREATE FUNCTION parity_internal.record_tables_skipped(
    run_id bigint, relations text[], message text, details jsonb DEFAULT '{}') RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    PERFORM parity_internal.record_check(run_id);
    INSERT INTO parity.run_table (run_id, relation, target_relation, status, finished, message, details)
    SELECT run_id, r.name, r.name, 'skipped', clock_timestamp(), message, details FROM unnest(relations) AS r(name);
END
$$;
COMMENT ON FUNCTION parity_internal.record_tables_skipped(bigint, text[], text, jsonb) IS
    'records tables that a run did not come to; nothing is told of each, which the run does as a whole. {"dropped": '
    'true} among details: the table is gone, and parity.status does not show it. {"left_out": true}: it is no part of '
    'the result, and parity.status shows it as that';

CREATE FUNCTION parity_internal.record_run_finish(
    run_id bigint, status text, sqlstate text DEFAULT NULL, message text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    told boolean;
    shown text;
    worst text;
    -- A table whose record was not ended has no result about rows.
    broken_off CONSTANT boolean := status IN ('identical', 'divergent', 'in_flight', 'skipped');
BEGIN
    PERFORM parity_internal.record_check(run_id);
    PERFORM parity_internal.record_require_end(status);
    shown := parity_internal.record_error(run_id, NULL, sqlstate, message);
    UPDATE parity.run_table t SET status = CASE WHEN broken_off THEN 'incomplete' ELSE record_run_finish.status END,
        finished = clock_timestamp(), phase = NULL, sqlstate = record_run_finish.sqlstate,
        message = CASE WHEN broken_off THEN concat_ws('; ', 'the run ended without a result for it', shown)
                       ELSE shown END
    WHERE t.run_id = record_run_finish.run_id AND t.finished IS NULL;
    -- The status of a run is not better than those of its tables. A run of which some tables failed may be called
    -- incomplete.
    SELECT w.status INTO worst FROM unnest(CASE status
        WHEN 'in_flight' THEN '{divergent}' WHEN 'incomplete' THEN '{divergent,in_flight}'
        WHEN 'identical' THEN '{cancelled,divergent,failed,died,in_flight,incomplete,skipped}'
        WHEN 'skipped' THEN '{cancelled,divergent,failed,died,in_flight,incomplete}'
        ELSE '{}' END::text[]) WITH ORDINALITY AS w(status, no)
    WHERE EXISTS (
        SELECT FROM parity.run_table t
        WHERE t.run_id = record_run_finish.run_id AND t.status = w.status AND NOT t.details ?| '{dropped,left_out}')
    ORDER BY w.no LIMIT 1;
    status := CASE worst WHEN 'skipped' THEN 'incomplete' ELSE coalesce(worst, status) END;
    SELECT EXISTS (
        SELECT FROM parity.run_table t
        WHERE t.run_id = record_run_finish.run_id AND t.status = record_run_finish.status) INTO told;
    UPDATE parity.run r SET
        status = record_run_finish.status, finished = clock_timestamp(), sqlstate = record_run_finish.sqlstate,
        message = shown
    WHERE r.id = run_id;
    -- The records of its tables have sent their notices.
    IF NOT told OR message IS NOT NULL THEN
        PERFORM parity_internal.record_tell(run_id, NULL);
    END IF;
    PERFORM parity_internal.record_trim();
END
$$;
COMMENT ON FUNCTION parity_internal.record_run_finish(bigint, text, text, text) IS
    'ends the record of a run, as the status says or worse if a table has a worse one, and of its tables that were not '
    'ended (incomplete, where the run has a result about rows); removes records older than parity.history_days';
