
--
-- scheduling with pg_cron
--

CREATE FUNCTION parity_internal.schedule_command(relation regclass, server text, label text, options jsonb) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    called regproc;
    arguments text[];
    unknown text;
    name CONSTANT text := parity_internal.baseline_name(relation);
BEGIN
    IF name IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = format('"%s" is a temporary table', relation), ERRCODE = '0A000',
            DETAIL = 'A job runs in another session, which has no such table.';
    END IF;
    IF jsonb_typeof(options) <> 'object' THEN
        RAISE EXCEPTION USING MESSAGE = 'options must be an object from names of arguments to their values',
            ERRCODE = '22023';
    END IF;
    SELECT p.oid, p.proargnames INTO called, arguments FROM pg_proc p
    WHERE p.pronamespace = 'parity'::regnamespace AND p.prokind = 'p'
      AND p.proname = CASE WHEN label IS NULL THEN 'verify' ELSE 'verify_baseline' END;
    SELECT o.key INTO unknown FROM jsonb_object_keys(options) AS o(key)
    WHERE o.key <> ALL (arguments) OR o.key IN ('relation', 'server', 'label', 'run_id', 'result') LIMIT 1;
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION USING MESSAGE = format('%s has no option "%s"', called, unknown), ERRCODE = '22023';
    END IF;
    RETURN format('CALL %s(%L', called, name)
        || format(CASE WHEN label IS NULL THEN ', server => %L' ELSE ', label => %L' END, coalesce(label, server))
        || coalesce((
            SELECT string_agg(format(', %I => %L', o.key, CASE jsonb_typeof(o.value)
                WHEN 'array' THEN ARRAY(SELECT jsonb_array_elements_text(o.value))::text ELSE o.value #>> '{}' END), ''
                ORDER BY o.key)
            FROM jsonb_each(options) AS o), '') || ')';
END
$$;
COMMENT ON FUNCTION parity_internal.schedule_command(regclass, text, text, jsonb) IS
    'the CALL that verifies a table against a server or a baseline';

-- A job that can only fail would be noticed at night. So its target must be there when it is scheduled.
CREATE FUNCTION parity_internal.schedule_require_target(
    relation regclass, server text, label text, options jsonb) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name CONSTANT text := coalesce(options ->> 'captured_as', parity_internal.baseline_name(relation));
BEGIN
    IF server IS NOT NULL THEN
        PERFORM parity_internal.verify_require_server(server);
    ELSIF label IS NOT NULL AND NOT EXISTS (
        SELECT FROM parity.baseline b WHERE b.relation = name AND b.label = schedule_require_target.label) THEN
        RAISE EXCEPTION USING MESSAGE = format('%s has no baseline "%s"', name, label), ERRCODE = '42704',
            HINT = 'SELECT parity.capture(relation, label) makes one.';
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.schedule_require_target(regclass, text, text, jsonb) IS
    'an error unless there is what a table is to be verified against';

CREATE FUNCTION parity_internal.schedule_require(job_name text, schedule text, command text) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    home text;
BEGIN
    IF EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'pg_cron') THEN
        RETURN;
    END IF;
    BEGIN
        home := current_setting('cron.database_name', true);
    EXCEPTION WHEN insufficient_privilege THEN
        home := '';  -- there is one, which not everybody may know
    END;
    RAISE EXCEPTION USING MESSAGE = 'pg_cron is not in this database', ERRCODE = '0A000',
        DETAIL = CASE
            WHEN home IS NULL THEN 'The server has not loaded it: shared_preload_libraries does not name it.'
            WHEN home = current_database() THEN 'It can be created here.'
            WHEN home = '' THEN 'It can only be in one database of the cluster (cron.database_name).'
            ELSE format('It can only be in the database "%s" (cron.database_name).', home) END,
        HINT = CASE
            WHEN home IS NULL THEN 'Any other scheduler can run the CALL as well.'
            WHEN home = current_database() THEN 'CREATE EXTENSION pg_cron'
            WHEN command IS NULL THEN format('There: SELECT cron.unschedule(%L)', job_name)
            ELSE format('There: SELECT cron.schedule_in_database(%L, %L, %L, %L)', job_name, schedule, command,
                current_database()) END;
END
$$;
COMMENT ON FUNCTION parity_internal.schedule_require(text, text, text) IS
    'an error unless pg_cron is in this database, which tells where it is and what to do there';

CREATE FUNCTION parity.schedule(
    job_name text, schedule text, command text DEFAULT NULL, relation regclass DEFAULT NULL, server text DEFAULT NULL,
    label text DEFAULT NULL, options jsonb DEFAULT '{}') RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    scheduled text := command;
    job bigint;
BEGIN
    PERFORM parity_internal.record_require_values(jsonb_build_object('job_name', job_name, 'schedule', schedule),
        '{job_name,schedule}');
    IF num_nonnulls(command, relation) <> 1 OR num_nonnulls(server, label) <> num_nonnulls(relation) THEN
        RAISE EXCEPTION USING ERRCODE = '22023',
            MESSAGE = 'either a command must be given, or a relation with a server or a baseline''s label';
    END IF;
    IF relation IS NOT NULL THEN
        scheduled := parity_internal.schedule_command(relation, server, label, options);
        PERFORM parity_internal.schedule_require_target(relation, server, label, options);
    END IF;
    PERFORM parity_internal.schedule_require(job_name, schedule, scheduled);
    EXECUTE format('SELECT cron.schedule(%L, %L, %L)', job_name, schedule, scheduled) INTO job;
    RETURN job;
END
$$;
COMMENT ON FUNCTION parity.schedule(text, text, text, regclass, text, text, jsonb) IS
    'schedules a command with pg_cron, or the CALL that verifies a relation against a server (parity.verify) or the '
    'baseline with a label (parity.verify_baseline) with these options; gives the job''s number';

CREATE FUNCTION parity.unschedule(job_name text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    done boolean;
BEGIN
    PERFORM parity_internal.schedule_require(job_name, NULL, NULL);
    EXECUTE format('SELECT cron.unschedule(%L)', job_name) INTO done;
    RETURN done;
END
$$;
COMMENT ON FUNCTION parity.unschedule(text) IS 'ends a job of pg_cron by its name';

REVOKE ALL ON FUNCTION
    parity_internal.schedule_command(regclass, text, text, jsonb),
    parity_internal.schedule_require_target(regclass, text, text, jsonb),
    parity_internal.schedule_require(text, text, text),
    parity.schedule(text, text, text, regclass, text, text, jsonb), parity.unschedule(text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    parity_internal.schedule_command(regclass, text, text, jsonb),
    parity_internal.schedule_require_target(regclass, text, text, jsonb),
    parity_internal.schedule_require(text, text, text),
    parity.schedule(text, text, text, regclass, text, text, jsonb), parity.unschedule(text)
    TO parity_operator;
