
--
-- records: what verifications found
--

-- parity_reader sees how things stand; parity_operator verifies, and sees the keys of rows that differ. Roles belong to the whole
-- cluster: another database may have made them already, and DROP EXTENSION leaves them.
DO $roles$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) 'parity_reader') THEN
        CREATE ROLE parity_reader NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) 'parity_operator') THEN
        CREATE ROLE parity_operator NOLOGIN;
    END IF;
    GRANT parity_reader TO parity_operator;
END
$roles$;

CREATE DOMAIN parity.run_status AS text CONSTRAINT run_status_known CHECK (VALUE IN (
    'running', 'identical', 'divergent', 'in_flight', 'incomplete', 'failed', 'cancelled', 'died', 'skipped'));
COMMENT ON DOMAIN parity.run_status IS
    'how a run or its part on one table stands: running; identical; divergent (confirmed differences); in_flight (differences that kept changing while they were looked at); incomplete (no difference found, but not everything was compared); failed; cancelled; died (its session ended without a word); skipped (another run had the table)';

CREATE TABLE parity.run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('verify', 'baseline', 'compare')),
    status parity.run_status NOT NULL DEFAULT 'running',
    source text NOT NULL,
    target text NOT NULL,
    started timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    finished timestamptz,
    sqlstate text,
    message text,
    options jsonb NOT NULL DEFAULT '{}',
    tool text NOT NULL,
    performer name NOT NULL DEFAULT SESSION_USER,
    pid integer NOT NULL DEFAULT pg_catalog.pg_backend_pid(),
    backend_start timestamptz,
    statement_start timestamptz
);
COMMENT ON TABLE parity.run IS
    'one row a run: a call of parity.verify (kind verify), parity.verify_baseline (baseline), or a pgparity compare --record (compare); written by the functions parity.record_... only';
COMMENT ON COLUMN parity.run.kind IS 'verify: against another cluster; baseline: against what was captured; compare: by pgparity';
COMMENT ON COLUMN parity.run.status IS 'how it stands or ended: of its tables'' states the worst';
COMMENT ON COLUMN parity.run.source IS 'the side that is believed: this database, or what pgparity connected to, without passwords';
COMMENT ON COLUMN parity.run.target IS 'the other side: a foreign server, the label of a baseline, or what pgparity connected to, without passwords';
COMMENT ON COLUMN parity.run.sqlstate IS 'of the error that ended the run';
COMMENT ON COLUMN parity.run.message IS 'why it ended as it did; of an error whose text may quote a value, that there is one in parity.run_error';
COMMENT ON COLUMN parity.run.options IS 'what was asked for';
COMMENT ON COLUMN parity.run.tool IS 'what ran, with its version';
COMMENT ON COLUMN parity.run.performer IS 'the role that had logged in';
COMMENT ON COLUMN parity.run.pid IS 'see backend_start';
COMMENT ON COLUMN parity.run.backend_start IS 'with pid: the session that runs, or ran, and records';
COMMENT ON COLUMN parity.run.statement_start IS
    'of the CALL that is the run; NULL where a program records it statement by statement, or the server does not track activities';
CREATE INDEX run_running ON parity.run (id) WHERE finished IS NULL;

CREATE TABLE parity.run_table (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES parity.run ON DELETE CASCADE,
    relation text NOT NULL,
    target_relation text NOT NULL,
    scope jsonb NOT NULL DEFAULT '{}',
    status parity.run_status NOT NULL DEFAULT 'running',
    phase text,
    started timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    finished timestamptz,
    source_rows bigint,
    target_rows bigint,
    ranges integer,
    divergent_ranges integer,
    divergent_rows bigint,
    in_flight_rows bigint,
    cleared_rows bigint,
    unnamed_ranges integer,
    divergent_columns text[],
    source_lsn pg_lsn,
    target_lsn pg_lsn,
    not_compared jsonb NOT NULL DEFAULT '[]',
    details jsonb NOT NULL DEFAULT '{}',
    sqlstate text,
    message text
);
COMMENT ON TABLE parity.run_table IS 'one row a table of a run';
COMMENT ON COLUMN parity.run_table.relation IS 'its qualified name on the source';
COMMENT ON COLUMN parity.run_table.target_relation IS 'its qualified name on the target';
COMMENT ON COLUMN parity.run_table.scope IS
    'what was asked for that is not the whole table with its namesake: filter, columns, without_columns, key_columns, forms, target_relation, visible_rows_only; {}: the whole table';
COMMENT ON COLUMN parity.run_table.status IS 'how it stands or ended';
COMMENT ON COLUMN parity.run_table.phase IS 'what is done just now';
COMMENT ON COLUMN parity.run_table.source_rows IS 'rows that the source has';
COMMENT ON COLUMN parity.run_table.target_rows IS 'rows that the target has; of a baseline, those that were captured';
COMMENT ON COLUMN parity.run_table.divergent_ranges IS 'ranges whose digests differ';
COMMENT ON COLUMN parity.run_table.divergent_rows IS 'confirmed differences: rows that differ, or that one side lacks; more if unnamed_ranges is not 0';
COMMENT ON COLUMN parity.run_table.in_flight_rows IS 'rows that differed and kept changing: neither equal nor divergent';
COMMENT ON COLUMN parity.run_table.cleared_rows IS 'rows that differed at first and were equal, or absent on both sides, when looked at again';
COMMENT ON COLUMN parity.run_table.unnamed_ranges IS 'divergent ranges of which not all rows were named, because that would have been more than max_rows';
COMMENT ON COLUMN parity.run_table.divergent_columns IS 'columns that differ in some range or row';
COMMENT ON COLUMN parity.run_table.source_lsn IS 'write position of the source when its last snapshot was taken; NULL if unknown';
COMMENT ON COLUMN parity.run_table.target_lsn IS 'the same of the target';
COMMENT ON COLUMN parity.run_table.not_compared IS 'what was left out and why: a list of {"what", "reason"}';
COMMENT ON COLUMN parity.run_table.details IS 'how it went: paths, workers, milliseconds, rechecks';
COMMENT ON COLUMN parity.run_table.sqlstate IS 'of the error that ended it';
COMMENT ON COLUMN parity.run_table.message IS
    'why it ended as it did, or what was left out; of an error whose text may quote a value, that there is one in parity.run_error';
CREATE INDEX run_table_run ON parity.run_table (run_id);
CREATE INDEX run_table_relation ON parity.run_table (relation, finished);

CREATE TABLE parity.divergence (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_table_id bigint NOT NULL REFERENCES parity.run_table ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('mismatch', 'missing_on_target', 'missing_on_source', 'range')),
    state text NOT NULL CHECK (state IN ('divergent', 'in_flight')),
    key jsonb,
    columns text[],
    occurrences bigint NOT NULL DEFAULT 1,
    source_values jsonb,
    target_values jsonb,
    recorded timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE parity.divergence IS
    'one row a difference: a row that differs in columns, or that one side lacks, or (kind range) a range of keys whose rows were not all named';
COMMENT ON COLUMN parity.divergence.kind IS 'mismatch, missing_on_target, missing_on_source: of a row; range: of the rows of a range';
COMMENT ON COLUMN parity.divergence.state IS 'divergent: confirmed; in_flight: it kept changing';
COMMENT ON COLUMN parity.divergence.key IS
    'the key''s columns as text; of a range its lower and upper bound, null at an end';
COMMENT ON COLUMN parity.divergence.columns IS 'the columns that differ, where both sides have the row or the range';
COMMENT ON COLUMN parity.divergence.occurrences IS 'of a table without a key: how many rows more one side has';
COMMENT ON COLUMN parity.divergence.source_values IS 'the values of the columns that differ, only if that was asked for';
COMMENT ON COLUMN parity.divergence.target_values IS 'the same of the target';
CREATE INDEX divergence_run_table ON parity.divergence (run_table_id);

-- Apart from the tables that parity_reader reads, so that it can read all of those.
CREATE TABLE parity.run_error (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id bigint NOT NULL REFERENCES parity.run ON DELETE CASCADE,
    run_table_id bigint REFERENCES parity.run_table ON DELETE CASCADE,
    sqlstate text NOT NULL,
    message text NOT NULL,
    recorded timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE parity.run_error IS 'the texts of errors that may quote a value of a row, for parity_operator alone';
COMMENT ON COLUMN parity.run_error.sqlstate IS 'of the error';
COMMENT ON COLUMN parity.run_error.message IS 'its text';
CREATE INDEX run_error_run ON parity.run_error (run_id);
CREATE INDEX run_error_run_table ON parity.run_error (run_table_id);

SELECT pg_catalog.pg_extension_config_dump('parity.run', '');
SELECT pg_catalog.pg_extension_config_dump('parity.run_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('parity.run_table', '');
SELECT pg_catalog.pg_extension_config_dump('parity.run_table_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('parity.divergence', '');
SELECT pg_catalog.pg_extension_config_dump('parity.divergence_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('parity.run_error', '');
SELECT pg_catalog.pg_extension_config_dump('parity.run_error_id_seq', '');

-- Activity is seen as it is now, not as it was when this transaction first looked: a run may have begun since. Others' activity is
-- hidden from ordinary roles, but not that a run goes on.
CREATE FUNCTION parity_internal.record_goes_on(run_id bigint) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_stat_clear_snapshot();
    RETURN EXISTS (
        SELECT FROM parity.run r JOIN pg_stat_activity a ON a.pid = r.pid AND a.backend_start = r.backend_start
        WHERE r.id = run_id AND r.finished IS NULL
          AND (r.statement_start IS NULL OR a.state = 'disabled' OR (a.state = 'active' AND a.query_start = r.statement_start)));
END
$$;
COMMENT ON FUNCTION parity_internal.record_goes_on(bigint) IS
    'whether a run has not ended, and its session is there and still runs the CALL that is the run; internal';

-- The rows and columns of a baseline are told by its label: one that could not be taken, or was captured anew, is the same.
CREATE FUNCTION parity_internal.record_about(kind text, scope jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE kind WHEN 'baseline' THEN scope - '{filter,columns}'::text[] ELSE scope END
$$;
COMMENT ON FUNCTION parity_internal.record_about(text, jsonb) IS
    'what of a scope tells a line of parity.status from others about the same table and target; internal';

-- A line is about one table, one other side and one scope, so that what a run over a part found is not taken for the whole table.
-- A run that ended before it came to any table has a line of its own until a later one of its kind gets further.
CREATE VIEW parity.status AS
WITH part AS (
    SELECT t.relation, r.kind, r.target, t.scope, parity_internal.record_about(r.kind, t.scope) AS about, t.run_id,
           CASE WHEN t.details OPERATOR(pg_catalog.?) 'left_out'::text THEN 'left_out' ELSE t.status::text END AS status, t.phase, t.started, t.finished, t.divergent_ranges, t.divergent_rows,
           t.in_flight_rows, t.unnamed_ranges, t.message, t.sqlstate, r.performer, r.pid
    FROM parity.run_table t JOIN parity.run r ON r.id OPERATOR(pg_catalog.=) t.run_id
    WHERE NOT t.details OPERATOR(pg_catalog.?) 'dropped'::text
    UNION ALL
    SELECT NULL, r.kind, r.target, '{}'::jsonb, '{}'::jsonb, r.id, r.status::text, NULL, r.started, r.finished, NULL, NULL, NULL, NULL, r.message,
           r.sqlstate, r.performer, r.pid
    FROM parity.run r
    WHERE r.finished IS NOT NULL AND r.status OPERATOR(pg_catalog.<>) 'identical'::text
      AND NOT EXISTS (SELECT FROM parity.run_table t WHERE t.run_id OPERATOR(pg_catalog.=) r.id)
      AND NOT EXISTS (
        SELECT FROM parity.run l JOIN parity.run_table t ON t.run_id OPERATOR(pg_catalog.=) l.id
        WHERE l.id OPERATOR(pg_catalog.>) r.id AND l.kind OPERATOR(pg_catalog.=) r.kind AND l.target OPERATOR(pg_catalog.=) r.target)
), last AS (
    SELECT DISTINCT ON (relation, kind, target, about) *
    FROM part WHERE finished IS NOT NULL
    ORDER BY relation, kind, target, about, CASE WHEN status OPERATOR(pg_catalog.=) ANY ('{skipped,left_out}'::text[]) THEN 1 ELSE 0 END, finished DESC,
             run_id DESC
), running AS (
    SELECT DISTINCT ON (relation, kind, target, about) * FROM part
    WHERE finished IS NULL ORDER BY relation, kind, target, about, run_id DESC
), verified AS (
    SELECT relation, kind, target, about, pg_catalog.max(finished) AS at FROM part
    WHERE status OPERATOR(pg_catalog.=) 'identical'::text GROUP BY relation, kind, target, about
)
SELECT relation, kind, target, nullif(coalesce(last.scope, running.scope), '{}'::jsonb) AS scope, last.status AS result, last.finished,
       pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) last.finished) AS age,
       verified.at AS last_identical, last.divergent_ranges, last.divergent_rows, last.in_flight_rows,
       CASE WHEN parity_internal.record_goes_on(running.run_id) THEN
           pg_catalog.format('%s for %s (run %s, pid %s)', coalesce(running.phase, 'starting'),
                             pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) running.started),
                             running.run_id, running.pid)
            WHEN running.run_id IS NOT NULL THEN pg_catalog.format('died: the session of run %s has left it', running.run_id)
       END AS running,
       last.run_id, last.performer, last.message, last.sqlstate
FROM last FULL JOIN running USING (relation, kind, target, about) LEFT JOIN verified USING (relation, kind, target, about)
ORDER BY CASE WHEN last.status OPERATOR(pg_catalog.=) ANY ('{identical,left_out}'::text[]) THEN 1 ELSE 0 END, relation, kind, target, about;
COMMENT ON VIEW parity.status IS
    'how each verified table stands, what is not identical first: its last result and when that was, when it was last identical, what differs, and what runs on it now';

COMMENT ON COLUMN parity.status.relation IS 'the table''s qualified name; NULL: a run that ended before it came to a table';
COMMENT ON COLUMN parity.status.kind IS 'verify, baseline or compare, as in parity.run';
COMMENT ON COLUMN parity.status.target IS 'what it was compared with, as in parity.run';
COMMENT ON COLUMN parity.status.scope IS 'what the line is about if not the whole table with its namesake, as in parity.run_table; of a baseline that of its last run; NULL: the whole table';
COMMENT ON COLUMN parity.status.result IS
    'the last result; skipped, and left_out (the target cannot have its rows, by what the table is), only where there is no other; NULL while the first run goes on';
COMMENT ON COLUMN parity.status.age IS 'how old the last result is';
COMMENT ON COLUMN parity.status.last_identical IS 'when the last run of this scope that found all identical ended';
COMMENT ON COLUMN parity.status.divergent_ranges IS 'of the last result';
COMMENT ON COLUMN parity.status.divergent_rows IS 'of the last result; NULL where rows are not looked at';
COMMENT ON COLUMN parity.status.in_flight_rows IS 'of the last result';
COMMENT ON COLUMN parity.status.running IS 'what a run does with the table just now, and for how long';
COMMENT ON COLUMN parity.status.performer IS 'of the last result: the role that had logged in';
COMMENT ON COLUMN parity.status.message IS 'of the last result: why it is what it is, or what was left out';
COMMENT ON COLUMN parity.status.sqlstate IS 'of the error that ended the last run';

CREATE VIEW parity.findings AS
SELECT t.run_id, t.relation, r.target, t.scope, d.kind, d.state, d.key, d.columns, d.occurrences, d.source_values, d.target_values
FROM parity.divergence d JOIN parity.run_table t ON t.id OPERATOR(pg_catalog.=) d.run_table_id
    JOIN parity.run r ON r.id OPERATOR(pg_catalog.=) t.run_id
ORDER BY t.run_id, t.relation, d.id;
COMMENT ON VIEW parity.findings IS 'what each run found to differ, row by row: parity.divergence with the number of the run and the names of its table';
COMMENT ON COLUMN parity.findings.relation IS 'the table''s qualified name, as in parity.run_table';
COMMENT ON COLUMN parity.findings.target IS 'what it was compared with, as in parity.run';
COMMENT ON COLUMN parity.findings.scope IS 'as in parity.run_table; {}: the whole table';
COMMENT ON COLUMN parity.findings.kind IS 'as in parity.divergence';
COMMENT ON COLUMN parity.findings.state IS 'as in parity.divergence';
COMMENT ON COLUMN parity.findings.key IS 'as in parity.divergence';
COMMENT ON COLUMN parity.findings.columns IS 'as in parity.divergence';
COMMENT ON COLUMN parity.findings.occurrences IS 'as in parity.divergence';
COMMENT ON COLUMN parity.findings.source_values IS 'as in parity.divergence';
COMMENT ON COLUMN parity.findings.target_values IS 'as in parity.divergence';

-- What NOTIFY and callbacks tell. A notification has less than 8000 bytes; a character may take six in JSON.
CREATE FUNCTION parity_internal.record_payload(told_run bigint, told_table bigint) RETURNS jsonb
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    payload jsonb;
    longest integer;
BEGIN
    FOREACH longest IN ARRAY '{1000,300}'::integer[] LOOP
        SELECT jsonb_strip_nulls(jsonb_build_object(
            'run', r.id, 'kind', r.kind, 'relation', left(t.relation, longest), 'target', left(r.target, longest),
            -- What it was about is told by name: a filter may have values in it.
            'scope', (SELECT jsonb_agg(k.name ORDER BY k.name) FROM jsonb_object_keys(t.scope) AS k(name)),
            'status', CASE WHEN t.details ? 'left_out' THEN 'left_out' ELSE coalesce(t.status, r.status)::text END, 'divergent_ranges', t.divergent_ranges, 'divergent_rows', t.divergent_rows,
            'in_flight_rows', t.in_flight_rows, 'sqlstate', left(coalesce(t.sqlstate, r.sqlstate), 5),
            -- Every role may listen, and a server's error may quote a value.
            'message', CASE WHEN coalesce(t.sqlstate, r.sqlstate) IS NULL THEN left(coalesce(t.message, r.message), longest) END))
        INTO payload FROM parity.run r LEFT JOIN parity.run_table t ON t.id = told_table WHERE r.id = told_run;
        EXIT WHEN octet_length(payload::text) < 7900;
    END LOOP;
    RETURN payload;
END
$$;
COMMENT ON FUNCTION parity_internal.record_payload(bigint, bigint) IS
    'what is told of a run, or of one table of it (NULL: of the run as a whole), in notifications and to callbacks; long texts are cut; internal';

CREATE FUNCTION parity_internal.record_line(told_run bigint, told_table bigint) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('verification of %s against %s: %s', coalesce(t.relation, CASE r.kind WHEN 'compare' THEN r.source ELSE 'database ' || r.source END), r.target, coalesce(t.status, r.status))
           || CASE WHEN t.divergent_ranges > 0 AND t.divergent_rows IS NULL THEN format(', %s of %s ranges differ', t.divergent_ranges, t.ranges)
                   WHEN t.divergent_ranges > 0 AND t.unnamed_ranges > 0 AND t.divergent_rows = 0
                   THEN format(', rows of %s ranges differ', t.divergent_ranges)
                   WHEN t.divergent_rows > 0
                   THEN format(CASE WHEN t.unnamed_ranges > 0 THEN ', at least %s rows differ' ELSE ', %s rows differ' END, t.divergent_rows)
                   ELSE '' END
           || CASE WHEN t.in_flight_rows > 0 THEN format(', %s rows in flight', t.in_flight_rows) ELSE '' END
           || coalesce(': ' || coalesce(t.message, r.message), '')
    FROM parity.run r LEFT JOIN parity.run_table t ON t.id = told_table WHERE r.id = told_run
$$;
COMMENT ON FUNCTION parity_internal.record_line(bigint, bigint) IS 'the same for people; internal';

CREATE FUNCTION parity_internal.record_hint(told_run bigint, told_table bigint, status text) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(CASE WHEN status = 'divergent' THEN 'SELECT * FROM parity.findings WHERE run_id = %s;'
                       WHEN told_table IS NOT NULL OR EXISTS (SELECT FROM parity.run_table t WHERE t.run_id = told_run)
                       THEN 'SELECT * FROM parity.run_table WHERE run_id = %s;'
                       ELSE 'SELECT * FROM parity.run WHERE id = %s;' END, told_run)
$$;
COMMENT ON FUNCTION parity_internal.record_hint(bigint, bigint, text) IS 'the query that tells more of a run; internal';

CREATE FUNCTION parity_internal.record_tell(told_run bigint, told_table bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    payload jsonb := parity_internal.record_payload(told_run, told_table);
BEGIN
    PERFORM pg_notify('parity', payload::text);
    IF payload ->> 'status' = 'divergent' THEN
        RAISE WARNING USING MESSAGE = parity_internal.record_line(told_run, told_table), ERRCODE = 'PP002',
            HINT = parity_internal.record_hint(told_run, told_table, 'divergent');
    ELSIF payload ->> 'status' NOT IN ('identical', 'left_out') THEN
        RAISE WARNING USING MESSAGE = parity_internal.record_line(told_run, told_table), ERRCODE = 'PP003',
            HINT = parity_internal.record_hint(told_run, told_table, payload ->> 'status');
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.record_tell(bigint, bigint) IS
    'sends NOTIFY parity with a JSON payload and, unless all is identical or the table is left out by what it is, a WARNING: PP002 for divergence, PP003 for a run that proved nothing; internal';

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
COMMENT ON FUNCTION parity_internal.record_check(bigint) IS 'an error (55000) unless this session has begun the run and not ended it; internal';

-- Classes of errors whose texts are the server's and name objects, settings and addresses at most, and what the extension itself says
-- about arguments. All others may quote a value.
CREATE FUNCTION parity_internal.record_message(sqlstate text, message text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN sqlstate IS NULL OR message IS NULL
                     OR left(sqlstate, 2) = ANY ('{08,0A,25,26,28,2D,2F,3D,3F,40,42,53,54,55,57,58,PP}'::text[])
                     OR sqlstate = ANY ('{22012,XX000,XX001,XX002}'::text[])
                     OR sqlstate = ANY ('{22004,22023}'::text[])
                        AND message ~ ('^(on the target: )?(server "[^"]*" leads to '
                                       '|column "[^"]*" of type [^:]* (has no form|cannot be digested as) '
                                       '|cannot compare these digests: |[a-z_]+ must (not )?be |".*" is no pattern for tables)')
                THEN message
                ELSE format('error %s; parity.run_error has its text, which may quote a value', left(sqlstate, 5)) END
$$;
COMMENT ON FUNCTION parity_internal.record_message(text, text) IS 'what everybody who reads records may read of an error; internal';

CREATE FUNCTION parity_internal.record_error(run_id bigint, run_table_id bigint, sqlstate text, message text) RETURNS text
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    shown text := parity_internal.record_message(sqlstate, message);
BEGIN
    PERFORM parity_internal.record_check(run_id);
    IF shown <> message THEN
        INSERT INTO parity.run_error (run_id, run_table_id, sqlstate, message) VALUES (run_id, run_table_id, left(sqlstate, 5), message);
    END IF;
    RETURN shown;
END
$$;
COMMENT ON FUNCTION parity_internal.record_error(bigint, bigint, text, text) IS
    'keeps the text of an error apart if it may quote a value, and gives what may be shown of it; internal';

-- An operator's word about rows that it may not read would be worth nothing. By the role that logged in, or that it has set.
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
    'whether the caller may read a relation of this name, or there is none; internal';

CREATE FUNCTION parity_internal.record_require_read(relation text, scope jsonb) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT parity_internal.record_may_read(relation, scope) THEN
        RAISE EXCEPTION USING MESSAGE = format('permission denied for relation %s', relation), ERRCODE = '42501',
            HINT = 'What is recorded about rows takes SELECT on the relation of this name in this database.';
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.record_require_read(text, jsonb) IS 'an error (42501) unless it may; internal';

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
        SELECT r.id, r.pid, r.backend_start FROM parity.run r WHERE r.finished IS NULL AND NOT parity_internal.record_goes_on(r.id)
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
    'marks the runs whose session is gone, or has broken them off, as died, tells of each, and gives their number; every run does it when it starts';

CREATE FUNCTION parity_internal.record_run_start(
    kind text, source text, target text, tool text, options jsonb DEFAULT '{}', in_statement boolean DEFAULT false) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made bigint;
BEGIN
    -- A session has one run at a time: an older one of its own was broken off between two steps.
    UPDATE parity.run r SET backend_start = NULL WHERE r.finished IS NULL AND r.pid = pg_backend_pid();
    PERFORM parity_internal.record_dead_runs();
    INSERT INTO parity.run (kind, source, target, tool, options, backend_start, statement_start)
    SELECT kind, source, target, tool, options, a.backend_start, CASE WHEN in_statement AND a.state = 'active' THEN a.query_start END
    FROM pg_stat_activity a WHERE a.pid = pg_backend_pid()
    RETURNING id INTO made;
    RETURN made;
END
$$;
COMMENT ON FUNCTION parity_internal.record_run_start(text, text, text, text, jsonb, boolean) IS
    'begins the record of a run of this session and gives its number; commit at once, so that others see it. in_statement: the run is over when the statement is that the session runs now';

-- Where words are keywords in one version only, who records may spell a name in another way than this server.
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
    'a qualified name, quoted where it must be here; what is none, as it is; internal';

CREATE FUNCTION parity_internal.record_table_start(run_id bigint, relation text, target_relation text, scope jsonb DEFAULT '{}') RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made bigint;
BEGIN
    PERFORM parity_internal.record_check(run_id);
    INSERT INTO parity.run_table (run_id, relation, target_relation, scope)
    VALUES (run_id, parity_internal.record_spelled(relation), parity_internal.record_spelled(target_relation), coalesce(scope, '{}')
            || CASE WHEN scope ? 'target_relation' THEN jsonb_build_object('target_relation', parity_internal.record_spelled(scope ->> 'target_relation'))
                    ELSE '{}' END) RETURNING id INTO made;
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
COMMENT ON FUNCTION parity_internal.record_table_phase(bigint, text) IS 'what a run does with a table just now, for parity.status';

CREATE FUNCTION parity_internal.record_divergences(run_table_id bigint, findings jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    PERFORM parity_internal.record_check((SELECT t.run_id FROM parity.run_table t WHERE t.id = run_table_id));
    INSERT INTO parity.divergence (run_table_id, kind, state, key, columns, occurrences, source_values, target_values)
    SELECT record_divergences.run_table_id, d.kind, d.state, d.key, d.columns, coalesce(d.occurrences, 1), d.source_values, d.target_values
    FROM jsonb_to_recordset(findings) AS d(kind text, state text, key jsonb, columns text[], occurrences bigint, source_values jsonb, target_values jsonb);
END
$$;
COMMENT ON FUNCTION parity_internal.record_divergences(bigint, jsonb) IS
    'records differences of one table: a list of objects with the columns of parity.divergence';

CREATE FUNCTION parity_internal.record_require_end(status text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF coalesce(status, 'running') = 'running' THEN
        RAISE EXCEPTION USING MESSAGE = format('status must not be %s where a record ends', coalesce(status, 'NULL')), ERRCODE = '22023';
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.record_require_end(text) IS 'an error (22023) for a status that is no end; internal';

CREATE FUNCTION parity_internal.record_table_finish(run_table_id bigint, status text, facts jsonb DEFAULT '{}') RETURNS void
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
        status = record_table_finish.status, finished = clock_timestamp(), phase = NULL, source_rows = part.source_rows,
        target_rows = part.target_rows, ranges = part.ranges, divergent_ranges = part.divergent_ranges, divergent_rows = part.divergent_rows,
        in_flight_rows = part.in_flight_rows, cleared_rows = part.cleared_rows, unnamed_ranges = part.unnamed_ranges,
        divergent_columns = part.divergent_columns, source_lsn = part.source_lsn, target_lsn = part.target_lsn,
        not_compared = part.not_compared, details = part.details, sqlstate = part.sqlstate, message = part.message
    WHERE t.id = run_table_id;
    PERFORM parity_internal.record_tell(part.run_id, run_table_id);
END
$$;
COMMENT ON FUNCTION parity_internal.record_table_finish(bigint, text, jsonb) IS
    'ends the record of one table: its status and, as an object, the columns of parity.run_table; tells of it. A status about rows takes SELECT on the table, where there is one of its name';

CREATE FUNCTION parity_internal.record_tables_skipped(run_id bigint, relations text[], message text, details jsonb DEFAULT '{}') RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    PERFORM parity_internal.record_check(run_id);
    INSERT INTO parity.run_table (run_id, relation, target_relation, status, finished, message, details)
    SELECT run_id, r.name, r.name, 'skipped', clock_timestamp(), message, details FROM unnest(relations) AS r(name);
END
$$;
COMMENT ON FUNCTION parity_internal.record_tables_skipped(bigint, text[], text, jsonb) IS
    'records tables that a run did not come to; nothing is told of each, which the run does as a whole. {"dropped": true} among details: the table is gone, and parity.status does not show it. {"left_out": true}: it is no part of the result, and parity.status shows it as that';

CREATE FUNCTION parity_internal.record_run_finish(run_id bigint, status text, sqlstate text DEFAULT NULL, message text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    told boolean;
    shown text;
    worst text;
    -- Of a table that has no end of its own a result about rows is not known.
    broken_off CONSTANT boolean := status IN ('identical', 'divergent', 'in_flight', 'skipped');
BEGIN
    PERFORM parity_internal.record_check(run_id);
    PERFORM parity_internal.record_require_end(status);
    shown := parity_internal.record_error(run_id, NULL, sqlstate, message);
    UPDATE parity.run_table t SET status = CASE WHEN broken_off THEN 'incomplete' ELSE record_run_finish.status END,
        finished = clock_timestamp(), phase = NULL, sqlstate = record_run_finish.sqlstate,
        message = CASE WHEN broken_off THEN concat_ws('; ', 'the run ended without a result for it', shown) ELSE shown END
    WHERE t.run_id = record_run_finish.run_id AND t.finished IS NULL;
    -- A run says nothing better of its tables than their records do. One of which some failed may be called incomplete.
    SELECT w.status INTO worst FROM unnest(CASE status
        WHEN 'in_flight' THEN '{divergent}' WHEN 'incomplete' THEN '{divergent,in_flight}'
        WHEN 'identical' THEN '{cancelled,divergent,failed,died,in_flight,incomplete,skipped}'
        WHEN 'skipped' THEN '{cancelled,divergent,failed,died,in_flight,incomplete}' ELSE '{}' END::text[]) WITH ORDINALITY AS w(status, no)
    WHERE EXISTS (SELECT FROM parity.run_table t WHERE t.run_id = record_run_finish.run_id AND t.status = w.status AND NOT t.details ?| '{dropped,left_out}')
    ORDER BY w.no LIMIT 1;
    status := CASE worst WHEN 'skipped' THEN 'incomplete' ELSE coalesce(worst, status) END;
    SELECT EXISTS (SELECT FROM parity.run_table t WHERE t.run_id = record_run_finish.run_id AND t.status = record_run_finish.status) INTO told;
    UPDATE parity.run r SET status = record_run_finish.status, finished = clock_timestamp(), sqlstate = record_run_finish.sqlstate,
        message = shown
    WHERE r.id = run_id;
    -- Its tables have told of themselves.
    IF NOT told OR message IS NOT NULL THEN
        PERFORM parity_internal.record_tell(run_id, NULL);
    END IF;
    PERFORM parity_internal.record_trim();
END
$$;
COMMENT ON FUNCTION parity_internal.record_run_finish(bigint, text, text, text) IS
    'ends the record of a run, as the status says or worse if a table has a worse one, and of its tables that were not ended (incomplete, where the run has a result about rows); removes records older than parity.history_days';

CREATE FUNCTION parity_internal.record_trim() RETURNS integer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    days integer;
    removed integer;
BEGIN
    -- The module knows who may set that, and its default. A call of it makes sure that it is loaded.
    PERFORM parity.format_version();
    days := current_setting('parity.history_days')::integer;
    -- The last result of a table stays, however old, and the last identical one: without them parity.status would say nothing of it.
    -- Runs over parts do not count: whoever looks into this and that would leave lines for ever. A baseline says itself what it is about.
    WITH ended AS (
        SELECT t.relation, r.kind, r.target, parity_internal.record_about(r.kind, t.scope) AS about, t.run_id, t.status, t.finished
        FROM parity.run_table t JOIN parity.run r ON r.id = t.run_id
        WHERE t.finished IS NOT NULL AND (t.scope - 'target_relation' = '{}' OR r.kind = 'baseline') AND NOT t.details ?| '{dropped,left_out}'
    ), kept AS (
        (SELECT DISTINCT ON (relation, kind, target, about) run_id FROM ended WHERE status <> 'skipped'
         ORDER BY relation, kind, target, about, finished DESC, run_id DESC)
        UNION
        (SELECT DISTINCT ON (relation, kind, target, about) run_id FROM ended WHERE status = 'identical'
         ORDER BY relation, kind, target, about, finished DESC, run_id DESC)
    )
    DELETE FROM parity.run r
    WHERE days > 0 AND r.finished < clock_timestamp() - make_interval(days => days) AND r.id NOT IN (SELECT run_id FROM kept);
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END
$$;
COMMENT ON FUNCTION parity_internal.record_trim() IS
    'removes the runs that ended more than parity.history_days ago, but for each table''s last and last identical one (of the whole table); gives their number';

-- What parity.status says of a table that is verified no more, or of a name that was mistyped, goes with its records. Whoever could not have
-- recorded a result about rows must not remove it. Runs that go on are left alone.
CREATE FUNCTION parity.forget(relation text, kind text, target text) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    runs bigint[];
    tables bigint;
    removed bigint;
BEGIN
    PERFORM parity_internal.record_require_values(jsonb_build_object('kind', kind, 'target', target), '{kind,target}');
    PERFORM parity_internal.record_dead_runs();
    PERFORM parity_internal.record_require_read(t.relation, t.scope)
    FROM parity.run_table t JOIN parity.run r ON r.id = t.run_id
    WHERE r.kind = kind AND r.target = target AND r.finished IS NOT NULL AND (relation IS NULL OR t.relation = relation)
      AND t.status IN ('identical', 'divergent', 'in_flight');
    WITH gone AS (
        DELETE FROM parity.run_table t USING parity.run r
        WHERE r.id = t.run_id AND r.kind = kind AND r.target = target AND r.finished IS NOT NULL AND (relation IS NULL OR t.relation = relation)
        RETURNING t.run_id
    )
    SELECT count(*), coalesce(array_agg(run_id), '{}') INTO tables, runs FROM gone;
    -- A run of which nothing is left would have a line of its own.
    WITH gone AS (
        DELETE FROM parity.run r
        WHERE r.kind = kind AND r.target = target AND r.finished IS NOT NULL AND (relation IS NULL OR r.id = ANY (runs))
          AND NOT EXISTS (SELECT FROM parity.run_table t WHERE t.run_id = r.id)
        RETURNING r.id
    )
    SELECT tables + count(*) INTO removed FROM gone WHERE id <> ALL (runs);
    RAISE LOG USING MESSAGE = format('%s results of %s against %s (%s) were removed', removed, coalesce(relation, 'all tables'), target, kind);
    RETURN removed;
END
$$;
COMMENT ON FUNCTION parity.forget(text, text, text) IS
    'removes what parity.status says of a table (NULL: of all) of this kind and target, with the results behind it, and gives the number of results';

--
-- what a call names
--

-- Names, and not regclass and regproc, are what procedures take: one that is not found must be recorded. Without a pinned search_path,
-- because the name is found by the caller's. A name without a schema that is not found is thought to be of the schema where it would be
-- made: under that it is in the records where it was there before.
CREATE FUNCTION parity_internal.record_find(relation text) RETURNS jsonb
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    found pg_catalog.oid;
    parts pg_catalog.text[];
    state pg_catalog.text;
    message pg_catalog.text;
BEGIN
    BEGIN
        found := relation::pg_catalog.regclass;
        RETURN pg_catalog.jsonb_build_object('oid', found, 'name', coalesce(parity_internal.record_name(found), relation));
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    END;
    BEGIN
        parts := pg_catalog.parse_ident(relation);
    EXCEPTION WHEN OTHERS THEN
        parts := ARRAY[relation];
    END;
    IF pg_catalog.cardinality(parts) OPERATOR(pg_catalog.=) 1 THEN
        parts := ARRAY[coalesce(pg_catalog.current_schema()::pg_catalog.text, 'public'), parts[1]];
    END IF;
    RETURN pg_catalog.jsonb_build_object('name', parity_internal.record_quoted(parts), 'error', pg_catalog.jsonb_build_object(
        'sqlstate', state, 'message', message));
END
$$;
COMMENT ON FUNCTION parity_internal.record_find(text) IS
    'the relation that a name means to the caller: {"oid", "name"}, or {"name", "error"} with its SQLSTATE and message; internal';

CREATE FUNCTION parity_internal.record_quoted(parts text[]) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off AS $$
    SELECT string_agg(quote_ident(p.name), '.' ORDER BY p.no) FROM unnest(parts) WITH ORDINALITY AS p(name, no)
$$;
COMMENT ON FUNCTION parity_internal.record_quoted(text[]) IS 'a qualified name, quoted where it must be; internal';

CREATE FUNCTION parity_internal.record_name(relation oid) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT parity_internal.record_quoted(ARRAY[n.nspname::text, c.relname::text])
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation
$$;
COMMENT ON FUNCTION parity_internal.record_name(oid) IS 'the qualified name under which a relation is recorded; internal';

CREATE FUNCTION parity_internal.record_find_callback(callback text) RETURNS jsonb
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    found pg_catalog.oid;
    state pg_catalog.text;
    message pg_catalog.text;
BEGIN
    IF callback IS NULL THEN
        RETURN NULL;
    END IF;
    found := pg_catalog.concat(callback, '(pg_catalog.jsonb)')::pg_catalog.regprocedure;
    RETURN (SELECT pg_catalog.jsonb_build_object('oid', p.oid,
                'name', parity_internal.record_quoted(ARRAY[n.nspname::pg_catalog.text, p.proname::pg_catalog.text]))
            FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace
            WHERE p.oid OPERATOR(pg_catalog.=) found);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
    RETURN pg_catalog.jsonb_build_object('error', pg_catalog.jsonb_build_object('sqlstate', state, 'message', message));
END
$$;
COMMENT ON FUNCTION parity_internal.record_find_callback(text) IS
    'the function of one jsonb that a name means to the caller, as record_find gives a relation; internal';

CREATE FUNCTION parity_internal.record_require_primary() RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF pg_is_in_recovery() THEN
        RAISE EXCEPTION USING ERRCODE = '25006', MESSAGE = 'a standby cannot keep the records of a verification',
            HINT = 'Call it on the primary. The foreign server of parity.verify may lead to a standby.';
    END IF;
END
$$;
COMMENT ON FUNCTION parity_internal.record_require_primary() IS
    'an error (25006) on a standby, where nothing can be recorded; internal';

CREATE FUNCTION parity_internal.record_require_values(asked jsonb, names text[]) RETURNS void
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY names LOOP
        IF asked ->> name IS NULL THEN
            RAISE EXCEPTION USING MESSAGE = format('%s must not be NULL', name), ERRCODE = '22004';
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION parity_internal.record_require_values(jsonb, text[]) IS
    'an error (22004) where what a record would be about is not given; internal';

REVOKE ALL ON FUNCTION
    parity_internal.record_payload(bigint, bigint), parity_internal.record_line(bigint, bigint), parity_internal.record_hint(bigint, bigint, text),
    parity_internal.record_tell(bigint, bigint), parity.forget(text, text, text),
    parity_internal.record_check(bigint), parity_internal.record_goes_on(bigint), parity_internal.record_about(text, jsonb), parity_internal.record_require_end(text), parity_internal.record_dead_runs(), parity_internal.record_message(text, text),
    parity_internal.record_error(bigint, bigint, text, text), parity_internal.record_may_read(text, jsonb), parity_internal.record_require_read(text, jsonb),
    parity_internal.record_run_start(text, text, text, text, jsonb, boolean), parity_internal.record_table_start(bigint, text, text, jsonb),
    parity_internal.record_table_phase(bigint, text), parity_internal.record_divergences(bigint, jsonb), parity_internal.record_table_finish(bigint, text, jsonb),
    parity_internal.record_tables_skipped(bigint, text[], text, jsonb), parity_internal.record_run_finish(bigint, text, text, text), parity_internal.record_trim(),
    parity_internal.record_find(text), parity_internal.record_quoted(text[]), parity_internal.record_spelled(text), parity_internal.record_name(oid), parity_internal.record_find_callback(text),
    parity_internal.record_require_values(jsonb, text[]), parity_internal.record_require_primary()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    parity_internal.record_payload(bigint, bigint), parity_internal.record_line(bigint, bigint), parity_internal.record_hint(bigint, bigint, text),
    parity.forget(text, text, text), parity_internal.record_dead_runs(), parity_internal.record_message(text, text), parity_internal.record_error(bigint, bigint, text, text),
    parity_internal.record_run_start(text, text, text, text, jsonb, boolean), parity_internal.record_table_start(bigint, text, text, jsonb),
    parity_internal.record_table_phase(bigint, text), parity_internal.record_divergences(bigint, jsonb), parity_internal.record_table_finish(bigint, text, jsonb),
    parity_internal.record_tables_skipped(bigint, text[], text, jsonb), parity_internal.record_run_finish(bigint, text, text, text), parity_internal.record_trim(),
    parity_internal.record_find(text), parity_internal.record_quoted(text[]), parity_internal.record_name(oid), parity_internal.record_find_callback(text),
    parity_internal.record_require_values(jsonb, text[]), parity_internal.record_require_primary()
    TO parity_operator;
GRANT EXECUTE ON FUNCTION parity_internal.record_goes_on(bigint), parity_internal.record_about(text, jsonb) TO parity_reader;
GRANT SELECT ON parity.status, parity.run, parity.run_table TO parity_reader;
GRANT SELECT ON parity.divergence, parity.findings, parity.run_error TO parity_operator;
