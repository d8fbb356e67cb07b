
--
-- records: what verifications found
--

-- Members of parity_reader see the state of each table. Members of parity_operator verify, and see the keys of rows
-- that differ. Roles belong to the whole cluster: another database may have made them already, and DROP EXTENSION
-- leaves them.
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
    'how a run or its part on one table stands: running; identical; divergent (confirmed differences); in_flight '
    '(differences that kept changing while they were looked at); incomplete (no difference found, but not everything '
    'was compared); failed; cancelled; died (its session ended without a word); skipped (another run had the table)';

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
    'one row a run: a call of parity.verify (kind verify), parity.verify_baseline (baseline), or a pgparity compare '
    '--record (compare); written by the functions parity_internal.record_... only';
COMMENT ON COLUMN parity.run.kind IS
    'verify: against another cluster; baseline: against what was captured; compare: by pgparity';
COMMENT ON COLUMN parity.run.status IS 'how it stands or ended: of its tables'' states the worst';
COMMENT ON COLUMN parity.run.source IS
    'the side that is believed: this database, or what pgparity connected to, without passwords';
COMMENT ON COLUMN parity.run.target IS
    'the other side: a foreign server, the label of a baseline, or what pgparity connected to, without passwords';
COMMENT ON COLUMN parity.run.sqlstate IS 'of the error that ended the run';
COMMENT ON COLUMN parity.run.message IS
    'why it ended as it did; of an error whose text may quote a value, that there is one in parity.run_error';
COMMENT ON COLUMN parity.run.options IS 'what was asked for';
COMMENT ON COLUMN parity.run.tool IS 'what ran, with its version';
COMMENT ON COLUMN parity.run.performer IS 'the role that had logged in';
COMMENT ON COLUMN parity.run.pid IS 'see backend_start';
COMMENT ON COLUMN parity.run.backend_start IS 'with pid: the session that runs, or ran, and records';
COMMENT ON COLUMN parity.run.statement_start IS
    'of the CALL that is the run; NULL where a program records it statement by statement, or the server does not track '
    'activities';
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
    'what was asked for that is not the whole table with its namesake: filter, columns, without_columns, key_columns, '
    'forms, target_relation, visible_rows_only; {}: the whole table';
COMMENT ON COLUMN parity.run_table.status IS 'how it stands or ended';
COMMENT ON COLUMN parity.run_table.phase IS 'what is done just now';
COMMENT ON COLUMN parity.run_table.source_rows IS 'rows that the source has';
COMMENT ON COLUMN parity.run_table.target_rows IS 'rows that the target has; of a baseline, those that were captured';
COMMENT ON COLUMN parity.run_table.divergent_ranges IS 'ranges whose digests differ';
COMMENT ON COLUMN parity.run_table.divergent_rows IS
    'confirmed differences: rows that differ, or that one side lacks; more if unnamed_ranges is not 0';
COMMENT ON COLUMN parity.run_table.in_flight_rows IS
    'rows that differed and kept changing: neither equal nor divergent';
COMMENT ON COLUMN parity.run_table.cleared_rows IS
    'rows that differed at first and were equal, or absent on both sides, when looked at again';
COMMENT ON COLUMN parity.run_table.unnamed_ranges IS
    'divergent ranges of which not all rows were named, because that would have been more than max_rows';
COMMENT ON COLUMN parity.run_table.divergent_columns IS 'columns that differ in some range or row';
COMMENT ON COLUMN parity.run_table.source_lsn IS
    'write position of the source when its last snapshot was taken; NULL if unknown';
COMMENT ON COLUMN parity.run_table.target_lsn IS 'the same of the target';
COMMENT ON COLUMN parity.run_table.not_compared IS 'what was left out and why: a list of {"what", "reason"}';
COMMENT ON COLUMN parity.run_table.details IS 'how it went: paths, workers, milliseconds, rechecks';
COMMENT ON COLUMN parity.run_table.sqlstate IS 'of the error that ended it';
COMMENT ON COLUMN parity.run_table.message IS
    'why it ended as it did, or what was left out; of an error whose text may quote a value, that there is one in '
    'parity.run_error';
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
    'one row a difference: a row that differs in columns, or that one side lacks, or (kind range) a range of keys '
    'whose rows were not all named';
COMMENT ON COLUMN parity.divergence.kind IS
    'mismatch, missing_on_target, missing_on_source: of a row; range: of the rows of a range';
COMMENT ON COLUMN parity.divergence.state IS 'divergent: confirmed; in_flight: it kept changing';
COMMENT ON COLUMN parity.divergence.key IS
    'the key''s columns as text; of a range its lower and upper bound, null at an end';
COMMENT ON COLUMN parity.divergence.columns IS 'the columns that differ, where both sides have the row or the range';
COMMENT ON COLUMN parity.divergence.occurrences IS 'of a table without a key: how many rows more one side has';
COMMENT ON COLUMN parity.divergence.source_values IS
    'the values of the columns that differ, only if that was asked for';
COMMENT ON COLUMN parity.divergence.target_values IS 'the same of the target';
CREATE INDEX divergence_run_table ON parity.divergence (run_table_id);

-- These texts are in a table of their own, so that parity_reader can read all of the other tables.
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

-- The statistics of activity are read anew, because a run may have begun since this transaction first read them. An
-- ordinary role does not see the activity of others, but it may know whether a run goes on: the function runs as its
-- owner.
CREATE FUNCTION parity_internal.record_goes_on(run_id bigint) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_stat_clear_snapshot();
    RETURN EXISTS (
        SELECT FROM parity.run r JOIN pg_stat_activity a ON a.pid = r.pid AND a.backend_start = r.backend_start
        WHERE r.id = run_id AND r.finished IS NULL
          AND (r.statement_start IS NULL OR a.state = 'disabled'
               OR (a.state = 'active' AND a.query_start = r.statement_start)));
END
$$;
COMMENT ON FUNCTION parity_internal.record_goes_on(bigint) IS
    'whether a run has not ended, and its session is there and still runs the CALL that is the run';

-- The label of a baseline stands for its rows and columns. A baseline that could not be read, or was captured anew, is
-- the same one.
CREATE FUNCTION parity_internal.record_about(kind text, scope jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE kind WHEN 'baseline' THEN scope - '{filter,columns}'::text[] ELSE scope END
$$;
COMMENT ON FUNCTION parity_internal.record_about(text, jsonb) IS
    'what of a scope tells a line of parity.status from others about the same table and target';

-- A line is about one table, one target and one scope, so that the result of a part is not taken for the whole table. A
-- run that ended before it came to any table has a line of its own, until a later run of its kind gets further.
CREATE VIEW parity.status AS
WITH part AS (
    SELECT t.relation, r.kind, r.target, t.scope, parity_internal.record_about(r.kind, t.scope) AS about, t.run_id,
           CASE WHEN t.details OPERATOR(pg_catalog.?) 'left_out'::text THEN 'left_out'
                ELSE t.status::text END AS status,
           t.phase, t.started, t.finished, t.divergent_ranges, t.divergent_rows, t.in_flight_rows, t.unnamed_ranges,
           t.message, t.sqlstate, r.performer, r.pid
    FROM parity.run_table t JOIN parity.run r ON r.id OPERATOR(pg_catalog.=) t.run_id
    WHERE NOT t.details OPERATOR(pg_catalog.?) 'dropped'::text
    UNION ALL
    SELECT NULL, r.kind, r.target, '{}'::jsonb, '{}'::jsonb, r.id,
           r.status::text,
           NULL, r.started, r.finished, NULL, NULL, NULL, NULL,
           r.message, r.sqlstate, r.performer, r.pid
    FROM parity.run r
    WHERE r.finished IS NOT NULL AND r.status OPERATOR(pg_catalog.<>) 'identical'::text
      AND NOT EXISTS (SELECT FROM parity.run_table t WHERE t.run_id OPERATOR(pg_catalog.=) r.id)
      AND NOT EXISTS (
        SELECT FROM parity.run l JOIN parity.run_table t ON t.run_id OPERATOR(pg_catalog.=) l.id
        WHERE l.id OPERATOR(pg_catalog.>) r.id AND l.kind OPERATOR(pg_catalog.=) r.kind
          AND l.target OPERATOR(pg_catalog.=) r.target)
), last AS (
    SELECT DISTINCT ON (relation, kind, target, about) *
    FROM part WHERE finished IS NOT NULL
    ORDER BY relation, kind, target, about,
             CASE WHEN status OPERATOR(pg_catalog.=) ANY ('{skipped,left_out}'::text[]) THEN 1 ELSE 0 END,
             finished DESC, run_id DESC
), running AS (
    SELECT DISTINCT ON (relation, kind, target, about) * FROM part
    WHERE finished IS NULL ORDER BY relation, kind, target, about, run_id DESC
), verified AS (
    SELECT relation, kind, target, about, pg_catalog.max(finished) AS at FROM part
    WHERE status OPERATOR(pg_catalog.=) 'identical'::text GROUP BY relation, kind, target, about
), concluded AS (
    SELECT DISTINCT ON (relation, kind, target, about) * FROM part
    WHERE status OPERATOR(pg_catalog.=) ANY ('{identical,divergent}'::text[])
    ORDER BY relation, kind, target, about, finished DESC, run_id DESC
)
SELECT relation, kind, target, nullif(coalesce(last.scope, running.scope), '{}'::jsonb) AS scope,
       last.status AS result, last.finished,
       pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) last.finished) AS age,
       verified.at AS last_identical, concluded.status AS last_verdict, concluded.finished AS last_verdict_at,
       concluded.run_id AS last_verdict_run, last.divergent_ranges, last.divergent_rows, last.in_flight_rows,
       CASE WHEN parity_internal.record_goes_on(running.run_id) THEN
           pg_catalog.format(
               '%s for %s (run %s, pid %s)', coalesce(running.phase, 'starting'),
               pg_catalog.date_trunc('second', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) running.started),
               running.run_id, running.pid)
            WHEN running.run_id IS NOT NULL THEN
           pg_catalog.format('died: the session of run %s has left it', running.run_id)
       END AS running,
       last.run_id, last.performer, last.message, last.sqlstate
FROM last FULL JOIN running USING (relation, kind, target, about)
    LEFT JOIN verified USING (relation, kind, target, about)
    LEFT JOIN concluded USING (relation, kind, target, about)
ORDER BY CASE WHEN last.status OPERATOR(pg_catalog.=) ANY ('{identical,left_out}'::text[]) THEN 1 ELSE 0 END,
    relation, kind, target, about;
COMMENT ON VIEW parity.status IS
    'how each verified table stands, what is not identical first: its last result and when that was, when it was last '
    'identical, the last verdict, what differs, and what runs on it now';

COMMENT ON COLUMN parity.status.relation IS
    'the table''s qualified name; NULL: a run that ended before it came to a table';
COMMENT ON COLUMN parity.status.kind IS 'verify, baseline or compare, as in parity.run';
COMMENT ON COLUMN parity.status.target IS 'what it was compared with, as in parity.run';
COMMENT ON COLUMN parity.status.scope IS
    'what the line is about if not the whole table with its namesake, as in parity.run_table; of a baseline that of '
    'its last run; NULL: the whole table';
COMMENT ON COLUMN parity.status.result IS
    'the last result; skipped, and left_out (the target cannot have its rows, by what the table is), only where there '
    'is no other; NULL while the first run goes on';
COMMENT ON COLUMN parity.status.age IS 'how old the last result is';
COMMENT ON COLUMN parity.status.last_identical IS 'when the last run of this scope that found all identical ended';
COMMENT ON COLUMN parity.status.last_verdict IS
    'identical or divergent: what the last run found that came to a verdict. Where a later run failed, a divergence '
    'that is known stays here';
COMMENT ON COLUMN parity.status.last_verdict_at IS 'when that run ended';
COMMENT ON COLUMN parity.status.last_verdict_run IS 'its number, as in parity.findings';
COMMENT ON COLUMN parity.status.divergent_ranges IS 'of the last result';
COMMENT ON COLUMN parity.status.divergent_rows IS 'of the last result; NULL where rows are not looked at';
COMMENT ON COLUMN parity.status.in_flight_rows IS 'of the last result';
COMMENT ON COLUMN parity.status.running IS 'what a run does with the table just now, and for how long';
COMMENT ON COLUMN parity.status.performer IS 'of the last result: the role that had logged in';
COMMENT ON COLUMN parity.status.message IS 'of the last result: why it is what it is, or what was left out';
COMMENT ON COLUMN parity.status.sqlstate IS 'of the error that ended the last run';

CREATE VIEW parity.findings AS
SELECT t.run_id, t.relation, r.target, t.scope, d.kind, d.state, d.key, d.columns, d.occurrences, d.source_values,
    d.target_values
FROM parity.divergence d JOIN parity.run_table t ON t.id OPERATOR(pg_catalog.=) d.run_table_id
    JOIN parity.run r ON r.id OPERATOR(pg_catalog.=) t.run_id
ORDER BY t.run_id, t.relation, d.id;
COMMENT ON VIEW parity.findings IS
    'what each run found to differ, row by row: parity.divergence with the number of the run and the names of its '
    'table';
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
