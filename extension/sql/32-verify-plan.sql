
--
-- verify: what both sides have, and what of it can be compared
--

CREATE FUNCTION parity_internal.verify_facts_query(target text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format($query$SELECT jsonb_build_object(
        'extension', (SELECT extversion FROM pg_extension WHERE extname = 'pg_parity'),
        'control', has_function_privilege('pg_control_system()', 'EXECUTE'),
        'recovery', pg_is_in_recovery(), 'started', pg_postmaster_start_time(),
        'database', (SELECT oid FROM pg_database WHERE datname = current_database()),
        'relation', to_regclass(%1$L)::oid,
        'lacking', pg_is_in_recovery() AND coalesce(
            (SELECT bool_and(c.relpersistence = 'u') FROM pg_partition_tree(to_regclass(%1$L)) p
                JOIN pg_class c ON c.oid = p.relid
             WHERE p.isleaf),
            (SELECT c.relpersistence = 'u' FROM pg_class c WHERE c.oid = to_regclass(%1$L))),
        'subscriptions', (
            SELECT coalesce(
                jsonb_agg(jsonb_build_object('name', s.subname, 'slot', s.subslotname, 'enabled', s.subenabled)), '[]')
            FROM pg_subscription s
            WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND EXISTS (
                SELECT FROM pg_subscription_rel r JOIN pg_stat_subscription t ON t.subid = r.srsubid
                WHERE t.subname = s.subname AND (r.srrelid = to_regclass(%1$L) OR r.srrelid IN (
                    SELECT p.relid FROM pg_partition_tree(to_regclass(%1$L)) p UNION SELECT a.relid
                        FROM pg_partition_ancestors(to_regclass(%1$L)) a(relid)))))
        )::text$query$, target)
$$;
COMMENT ON FUNCTION parity_internal.verify_facts_query(text) IS
    'asks a side what it is, and whether a subscription brings it the relation';

-- Only rows of the heap have versions. Other access methods and foreign tables have something else in their place.
CREATE FUNCTION parity_internal.verify_relation_query(name text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format($query$SELECT (SELECT jsonb_build_object(
        'oid', c.oid, 'format', parity.format_version(), 'kind', c.relkind, 'populated', c.relispopulated,
        'columns', (SELECT coalesce(jsonb_object_agg(f.column_name, to_jsonb(f)), '{}') FROM parity.forms(c.oid) f),
        'key', (SELECT jsonb_build_object('columns', k.key_columns, 'proven', k.proven) FROM parity.key(c.oid) k),
        'versions', (
            WITH RECURSIVE tree(oid) AS (SELECT c.oid UNION SELECT i.inhrelid FROM pg_inherits i
                JOIN tree t ON i.inhparent = t.oid)
            SELECT bool_and(p.relkind = 'p' OR p.relkind IN ('r', 'm') AND a.amname = 'heap')
            FROM tree t JOIN pg_class p ON p.oid = t.oid LEFT JOIN pg_am a ON a.oid = p.relam))
        FROM pg_class c WHERE c.oid = to_regclass(%L))::text$query$, name)
$$;
COMMENT ON FUNCTION parity_internal.verify_relation_query(text) IS
    'asks a side for a relation''s OID, columns, forms and key, whether it is populated, and whether its rows have '
    'versions';

-- Reading a view or a foreign table may run what its owner wrote.
CREATE FUNCTION parity_internal.verify_kind(relkind text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'f' THEN 'foreign table' ELSE 'table' END
$$;
COMMENT ON FUNCTION parity_internal.verify_kind(text) IS
    'what kind of relation that is, as far as it matters what reading it runs';

-- Reading a view runs what its owner wrote, with the rights of the role that reads. The caller must have meant that. So
-- a call that named a table does not read a view that has its name later, and a view on the target is read beside a
-- table only if the call named it. Returns the job with the kinds that are read.
CREATE FUNCTION parity_internal.verify_require_kinds(job jsonb, own jsonb, other jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    own_kind text := parity_internal.verify_kind(own ->> 'kind');
    other_kind text := parity_internal.verify_kind(other ->> 'kind');
    expected text := coalesce(job ->> 'kind', 'table');
BEGIN
    IF own_kind <> expected THEN
        RAISE EXCEPTION USING ERRCODE = '42809',
            MESSAGE = format('relation %s was a %s, and is a %s now', job ->> 'name', expected, own_kind),
            HINT = 'Find out who replaced it. parity.verify reads a view or foreign table only where that is named.';
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
    'an error (42809) unless the relations are of the kinds that the caller named';

-- A materialized view without data cannot be read. Where neither side has data, the views are alike.
CREATE FUNCTION parity_internal.verify_is_unpopulated(job jsonb, own jsonb, other jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    here CONSTANT boolean := own -> 'populated';
    there CONSTANT boolean := other -> 'populated';
BEGIN
    IF here <> there THEN
        RAISE EXCEPTION USING ERRCODE = '55000', HINT = 'REFRESH MATERIALIZED VIEW gives it data.',
            MESSAGE = CASE WHEN here
                THEN format('materialized view %s is not populated on the target', job ->> 'target')
                ELSE format('materialized view %s is not populated here', job ->> 'name') END;
    END IF;
    RETURN NOT here;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_is_unpopulated(jsonb, jsonb, jsonb) IS
    'whether the relations are materialized views without data; an error (55000) where one of them is';

CREATE FUNCTION parity_internal.verify_form(
    column_name text, asked text, own jsonb, other jsonb, OUT form text, OUT own_form text, OUT other_form text,
    OUT reason text)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    zone text := regexp_replace(asked, '@[^][,<>]*', '@zone', 'g');
    plain text := regexp_replace(asked, '@[^][,<>]*', '', 'g');
    found text;
    side jsonb;
BEGIN
    IF asked IS NULL THEN
        -- The first exact form of this side that the other side has as an exact one, too. jsonb_raw is no such form: it
        -- may differ for documents that are equal.
        SELECT e.name INTO form
        FROM jsonb_array_elements_text(jsonb_build_array(own -> 'form') || (own -> 'other_forms'))
            WITH ORDINALITY AS e(name, no)
        WHERE e.name NOT LIKE 'jsonb\_raw%'
            AND (jsonb_build_array(other -> 'form') || (other -> 'other_forms')) ? e.name
        ORDER BY e.no LIMIT 1;
        IF form IS NULL THEN
            reason := coalesce(own ->> 'reason', other ->> 'reason',
                               format('types %s on source and %s on target have no form in common',
                                      own ->> 'data_type', other ->> 'data_type'));
        ELSIF form LIKE '%float%' AND form NOT LIKE 'record%' AND own -> 'lossy_forms' <> other -> 'lossy_forms' THEN
            reason := format('types %s on source and %s on target hold other numbers for the same decimal one',
                             own ->> 'data_type', other ->> 'data_type');
            form := NULL;
        END IF;
        own_form := form;
        other_form := form;
        RETURN;
    END IF;
    form := plain;
    FOR side IN SELECT s FROM jsonb_array_elements(jsonb_build_array(own, other)) s LOOP
        found := CASE WHEN side -> 'lossy_forms' ? zone THEN asked
                      WHEN (jsonb_build_array(side -> 'form') || (side -> 'other_forms') || (side -> 'lossy_forms'))
                           ? plain THEN plain END;
        IF found IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = '22023',
                MESSAGE = format('column "%s" of type %s has no form "%s"', column_name, side ->> 'data_type', asked),
                HINT = 'parity.forms() shows the forms that each column has.';
        END IF;
        IF own_form IS NULL THEN own_form := found; END IF;
        other_form := found;
    END LOOP;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_form(text, text, jsonb, jsonb) IS
    'the form that a column is compared under, and what each side is asked for; where there is none, why';

CREATE FUNCTION parity_internal.verify_estimate(relation oid) RETURNS double precision
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE tree(oid) AS (
        SELECT relation UNION SELECT i.inhrelid FROM pg_inherits i JOIN tree t ON i.inhparent = t.oid
    )
    SELECT coalesce(sum(CASE WHEN c.relkind = 'f' THEN greatest(c.reltuples, 0)
                             WHEN c.relpages > 0 AND c.reltuples >= 0
                             THEN c.reltuples / c.relpages
                                  * (pg_relation_size(c.oid) / current_setting('block_size')::bigint)
                             ELSE pg_relation_size(c.oid) / 100.0 END), 0)
    FROM tree t JOIN pg_class c ON c.oid = t.oid WHERE c.relkind IN ('r', 'm', 'f')
$$;
COMMENT ON FUNCTION parity_internal.verify_estimate(oid) IS 'about how many rows a relation has';

CREATE FUNCTION parity_internal.verify_names(list jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(e.name ORDER BY e.no), '{}')
    FROM jsonb_array_elements_text(list) WITH ORDINALITY AS e(name, no)
$$;
COMMENT ON FUNCTION parity_internal.verify_names(jsonb) IS 'a list of texts as an array';

-- The plan: key, columns and their forms on both sides, and what is not compared.
CREATE FUNCTION parity_internal.verify_plan(job jsonb, own jsonb, other jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- Where the caller does not say. pgparity has other limits, 1 and 2048 (driver/digests/division.cpp): it has
    -- buckets to narrow differences down.
    fewest_ranges CONSTANT integer := 64;
    most_ranges CONSTANT integer := 4096;
    rows_of_range CONSTANT integer := 1250;
    most_digests CONSTANT integer := 524288;
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
    key_is_alike boolean := true;
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
            RAISE EXCEPTION USING MESSAGE = format('column "%s" of relation %s does not exist', name, job ->> 'name'),
                ERRCODE = '42703';
        ELSIF NOT other -> 'columns' ? name THEN
            IF name = ANY (key_names) OR asked_columns IS NOT NULL THEN
                RAISE EXCEPTION USING ERRCODE = '42703',
                    MESSAGE = format('column "%s" of relation %s does not exist on the target', name, job ->> 'target');
            END IF;
            left_out := left_out || jsonb_build_object('what', format('column %I', name), 'reason', 'target lacks it');
            CONTINUE;
        END IF;
        chosen := parity_internal.verify_form(
            name, ask -> 'forms' ->> name, own -> 'columns' -> name, other -> 'columns' -> name);
        IF chosen.form IS NULL AND name = ANY (key_names) THEN
            RAISE EXCEPTION USING MESSAGE = format('key column "%s" is not comparable: %s', name, chosen.reason),
                ERRCODE = '0A000';
        ELSIF chosen.form IS NULL THEN
            left_out := left_out || jsonb_build_object('what', format('column %I', name), 'reason', chosen.reason);
            CONTINUE;
        END IF;
        own_forms := own_forms || jsonb_build_object(name, chosen.own_form);
        other_forms := other_forms || jsonb_build_object(name, chosen.other_form);
        common := common || jsonb_build_object(name, chosen.form);
        IF name <> ALL (key_names) THEN
            compared := compared || name;
        ELSE
            -- Of a domain the name may be the same, and the type inside another one.
            key_is_alike := key_is_alike AND NOT coalesce(ask -> 'forms' ? name, false)
                AND own -> 'columns' -> name -> 'data_type' = other -> 'columns' -> name -> 'data_type'
                AND own -> 'columns' -> name -> 'form' = other -> 'columns' -> name -> 'form';
        END IF;
    END LOOP;
    SELECT n INTO name FROM jsonb_object_keys(ask -> 'forms') n WHERE NOT common ? n LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING MESSAGE = format('forms names column "%s", which is not compared', name),
            ERRCODE = '42703';
    END IF;
    -- A table without columns is compared by its number of rows. Where columns are left out, a number of rows would not
    -- be what the caller asked for.
    IF cardinality(key_names) = 0 AND cardinality(compared) = 0
        AND (own -> 'columns' <> '{}' OR other -> 'columns' <> '{}') THEN
        RAISE EXCEPTION USING MESSAGE = format('relation %s has no column that could be compared', job ->> 'name'),
            ERRCODE = '0A000';
    END IF;
    slices := cardinality(compared) + 2;
    RETURN jsonb_build_object(
        'key', to_jsonb(key_names), 'columns', to_jsonb(compared),
        'source_forms', own_forms, 'target_forms', other_forms,
        'key_forms', (SELECT coalesce(jsonb_agg(common -> n ORDER BY o), '[]')
                      FROM unnest(CASE WHEN cardinality(key_names) > 0 THEN key_names ELSE compared END)
                          WITH ORDINALITY AS u(n, o)),
        'key_is_alike', key_is_alike,
        'source_versions', own -> 'versions', 'target_versions', other -> 'versions',
        'source_shape', md5(own::text), 'target_shape', md5(other::text),
        'not_compared', left_out,
        'ranges', coalesce((ask ->> 'ranges')::integer,
                           greatest(fewest_ranges, least(most_ranges, most_digests / slices,
                               parity_internal.verify_estimate((job ->> 'relation')::oid) / rows_of_range))::integer),
        'seed', ('x' || substr(md5(concat(random(), clock_timestamp(), pg_backend_pid())), 1, 16))::bit(64)::bigint);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_plan(jsonb, jsonb, jsonb) IS 'what is compared, and how';

-- How the target follows this database: physical, logical, none, or unknown where that cannot be seen. Rows that come
-- to either side from a third server may come to the other side at another time, and no position tells when.
CREATE FUNCTION parity_internal.verify_replication(
    facts jsonb, own_facts jsonb, own_system text, target_system text) RETURNS jsonb
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
    SELECT string_agg(s.name, ', ') INTO own
    FROM jsonb_to_recordset(own_facts -> 'subscriptions') AS s(name text, enabled boolean)
    WHERE s.enabled;
    IF own IS NOT NULL THEN
        RETURN jsonb_build_object('kind', 'unknown',
            'reason', format('this side subscribes to the relation (%s). Verify it where it is published', own));
    END IF;
    SELECT jsonb_agg(l.slot_name) FILTER (WHERE l.slot_name IS NOT NULL),
           string_agg(s.name, ', ') FILTER (WHERE l.slot_name IS NOT NULL AND NOT s.enabled),
           string_agg(s.name, ', ') FILTER (WHERE (l.slot_name IS NULL OR recovery) AND s.enabled)
    INTO slots, disabled, elsewhere
    FROM jsonb_to_recordset(facts -> 'subscriptions') AS s(name text, slot text, enabled boolean)
    LEFT JOIN pg_replication_slots l ON l.slot_name = s.slot AND l.slot_type = 'logical'
        AND l.database = current_database();
    RETURN CASE WHEN elsewhere IS NOT NULL
                THEN jsonb_build_object('kind', 'unknown',
                    'reason', format('the target subscribes to the relation elsewhere (%s)', elsewhere))
                WHEN recovery THEN '{"kind": "none", "reason": "the target is a standby of another cluster"}'
                WHEN slots IS NULL THEN '{"kind": "none"}'
                WHEN disabled IS NOT NULL
                THEN jsonb_build_object('kind', 'none',
                    'reason', format('subscription %s of the target is disabled', disabled))
                ELSE jsonb_build_object('kind', 'logical', 'slots', slots) END;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_replication(jsonb, jsonb, text, text) IS
    'how the target follows this database';

CREATE FUNCTION parity_internal.verify_system() RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT has_function_privilege('pg_control_system()', 'EXECUTE') THEN RETURN NULL; END IF;
    RETURN (SELECT system_identifier::text FROM pg_control_system());
END
$$;
COMMENT ON FUNCTION parity_internal.verify_system() IS 'this cluster''s identifier, NULL where it may not be seen';

CREATE FUNCTION parity_internal.verify_require_server(server text) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_foreign_server s WHERE s.srvname = server) THEN
        RAISE EXCEPTION USING MESSAGE = format('server "%s" does not exist', server), ERRCODE = '42704',
            HINT = 'CREATE SERVER ... FOREIGN DATA WRAPPER dblink_fdw, and a user mapping, tell where it is.';
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_require_server(text) IS
    'an error (42704) unless there is a foreign server of this name';

CREATE FUNCTION parity_internal.verify_open(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    dblink text := parity_internal.verify_dblink();
    mapping record;
    facts jsonb;
BEGIN
    PERFORM parity_internal.verify_pin(job -> 'ask');
    PERFORM parity_internal.verify_disconnect(false);
    -- dblink would take an unknown name for a connection string.
    PERFORM parity_internal.verify_require_server(job ->> 'server');
    SELECT m.umuser = 0 AS of_public,
           (SELECT o.option_value FROM pg_options_to_table(m.umoptions) o WHERE o.option_name = 'user') AS role,
           EXISTS (SELECT FROM pg_options_to_table(m.umoptions) o WHERE o.option_name = 'password') AS has_password
    INTO mapping
    FROM pg_user_mappings m WHERE m.srvname = job ->> 'server' AND m.usename IN (CURRENT_USER, 'public')
    ORDER BY m.umuser = 0 LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '42704', MESSAGE = format(
            'role "%s" has no user mapping for server "%s": CREATE USER MAPPING tells who it is there', CURRENT_USER,
            job ->> 'server');
    END IF;
    BEGIN
        EXECUTE format('SELECT %s.dblink_connect($1, $2)', dblink) USING 'pg_parity:target', job ->> 'server';
    EXCEPTION WHEN SQLSTATE '2F003' THEN
        RAISE EXCEPTION USING ERRCODE = '2F003', MESSAGE = CASE WHEN mapping.has_password THEN format(
                'server "%s" let role "%s" in without asking for its password, '
                'which dblink takes from superusers only: pg_hba.conf there must ask it for one (scram-sha-256)',
                job ->> 'server', mapping.role)
            -- Not everybody may see the options of this mapping.
            WHEN mapping.of_public THEN format(
                'the user mapping of PUBLIC for server "%s" has no password, or the server does not ask for it; '
                'dblink lets nobody but superusers connect without', job ->> 'server')
            ELSE format(
                'the user mapping of role "%s" for server "%s" has no password, and dblink lets nobody but superusers '
                'connect without: '
                'ALTER USER MAPPING gives it one', CURRENT_USER, job ->> 'server') END;
    END;
    PERFORM parity_internal.verify_ask(
        'SET search_path = pg_catalog, pg_temp; SET application_name = pg_parity; '
        'SELECT count(set_config(name, ''0'', false))::text FROM pg_settings WHERE name = ''idle_session_timeout''',
        parity_internal.verify_patience(job -> 'ask'));
    facts := parity_internal.verify_ask(
        'SELECT jsonb_build_object(''control'', has_function_privilege(''pg_control_system()'', ''EXECUTE'') '
        'AND has_function_privilege(''pg_control_checkpoint()'', ''EXECUTE''), ''notices'', version() ~ ''linux'' '
        'AND EXISTS (SELECT FROM pg_settings WHERE name = ''client_connection_check_interval''))::text',
        parity_internal.verify_patience(job -> 'ask'))::jsonb;
    RETURN parity_internal.verify_check_server((job - 'target_pid') || jsonb_build_object(
        'target_notices', facts -> 'notices',
        'target_server', coalesce(job -> 'target_server', '{}') || jsonb_build_object('control', facts -> 'control')));
END
$$;
COMMENT ON FUNCTION parity_internal.verify_open(jsonb) IS
    'pins the settings here, connects with the target, and gives the job with what is known of it';

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
    IF job ? 'plan' THEN  -- once more, after a conflict
        RETURN job || '{"step": "snapshot"}';
    END IF;
    job := parity_internal.verify_remote_begin(job);
    facts := parity_internal.verify_ask(parity_internal.verify_facts_query(job ->> 'target'), wait);
    IF facts ->> 'extension' IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = 'extension "pg_parity" is not installed on the target', ERRCODE = '55000',
            HINT = 'CREATE EXTENSION pg_parity in the database that the server names; a physical replica has it from '
                   'its primary.';
    ELSIF facts ->> 'relation' IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = format('relation %s does not exist on the target', job ->> 'target'),
            ERRCODE = '42P01';
    END IF;
    -- A standby does not have the rows of an unlogged table. A run over many tables does not report that every night. A
    -- call that names the table is told.
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
        RAISE EXCEPTION USING MESSAGE = format('server "%s" leads to this database itself', job ->> 'server'),
            ERRCODE = '22023',
            HINT = 'allow_same_server => true compares a table with another one of the same database.';
    END IF;
    other := parity_internal.verify_ask(parity_internal.verify_relation_query(job ->> 'target'), wait);
    EXECUTE parity_internal.verify_relation_query(job ->> 'name') INTO own;
    EXECUTE parity_internal.verify_facts_query(job ->> 'name') INTO own_facts;
    IF own IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = format('relation %s does not exist', job ->> 'name'), ERRCODE = '42P01';
    ELSIF other IS NULL THEN
        RAISE EXCEPTION USING MESSAGE = format('relation %s does not exist on the target', job ->> 'target'),
            ERRCODE = '42P01';
    ELSIF own -> 'format' <> other -> 'format' THEN
        RAISE EXCEPTION USING ERRCODE = '55000', MESSAGE = format(
                'digests of format %s here cannot be compared with format %s on the target',
                own ->> 'format', other ->> 'format'),
            HINT = 'Both sides need versions of pg_parity with one digest format.';
    END IF;
    job := parity_internal.verify_require_kinds(job, own, other);
    -- Runs are recorded by name. If another relation has the name by now, the job is about that one. The lock stays on
    -- the first.
    IF own -> 'oid' <> job -> 'relation' THEN
        job := job || jsonb_build_object('relation', own -> 'oid');
    END IF;
    plan := parity_internal.verify_plan(job, own, other) || jsonb_build_object(
        'target_oid', other -> 'oid',
        'replication', parity_internal.verify_replication(facts, own_facts, own_system, target_system),
        'key_proven', CASE WHEN NOT ask ? 'key_columns' THEN own -> 'key' -> 'proven' END);
    PERFORM parity_internal.verify_check_server(job);
    PERFORM parity_internal.verify_ask('COMMIT', wait);
    RETURN job || jsonb_build_object('plan', plan, 'step', 'snapshot')
               || CASE WHEN parity_internal.verify_is_unpopulated(job, own, other)
                       THEN jsonb_build_object('unpopulated', true, 'step', 'finish') ELSE '{}' END;
END
$$;
COMMENT ON FUNCTION parity_internal.verify_connect(jsonb) IS 'a step of verify on the open connection: makes the plan';

-- The plan is about the relations that had these names when it was made, with their kinds and columns. This locks them
-- until the end of the pass, and then checks that they still have the names and are what they were. So what is read is
-- what was checked.
-- The lock is taken without planning a query. The kind comes from the lock, because under this snapshot a table that
-- has become a view since would still be a table.
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
    other_kind := parity_internal.verify_ask(
        format('SELECT parity.hold_relation(%L::oid)::text', job -> 'plan' ->> 'target_oid'), wait);
    own_kind := parity.hold_relation((job ->> 'relation')::oid)::text;
    other := parity_internal.verify_ask(parity_internal.verify_relation_query(job ->> 'target'), wait);
    EXECUTE parity_internal.verify_relation_query(job ->> 'name') INTO own;
    -- A relation that is gone, or of another kind, is an error of the next plan. A shape includes the OID.
    RETURN coalesce(own_kind = own ->> 'kind' AND other_kind = other ->> 'kind'
                    AND md5(own::text) = job -> 'plan' ->> 'source_shape'
                        AND md5(other::text) = job -> 'plan' ->> 'target_shape', false);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_is_as_planned(jsonb) IS
    'locks the relations of the plan, and tells whether they are what it was made for';

CREATE FUNCTION parity_internal.verify_start_over(job jsonb) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    conflicts integer := coalesce((job ->> 'conflicts')::integer, 0) + 1;
BEGIN
    IF conflicts > 3 THEN
        RAISE EXCEPTION USING ERRCODE = '55006',
            MESSAGE = format('relation %s or its columns were exchanged again and again', job ->> 'name');
    END IF;
    RETURN (job - '{plan,found,follows,followed,looks,at_once,without_indexes,misled}'::text[])
           || jsonb_build_object('step', 'connect', 'conflicts', conflicts);
END
$$;
COMMENT ON FUNCTION parity_internal.verify_start_over(jsonb) IS 'a job without anything that was found';
