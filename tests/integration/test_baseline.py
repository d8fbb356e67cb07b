"""Baselines and records where pg_regress cannot go: several sessions, dumps into other clusters, and what the server tells."""

import json
import subprocess
import threading

import psycopg2
import pytest

from support.cluster import clean_environment

LEDGER = ("CREATE TABLE ledger (id bigint PRIMARY KEY, entry text NOT NULL, amount numeric, at timestamptz DEFAULT '2024-01-01 00:00+00', doc jsonb);"
          "INSERT INTO ledger SELECT g, 'entry ' || g, g / 7.0, timestamptz '2024-01-01+00' + g * interval '1 s', jsonb_build_object('n', g) "
          "FROM generate_series(1, 20000) g; ANALYZE ledger")


@pytest.fixture
def archive(source_cluster):
    database = source_cluster.create_database()
    database.execute(LEDGER)
    yield database
    source_cluster.drop_database(database)


def capture(database, label="2024", **arguments):
    given = "".join(f", {name} => {value}" for name, value in arguments.items())
    return database.query(f"SELECT * FROM parity.capture('ledger', '{label}'{given})")[0]


def verify(database, label="2024", connection=None, **arguments):
    """Runs verify_baseline and gives its run's number and result."""
    given = "".join(f", {name} => {value}" for name, value in arguments.items())
    with (connection or database.connection).cursor() as cursor:
        cursor.execute(f"CALL parity.verify_baseline('ledger', '{label}'{given})")
        return cursor.fetchone()


def forge(database):
    """One difference."""
    database.execute("UPDATE ledger SET entry = 'forged' WHERE id = 11111")


def recorded(database, run):
    return database.query("SELECT status, sqlstate, message FROM parity.run_table WHERE run_id = %s", [run])[0]


class InBackground:
    """verify_baseline in a session of its own, until `with` ends."""

    def __init__(self, database, **arguments):
        self.database, self.arguments, self.error, self.result = database, arguments, None, None

    def __enter__(self):
        self.connection = self.database.connect()
        self.pid = self.connection.get_backend_pid()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        return self

    def _run(self):
        try:
            self.result = verify(self.database, connection=self.connection, **self.arguments)
        except psycopg2.Error as error:
            self.error = error

    def wait_for_lock(self):
        self.database.cluster.wait_for(f"SELECT count(*) > 0 FROM pg_stat_activity WHERE pid = {self.pid} AND wait_event_type = 'Lock'")

    def __exit__(self, *_):
        self.thread.join(60)
        self.connection.close()


# ---- dumps -----------------------------------------------------------------------------------------------------

def program(database, name, *arguments):
    installation = database.cluster.installation
    return installation.command(installation.binary(name), *arguments, "-d", database.tcp_conninfo())


@pytest.mark.parametrize("form", ["custom", "plain"])
def test_a_dump_keeps_records_and_baselines(archive, target_cluster, form):
    capture(archive)
    capture(archive, "part", columns="'{amount}'", filter="'id < 100'", width="128", forms="'{\"amount\": \"decimal\"}'")
    assert verify(archive)[1] == "identical"
    archive.execute("UPDATE ledger SET amount = -amount WHERE id = 7")
    run, result = verify(archive)
    assert result == "divergent"
    archive.execute("UPDATE ledger SET amount = -amount WHERE id = 7")
    archive.execute("SELECT parity_internal.record_run_finish(parity_internal.record_run_start('verify', 'here', 'there', 'test'), 'failed', '22P02', 'a secret')")
    archive.execute("SELECT parity_internal.record_run_start('verify', 'here', 'there', 'test')")  # and one that goes on while the dump is made
    status = "SELECT relation, kind, target, result, finished, last_identical, divergent_ranges, run_id, message FROM parity.status ORDER BY 1, 2, 3"
    dump = subprocess.run(program(archive, "pg_dump", "--no-sync", "--format", form), check=True, capture_output=True, env=clean_environment())
    copy = target_cluster.create_database(extension=False)
    try:
        if form == "plain":
            command = program(copy, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1")
        else:
            command = program(copy, "pg_restore", "--exit-on-error")
        done = subprocess.run(command, input=dump.stdout, capture_output=True, env=clean_environment(), check=False)
        assert done.returncode == 0, done.stderr.decode()
        for table in ("run", "run_table", "run_error", "divergence", "baseline", "baseline_range"):
            rows = f"SELECT md5(string_agg(r::text, E'\\n' ORDER BY r::text)), count(*) FROM parity.{table} r"
            assert copy.query(rows) == archive.query(rows), table
        assert copy.query(status) == archive.query(status) != []
        before = run + 2
        assert verify(copy) == (before + 1, "identical")
        assert verify(copy, "part")[1] == "identical"
        assert copy.value(f"SELECT status FROM parity.run WHERE id = {before}") == "died"
        copy.execute("UPDATE ledger SET doc = '{\"n\": 0}' WHERE id = 12345; DELETE FROM ledger WHERE id = 3")
        run, result = verify(copy)
        assert result == "divergent"
        found = copy.query("SELECT d.kind, (d.key ->> 'lower')::bigint, (d.key ->> 'upper')::bigint, d.columns FROM parity.divergence d "
                           "JOIN parity.run_table t ON t.id = d.run_table_id WHERE t.run_id = %s ORDER BY d.id", [run])
        (first, second) = found
        assert first[0] == second[0] == "range"
        assert first[1] is None and 3 < first[2] and set(first[3]) == {"amount", "at", "doc", "entry"}
        assert second[1] <= 12345 < second[2] and second[3] == ["doc"]
        assert verify(copy, "part")[1] == "divergent"  # it has the row that is gone
        assert copy.query("SELECT grantee, privilege_type FROM information_schema.role_table_grants WHERE table_schema = 'parity' AND grantee = 'PUBLIC'") == []
        assert copy.value("SELECT has_column_privilege('parity_reader', 'parity.baseline', 'seed', 'SELECT')") is False
    finally:
        target_cluster.drop_database(copy)


def test_a_cluster_with_a_role_of_that_name_keeps_it(source_cluster, archive):
    """Roles belong to the cluster: who made parity_operator first decides who is in it."""
    archive.execute("CREATE ROLE planted; GRANT parity_operator TO planted; ALTER ROLE parity_operator CONNECTION LIMIT 7")
    other = source_cluster.create_database(options="TEMPLATE template0")
    try:
        assert other.value("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'parity_operator'") == 7
        assert other.value("SELECT pg_has_role('planted', 'parity_reader', 'MEMBER')")
        other.execute("DROP EXTENSION pg_parity")
        assert other.value("SELECT count(*) FROM pg_roles WHERE rolname IN ('parity_reader', 'parity_operator')") == 2
    finally:
        source_cluster.drop_database(other)
        archive.execute("ALTER ROLE parity_operator CONNECTION LIMIT -1; DROP ROLE planted")


# ---- what is told ------------------------------------------------------------------------------------------------

def test_it_tells_by_notification_log_and_callback(archive):
    capture(archive)
    archive.execute("CREATE TABLE told (what jsonb); CREATE FUNCTION tell(jsonb) RETURNS void LANGUAGE sql AS 'INSERT INTO public.told VALUES ($1)'")
    listener = archive.connect()
    listener.cursor().execute("LISTEN parity")
    verify(archive)
    archive.execute("UPDATE ledger SET entry = 'forged' WHERE id = 11111")
    log = len(archive.cluster.log())
    run, result = verify(archive, callback="'tell'")
    with pytest.raises(psycopg2.Error) as raised:
        verify(archive, fail="true")
    assert raised.value.pgcode == "PP002" and "divergent" in str(raised.value)
    listener.cursor().execute("SELECT 1")
    listener.poll()
    payloads = [json.loads(n.payload) for n in listener.notifies]
    listener.close()
    assert [p["status"] for p in payloads] == ["identical", "divergent", "divergent"]
    assert payloads[1] == {"run": run, "kind": "baseline", "relation": "public.ledger", "target": "2024", "status": "divergent", "divergent_ranges": 1}
    assert archive.value("SELECT what FROM told") == payloads[1]
    logged = archive.cluster.log()[log:]
    assert "WARNING:  verification of public.ledger against 2024: divergent, 1 of " in logged
    # One line: nothing of where in PL/pgSQL it was raised. The call that failed is an error of its own.
    lines = logged.splitlines()
    after = [lines[n + 1] for n, line in enumerate(lines[:-1]) if "WARNING:  verification of" in line]
    assert len(after) == 2 and not any("CONTEXT" in line or "HINT" in line or "STATEMENT" in line for line in after), logged
    assert any(line.endswith(f"; SELECT * FROM parity.findings WHERE run_id = {run}") for line in lines), logged


def test_the_seed_stays_with_operators(archive):
    capture(archive)
    seed = archive.value("SELECT seed FROM parity.baseline")
    run, _ = verify(archive)
    shown = str(archive.query("SELECT r::text FROM parity.run r")) + str(archive.query("SELECT r::text FROM parity.run_table r"))
    assert str(seed) not in shown and str(seed) not in archive.cluster.log()


# ---- sessions ----------------------------------------------------------------------------------------------------

def test_a_second_run_steps_aside(archive):
    capture(archive)
    capture(archive, "other")
    other = archive.connect()
    number = archive.value("SELECT 'ledger'::regclass::oid::bigint::bit(32)::integer")
    other.cursor().execute(f"SELECT pg_advisory_lock(parity_internal.verify_lock_class('baseline', '2024'), {number})")
    archive.execute("UPDATE ledger SET amount = -amount WHERE id = 7")
    assert verify(archive, "other")[1] == "divergent"  # with something else it may be compared meanwhile
    archive.execute("UPDATE ledger SET amount = -amount WHERE id = 7")
    assert verify(archive, "other")[1] == "identical"
    run, result = verify(archive)
    holder = other.info.backend_pid
    assert result == "skipped" and recorded(archive, run) == ("skipped", None, f"another run has the table (pid {holder})")
    with pytest.raises(psycopg2.Error) as raised:
        verify(archive, fail="true")
    assert raised.value.pgcode == "PP003"
    other.close()
    archive.cluster.wait_for("SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory'")
    assert archive.query("SELECT target, result FROM parity.status ORDER BY 1") == [("2024", "skipped"), ("other", "identical")]
    assert verify(archive)[1] == "identical"
    assert archive.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    other = archive.connect()
    other.cursor().execute(f"SELECT pg_advisory_lock(parity_internal.verify_lock_class('baseline', '2024'), {number})")
    assert verify(archive)[1] == "skipped"
    other.close()
    assert archive.query("SELECT target, result FROM parity.status ORDER BY 1") == [("2024", "identical"), ("other", "identical")]  # no skipped one hides a result
    forge(archive)
    assert verify(archive)[1] == "divergent"


def test_a_lock_is_not_waited_for_long(archive):
    capture(archive)
    holder = archive.connect()
    holder.cursor().execute("BEGIN; LOCK TABLE ledger")
    run, result = verify(archive, lock_timeout="'50 ms'")
    assert result == "failed" and recorded(archive, run) == ("failed", "55P03", "canceling statement due to lock timeout")
    holder.close()


def test_cancelling_is_recorded_and_goes_on(archive):
    capture(archive)
    holder = archive.connect()
    holder.cursor().execute("BEGIN; LOCK TABLE ledger")
    with InBackground(archive) as running:
        running.wait_for_lock()
        assert archive.value("SELECT running FROM parity.status").startswith("digesting for ")
        archive.execute(f"SELECT pg_cancel_backend({running.pid})")
    assert running.error.pgcode == "57014"
    assert archive.query("SELECT status, sqlstate FROM parity.run") == [("cancelled", "57014")]
    assert archive.query("SELECT status, sqlstate FROM parity.run_table") == [("cancelled", "57014")]
    holder.close()
    assert verify(archive)[1] == "identical"
    forge(archive)
    assert verify(archive)[1] == "divergent"


def test_a_run_that_died_is_found_by_the_next(archive):
    capture(archive)
    holder = archive.connect()
    holder.cursor().execute("BEGIN; LOCK TABLE ledger")
    with InBackground(archive) as running:
        running.wait_for_lock()
        archive.execute(f"SELECT pg_terminate_backend({running.pid})")
    holder.close()
    archive.cluster.wait_for(f"SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = {running.pid}")
    assert archive.query("SELECT status FROM parity.run") == [("running",)]
    assert archive.query("SELECT result, running FROM parity.status") == [(None, "died: the session of run 1 has left it")]
    assert verify(archive)[1] == "identical"
    assert archive.query("SELECT r.status, t.status, t.message FROM parity.run r JOIN parity.run_table t ON t.run_id = r.id ORDER BY r.id") == [
        ("died", "died", "its session ended before it did"), ("identical", "identical", None)]
    forge(archive)
    assert verify(archive)[1] == "divergent"


def test_a_run_that_its_session_broke_off_is_found_by_the_next(archive):
    """The session lives, and does something else."""
    capture(archive)
    connection = archive.connect()
    cursor = connection.cursor()
    cursor.execute("SELECT parity_internal.record_table_start(parity_internal.record_run_start('verify', 'here', 'there', 'test', '{}', true), 'a', 'a')")
    assert archive.query("SELECT running FROM parity.status") == [("died: the session of run 1 has left it",)]
    assert verify(archive)[1] == "identical"
    assert archive.query("SELECT t.status, t.message FROM parity.run_table t WHERE relation = 'a'") == [("died", "its session broke it off")]
    # One that is recorded statement by statement goes on between them, and until its session begins another.
    for relation in ("b", "c"):
        cursor.execute(f"SELECT parity_internal.record_table_start(parity_internal.record_run_start('compare', 'here', 'there', 'test'), '{relation}', 'b')")
        assert verify(archive)[1] == "identical"
        assert archive.query(f"SELECT running LIKE 'starting for %' FROM parity.status WHERE relation = '{relation}'") == [(True,)]
    forge(archive)
    assert verify(archive)[1] == "divergent"
    assert archive.query("SELECT t.relation, t.status, t.message FROM parity.run_table t WHERE relation IN ('b', 'c') ORDER BY 1") == [
        ("b", "died", "its session broke it off"), ("c", "running", None)]
    # A later session may have the same number.
    archive.execute("UPDATE parity.run SET backend_start = backend_start - interval '1 day' WHERE finished IS NULL")
    assert archive.query("SELECT running LIKE 'died%' FROM parity.status WHERE relation = 'c'") == [(True,)]
    connection.close()


def test_what_runs_is_seen_by_readers_and_no_old_look_hides_it(archive):
    """Ordinary roles see nothing of others' activity; and a transaction keeps what it has seen of it."""
    name = f"reader_{archive.name}"
    archive.execute(f"CREATE ROLE {name} LOGIN IN ROLE parity_reader")
    reader, operator, runner = archive.connect(user=name), archive.connect(), None
    try:
        cursor = operator.cursor()
        cursor.execute("BEGIN")
        cursor.execute("SELECT count(*) FROM pg_stat_activity")
        runner = archive.connect()
        runner.cursor().execute("SELECT parity_internal.record_table_start(parity_internal.record_run_start('compare', 'here', 'there', 'test'), 'a', 'a')")
        cursor.execute("SELECT parity_internal.record_dead_runs()")
        assert cursor.fetchone() == (0,)
        cursor.execute("COMMIT")
        with reader.cursor() as seen:
            seen.execute("SELECT running LIKE 'starting for %' FROM parity.status")
            assert seen.fetchall() == [(True,)]
    finally:
        for connection in (reader, operator, runner):
            if connection:
                connection.close()
        archive.execute(f"DROP ROLE {name}")


def test_a_finding_that_cannot_be_recorded_is_told(archive):
    capture(archive)
    archive.execute("UPDATE ledger SET entry = 'forged' WHERE id = 11111")
    holder = archive.connect()
    holder.cursor().execute("BEGIN; LOCK TABLE parity.divergence IN ACCESS EXCLUSIVE MODE")
    connection = archive.connect()
    connection.cursor().execute("SET statement_timeout = '2s'")
    assert verify(archive, connection=connection)[1] == "divergent"
    assert archive.query("SELECT status, sqlstate, message FROM parity.run_table") == [
        ("divergent", "57014", "what differs could not be recorded: canceling statement due to statement timeout")]
    assert archive.query("SELECT status FROM parity.run") == [("divergent",)]
    holder.close()
    connection.close()


def test_a_table_or_baseline_that_is_gone_is_recorded(archive):
    capture(archive)
    forge(archive)
    assert verify(archive)[1] == "divergent"
    archive.execute("UPDATE ledger SET entry = 'entry 11111' WHERE id = 11111")
    assert verify(archive)[1] == "identical"
    log = len(archive.cluster.log())
    with pytest.raises(psycopg2.errors.UndefinedObject, match='has no baseline "none"'):
        verify(archive, "none")
    archive.execute("ALTER TABLE ledger RENAME TO renamed")
    with pytest.raises(psycopg2.errors.UndefinedTable, match='relation "ledger" does not exist'):
        verify(archive)
    assert archive.query("SELECT relation, target, result, message, last_identical IS NOT NULL FROM parity.status ORDER BY target") == [
        ("public.ledger", "2024", "failed", 'relation "ledger" does not exist', True),
        ("public.ledger", "none", "failed", 'public.ledger has no baseline "none"', False)]
    assert archive.cluster.log()[log:].count("WARNING:  verification of public.ledger against") == 2
    assert archive.query("SELECT status, sqlstate FROM parity.run ORDER BY id") == [("divergent", None), ("identical", None), ("failed", "42704"), ("failed", "42P01")]


def test_a_run_that_fails_does_not_hide_a_known_divergence(archive):
    standing = "SELECT result, last_verdict, last_verdict_run, last_verdict_at < finished FROM parity.status"
    capture(archive)
    verify(archive)
    assert archive.query(standing) == [("identical", "identical", 1, False)]
    forge(archive)
    run, _ = verify(archive)
    assert archive.query(standing) == [("divergent", "divergent", run, False)]
    archive.execute("ALTER TABLE ledger RENAME TO renamed")
    with pytest.raises(psycopg2.errors.UndefinedTable):
        verify(archive)
    assert archive.query(standing) == [("failed", "divergent", run, True)]
    assert archive.query("SELECT count(*) FROM parity.findings f JOIN parity.status s ON f.run_id = s.last_verdict_run") == [(1,)]
    archive.execute("ALTER TABLE renamed RENAME TO ledger; UPDATE ledger SET entry = 'entry 11111' WHERE id = 11111")
    run, _ = verify(archive)
    assert archive.query(standing) == [("identical", "identical", run, False)]


def test_a_table_that_was_emptied_after_the_snapshot_is_read_again(archive):
    """It would be read as empty under the old one, whatever has been put into it since."""
    capture(archive)
    holder = archive.connect()
    holder.cursor().execute("BEGIN; CREATE TEMPORARY TABLE kept AS TABLE ledger; TRUNCATE ledger; INSERT INTO ledger TABLE kept")
    with InBackground(archive) as running:
        running.wait_for_lock()
        holder.cursor().execute("COMMIT")
    holder.close()
    assert running.result[1] == "identical"
    holder = archive.connect()
    holder.cursor().execute("BEGIN; TRUNCATE ledger")
    with InBackground(archive) as running:
        running.wait_for_lock()
        holder.cursor().execute("COMMIT")
    holder.close()
    assert running.result[1] == "divergent"
    assert archive.query("SELECT source_rows, target_rows FROM parity.run_table ORDER BY id DESC LIMIT 1") == [(0, 20000)]


def test_rows_are_written_while_it_is_captured(archive):
    """The highest key is that of the rows that were digested: no row that came meanwhile is taken for a captured one."""
    stop = threading.Event()

    def write():
        connection = archive.connect()
        number = 20000
        while not stop.is_set():
            number += 1
            connection.cursor().execute("INSERT INTO ledger (id, entry) VALUES (%s, 'new')", [number])
        connection.close()
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for round in range(20):
            rows, _, highest = capture(archive, f"round {round}")
            assert rows == int(highest)
            assert verify(archive, f"round {round}", allow_appends="true")[1] == "identical"
        forge(archive)
        assert verify(archive, f"round {round}", allow_appends="true")[1] == "divergent"
    finally:
        stop.set()
        writer.join()


def test_defaults_of_a_role_do_not_matter(archive):
    capture(archive)
    archive.execute("CREATE ROLE odd LOGIN IN ROLE parity_operator; GRANT SELECT ON ledger TO odd; ALTER ROLE odd SET default_transaction_isolation = 'serializable';"
                    "ALTER ROLE odd SET default_transaction_read_only = on; ALTER ROLE odd SET search_path = ''; ALTER ROLE odd SET row_security = off;"
                    "ALTER ROLE odd SET DateStyle = 'German'; ALTER ROLE odd SET plpgsql.variable_conflict = 'error'")
    connection = archive.connect(user="odd")
    with connection.cursor() as cursor:
        cursor.execute("CALL parity.verify_baseline('public.ledger', '2024')")
        assert cursor.fetchone()[1] == "identical"
        forge(archive)
        cursor.execute("CALL parity.verify_baseline('public.ledger', '2024')")
        assert cursor.fetchone()[1] == "divergent"
    connection.close()
    assert archive.query("SELECT details ->> 'path' FROM parity.run_table") == [("scan",)] * 2
    archive.execute("DROP OWNED BY odd; DROP ROLE odd")


# ---- what a table has become, and how it is read ---------------------------------------------------------------

LIKE_LEDGER = "id bigint NOT NULL, entry text NOT NULL, amount numeric, at timestamptz, doc jsonb"
BECOMES = {
    "a view": "ALTER TABLE ledger RENAME TO kept; CREATE VIEW ledger AS SELECT * FROM kept",
    "a materialized view": "ALTER TABLE ledger RENAME TO kept; CREATE MATERIALIZED VIEW ledger AS SELECT * FROM kept",
    "a foreign table": "ALTER TABLE ledger RENAME TO kept; CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;"
                       f"CREATE FOREIGN TABLE ledger ({LIKE_LEDGER}) SERVER files OPTIONS (filename '/dev/null')",
    "a partitioned table": f"ALTER TABLE ledger RENAME TO kept; CREATE TABLE ledger ({LIKE_LEDGER}, PRIMARY KEY (id)) PARTITION BY RANGE (id);"
                           "ALTER TABLE ledger ATTACH PARTITION kept FOR VALUES FROM (1) TO (30000)",
}


@pytest.mark.parametrize("kind", BECOMES)
def test_a_table_that_became_another_kind_is_not_identical(archive, kind):
    """Not even where the rows are equal: what was captured is not what is read."""
    capture(archive, ranges=8)
    assert verify(archive)[1] == "identical"
    archive.execute(BECOMES[kind])
    run, result = verify(archive)
    assert result == "failed"
    assert recorded(archive, run) == ("failed", "42809", f"public.ledger was a table when it was captured, and is {kind} now")
    if kind == "a foreign table":
        return
    capture(archive, ranges=8, replace="true", key_columns="'{id}'")
    assert verify(archive)[1] == "identical"
    archive.execute("UPDATE kept SET amount = 0 WHERE id = 7")
    if kind == "a materialized view":
        archive.execute("REFRESH MATERIALIZED VIEW ledger")
    assert verify(archive)[1] == "divergent"


def test_what_was_captured_by_a_query_is_read_from_pages(archive):
    """A serializable transaction has no choice: its baseline holds for either path."""
    with archive.connection.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT * FROM parity.capture('ledger', '2024', ranges => 8); COMMIT")
    assert archive.query("SELECT path FROM parity.baseline") == [(None,)]
    run, result = verify(archive)
    assert result == "identical"
    assert archive.query("SELECT details ->> 'path' FROM parity.run_table WHERE run_id = %s", [run]) == [("scan",)]
    archive.execute("UPDATE ledger SET amount = 0 WHERE id = 7")
    run, result = verify(archive)
    assert result == "divergent"
    assert archive.query("SELECT divergent_ranges, divergent_columns::text FROM parity.run_table WHERE run_id = %s", [run]) == [(1, "{amount}")]
