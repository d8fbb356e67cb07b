"""`--record`: what a run leaves in the tables of a database, and what happens where it cannot leave anything."""

import contextlib
import json
import signal
import threading

import psycopg2.extensions
import pytest

from support.cluster import PASSWORD, free_port
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, PGPARITY, Run, pgparity, popen
from support.proxy import Proxy
from support.verified import Verified

pytestmark = pytest.mark.matrix(sample=1)

TABLES = """
    CREATE TABLE t (id int PRIMARY KEY, v text, w int); INSERT INTO t SELECT n, 'secret ' || n, n FROM generate_series(1, 3000) n;
    CREATE TABLE u (id int PRIMARY KEY, v int); INSERT INTO u SELECT n, n FROM generate_series(1, 50) n;
    CREATE SEQUENCE s; SELECT setval('s', 5); ANALYZE"""
# A view whose rows come only while nobody holds the lock.
GATED = """
    CREATE FUNCTION gate(v int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_lock_shared(42); PERFORM pg_advisory_unlock_shared(42); RETURN v; END $$;
    CREATE VIEW gated AS SELECT id, gate(w) AS w FROM t"""
WAITING = "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name LIKE 'pgparity%' AND datname = '{}' AND wait_event = 'advisory'"
RECORDING = "SELECT count(*) {} FROM pg_stat_activity WHERE application_name = 'pgparity: record' AND datname = '{}'"


class Records:
    """A database that runs are recorded in, by a role that may do nothing else."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.database = cluster.create_database()
        self.database.execute(f"""DO $$ BEGIN
            CREATE ROLE recorder LOGIN PASSWORD '{PASSWORD}'; CREATE ROLE stranger LOGIN PASSWORD '{PASSWORD}';
            EXCEPTION WHEN duplicate_object THEN NULL; END $$; GRANT parity_operator TO recorder""")

    def conninfo(self, **extra):
        return self.database.conninfo(user="recorder", **extra)

    def runs(self):
        """Status, SQLSTATE and message of each run."""
        return self.database.query("SELECT status, sqlstate, message FROM parity.run ORDER BY id")

    def tables(self, columns="status"):
        rows = self.database.query(f"SELECT relation, {columns} FROM parity.run_table WHERE run_id = (SELECT max(id) FROM parity.run)")
        return {relation: rest[0] if len(rest) == 1 else tuple(rest) for relation, *rest in rows}

    def divergences(self, columns="kind, key, columns"):
        return self.database.query(f"""SELECT {columns} FROM parity.divergence d JOIN parity.run_table t ON t.id = d.run_table_id
            WHERE t.run_id = (SELECT max(id) FROM parity.run) ORDER BY d.id""")

    def dump(self):
        """Everything that is recorded, as text."""
        return " ".join(str(self.database.query(f"SELECT * FROM parity.{name}")) for name in ("run", "run_table", "divergence", "status"))


@pytest.fixture
def records(source_cluster):
    made = Records(source_cluster)
    yield made
    source_cluster.wait_for(RECORDING.format("= 0", made.database.name))
    source_cluster.drop_database(made.database)


@pytest.fixture
def tables(pair):
    pair.both(TABLES)
    return pair


def recorded(pair, records, *arguments, **options):
    """A run that is recorded; the report names it."""
    run = pair.compare("--record", options.pop("record", None) or records.conninfo(), *arguments, **options)
    assert "error" not in run.report["record"], run
    assert records.database.value("SELECT max(id) FROM parity.run") == int(run.report["record"]["run"])
    return run


def test_identical(tables, records):
    recorded(tables, records).expect(IDENTICAL)
    assert records.runs() == [("identical", None, None)]
    assert records.tables("status, source_rows, target_rows, divergent_rows, unnamed_ranges") == {
        "public.t": ("identical", 3000, 3000, 0, 0), "public.u": ("identical", 50, 50, 0, 0), "public.s": ("identical", None, None, None, None)}
    assert records.divergences() == []
    kind, tool, performer, source, done = records.database.query(
        "SELECT kind, tool, performer, source, finished >= started AND options ? 'seed' FROM parity.run")[0]
    assert (kind, tool, performer, done) == ("compare", "pgparity 1.0", "recorder", True)
    assert f"dbname={tables.source.name}" in source and f"port={tables.source.cluster.port}" in source
    status = records.database.query("SELECT relation, result, running, last_identical IS NOT NULL FROM parity.status ORDER BY 1")
    assert status == [(f"public.{name}", "identical", None, True) for name in "stu"]


def test_divergent(tables, records):
    tables.target.execute("UPDATE t SET v = 'other', w = 0 WHERE id = 17; DELETE FROM t WHERE id = 18; INSERT INTO t VALUES (9000, 'x', 1)")
    recorded(tables, records, "--table", "t").expect(DIVERGENT)
    assert records.runs() == [("divergent", None, None)]
    assert records.tables("status, divergent_rows, unnamed_ranges, divergent_columns, phase") == {"public.t": ("divergent", 3, 0, ["v", "w"], None)}
    assert sorted(records.divergences()) == [
        ("mismatch", {"id": "17"}, ["v", "w"]), ("missing_on_source", {"id": "9000"}, None), ("missing_on_target", {"id": "18"}, None)]
    assert records.divergences("source_values, target_values") == [(None, None)] * 3
    assert "secret" not in records.dump() and "other" not in records.dump()
    lsn, details = records.tables("source_lsn IS NOT NULL, details")["public.t"]
    assert lsn and details["key"] == ["id"] and details["mismatch"] == 1 and details["source_path"] == "scan"


def test_a_run_over_a_part_has_a_line_of_its_own(tables, records):
    """What it finds equal is not the whole table."""
    tables.target.execute("UPDATE t SET v = 'other ' WHERE id = 17; CREATE SCHEMA moved; CREATE TABLE moved.t AS TABLE t; ALTER TABLE moved.t ADD PRIMARY KEY (id)")
    tables.source.execute("ALTER TABLE t ADD x int")
    tables.target.execute("ALTER TABLE t ADD x int; ALTER TABLE moved.t ADD x int; ALTER TABLE moved.t ADD lone int")
    table = ["--table", "public.t", "--no-sequences"]
    recorded(tables, records, *table).expect(DIVERGENT)
    parts = [["--where", "id < 10"], ["--columns", "t.w"], ["--exclude-columns", "v"], ["--key", "w", "--where", "id < 10"], ["--key", "id"],
             ["--form", "v=trimmed", "--where", "id < 10"], ["--map", "t=moved.t", "--exclude-columns", "v,lone"], ["--columns", "u.v"]]
    for arguments in parts:
        options = [*table, "--table", "u"] if "u.v" in arguments else table
        recorded(tables, records, *options, *arguments).expect(DIVERGENT if arguments in (["--key", "id"], ["--columns", "u.v"]) else IDENTICAL)
    scopes = records.database.query("SELECT scope, result FROM parity.status WHERE relation = 'public.t' ORDER BY run_id")
    assert scopes == [
        ({"filter": "id < 10"}, "identical"), ({"without_columns": ["v", "x"]}, "identical"), ({"without_columns": ["v"]}, "identical"),
        ({"filter": "id < 10", "key_columns": ["w"]}, "identical"), ({"filter": "id < 10", "forms": {"v": "trimmed"}}, "identical"),
        ({"without_columns": ["lone", "v"], "target_relation": "moved.t"}, "identical"), (None, "divergent")]
    # An option about another table is none about this one.
    assert records.database.query("SELECT scope, result FROM parity.status WHERE relation = 'public.u'") == [(None, "identical")]
    tables.target.execute("UPDATE t SET v = 'third', w = -1 WHERE id = 5; UPDATE moved.t SET w = -1 WHERE id = 5; UPDATE u SET v = -1 WHERE id = 5")
    for arguments in parts:
        options = [*table, "--table", "u"] if "u.v" in arguments else table
        recorded(tables, records, *options, *arguments).expect(DIVERGENT)
    assert {result for result, in records.database.query("SELECT result FROM parity.status")} == {"divergent"}


def test_recording_where_the_compared_tables_are_takes_select(tables):
    """A word about rows of a table that is there, by a role that may not read it, is none."""
    tables.source.execute(f"""DO $$ BEGIN CREATE ROLE recorder LOGIN PASSWORD '{PASSWORD}'; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        GRANT parity_operator TO recorder""")
    conninfo = tables.source.conninfo(user="recorder")
    not_recorded(tables.compare("--record", conninfo), "permission denied for relation public.", "takes SELECT").expect(INCOMPLETE)
    tables.source.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO recorder; GRANT SELECT ON SEQUENCE s TO recorder")
    tables.compare("--record", conninfo).expect(IDENTICAL)
    tables.target.execute("DELETE FROM u WHERE id = 1")
    tables.compare("--record", conninfo).expect(DIVERGENT)
    assert tables.source.query("SELECT status FROM parity.run ORDER BY id") == [("failed",), ("identical",), ("divergent",)]


def test_values_only_when_asked_for(tables, records):
    tables.target.execute("UPDATE t SET v = NULL WHERE id = 17")
    recorded(tables, records, "--record-values").expect(DIVERGENT)
    assert records.divergences("source_values, target_values") == [({"v": "secret 17"}, {"v": None})]


@pytest.mark.parametrize("arguments,key", [([], None), (["--record-values"], {"a": "1", "b": "x"})])
def test_table_without_a_key(pair, records, arguments, key):
    """All values of a row would be its key."""
    pair.both("CREATE TABLE k (a int, b text); INSERT INTO k VALUES (1, 'x'), (1, 'x'), (2, 'y')")
    pair.target.execute("DELETE FROM k WHERE a = 1")
    recorded(pair, records, *arguments).expect(DIVERGENT)
    assert records.divergences("kind, key, occurrences") == [("missing_on_target", key, 2)]
    assert records.tables("status, divergent_rows") == {"public.k": ("divergent", 2)}


@pytest.mark.parametrize("most,listed", [("1000", 1000), ("0", 3000)])
def test_many_findings(tables, records, most, listed):
    """In several statements; what the list leaves out is told."""
    tables.target.execute("UPDATE t SET w = -w")
    recorded(tables, records, "--table", "t", "--max-divergences", most).expect(DIVERGENT)
    assert len({key["id"] for key, in records.divergences("key")}) == listed
    rows, details, message = records.tables("divergent_rows, details, message")["public.t"]
    assert rows == 3000 and details.get("not_recorded", 0) == 3000 - listed
    assert (message is None) == (listed == 3000) and (listed == 3000 or "2000 of 3000 differing rows are not recorded" in message)


def test_what_only_one_side_has(tables, records):
    tables.source.execute("CREATE TABLE alone (id int PRIMARY KEY); ALTER TABLE u ADD extra int")
    tables.target.execute("SELECT setval('s', 7)")
    recorded(tables, records).expect(DIVERGENT)
    found = records.tables("status, message")
    assert {name: status for name, (status, _) in found.items()} == {
        "public.t": "identical", "public.alone": "divergent", "public.u": "divergent", "public.s": "divergent"}
    assert "only on source" in found["public.alone"][1] and "extra" in found["public.u"][1]
    assert "ahead by 2: next value 6 on source, 8 on target" in found["public.s"][1]


def test_incomplete(tables, records):
    tables.both("CREATE TYPE odd; CREATE FUNCTION odd_in(cstring) RETURNS odd IMMUTABLE STRICT LANGUAGE internal AS 'textin';"
                "CREATE FUNCTION odd_out(odd) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'textout';"
                "CREATE TYPE odd (INPUT = odd_in, OUTPUT = odd_out, LIKE = text); ALTER TABLE u ADD o odd")
    recorded(tables, records).expect(INCOMPLETE)
    assert records.runs() == [("incomplete", None, None)]
    status, left_out = records.tables("status, not_compared")["public.u"]
    assert status == "incomplete" and left_out[0]["what"] == "column o" and left_out[0]["reason"]


def test_tables_that_fail(tables, records):
    """One of two cannot be read: the other has its answer, and the run says that it is not all."""
    tables.both("CREATE FUNCTION bad(v int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'told you' USING ERRCODE = 'XX099'; END $$;"
                "CREATE VIEW broken AS SELECT id, bad(v) AS v FROM u")
    recorded(tables, records, "--table", "t", "--table", "public.broken", "--key", "id").expect(INCOMPLETE)
    assert records.tables("status, sqlstate")["public.t"] == ("identical", None)
    assert records.tables("status, sqlstate")["public.broken"] == ("failed", "XX099")
    # It may quote a value, so that only operators read it.
    assert records.tables("message")["public.broken"] == "error XX099; parity.run_error has its text, which may quote a value"
    assert "told you" in records.database.value("SELECT message FROM parity.run_error")
    assert records.runs() == [("incomplete", None, None)]
    tables.target.execute("UPDATE t SET w = 0 WHERE id = 17")
    recorded(tables, records, "--table", "t", "--table", "public.broken", "--key", "id").expect(DIVERGENT)
    assert records.tables() == {"public.t": "divergent", "public.broken": "failed"} and records.divergences() == [("mismatch", {"id": "17"}, ["w"])]


def test_run_without_an_answer(tables, records):
    """What ends a run before a table is looked at is recorded as loudly. Passwords are not."""
    conninfo = tables.target.tcp_conninfo(port=free_port())
    run = tables.run("--record", records.conninfo(), target=conninfo).expect(ERROR)
    assert "could not connect to the target" in run.stderr
    status, sqlstate, message = records.runs()[0]
    assert status == "failed" and "could not connect to the target" in message
    tables.run("--record", records.conninfo(), "--table", "nonesuch").expect(ERROR)
    assert records.runs()[1][0] == "failed" and "nonesuch" in records.runs()[1][2]
    recorded(tables, records, source=tables.source.tcp_conninfo()).expect(IDENTICAL)
    assert PASSWORD not in records.dump()
    uri = f"postgresql://postgres:{PASSWORD}@127.0.0.1:{tables.target.cluster.port}/{tables.target.name}"
    recorded(tables, records, target=uri).expect(IDENTICAL)
    assert PASSWORD not in records.dump()
    assert records.database.value("SELECT target FROM parity.run ORDER BY id DESC LIMIT 1") == (
        f"host=127.0.0.1 port={tables.target.cluster.port} dbname={tables.target.name} user=postgres")
    tables.target.execute("UPDATE t SET w = 0 WHERE id = 17")
    for options in ({"source": tables.source.tcp_conninfo()}, {"target": uri}):
        recorded(tables, records, **options).expect(DIVERGENT)
        assert records.divergences() == [("mismatch", {"id": "17"}, ["w"])]


def test_telling(tables, records, source_cluster):
    """NOTIFY for each table, a WARNING in the log for what is not identical; neither bothers who runs pgparity."""
    tables.target.execute("DELETE FROM u WHERE id = 1")
    listener = records.database.connect()
    with listener.cursor() as cursor:
        cursor.execute("LISTEN parity")
    run = recorded(tables, records, "--no-sequences", "--table", "t", "--table", "u").expect(DIVERGENT)
    assert run.stderr.count("WARNING") == 0 and "verification of" not in run.stderr
    with listener.cursor() as cursor:
        cursor.execute("SELECT 1")
    told = [json.loads(notification.payload) for notification in listener.notifies]
    listener.close()
    assert {(each["relation"], each["status"]) for each in told} == {("public.t", "identical"), ("public.u", "divergent")}
    assert all(each["kind"] == "compare" and str(each["run"]) == run.report["record"]["run"] for each in told)
    assert "verification of public.u against" in source_cluster.log() and "divergent, 1 rows differ" in source_cluster.log()


def test_dry_run_records_nothing(tables, records):
    tables.run("--record", records.conninfo(), "--dry-run").expect(IDENTICAL)
    assert records.runs() == []


def test_from_a_configuration_file(tables, records, tmp_path):
    file = tmp_path / "nightly.toml"
    file.write_text(f'record = "{records.conninfo()}"\nrecord-values = true\ntable = ["t"]\n')
    tables.target.execute("UPDATE t SET w = -1 WHERE id = 3")
    tables.run("--config", file).expect(DIVERGENT)
    assert records.divergences("target_values") == [({"w": "-1"},)]
    assert records.database.value("SELECT options->>'table' FROM parity.run") == "t"


def test_several_tables_at_a_time(pair, records):
    pair.both("".join(f"CREATE TABLE t{n} (id int PRIMARY KEY); INSERT INTO t{n} SELECT generate_series(1, {10 * n});" for n in range(1, 21)))
    pair.target.execute("DELETE FROM t7 WHERE id % 2 = 0")
    recorded(pair, records, "--jobs", "4").expect(DIVERGENT)
    found = records.tables("status, source_rows")
    assert found == {f"public.t{n}": ("divergent" if n == 7 else "identical", 10 * n) for n in range(1, 21)}
    assert len(records.divergences()) == 35


def test_streamed_sides(pair, records):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, n FROM generate_series(1, 100) n")
    pair.target.execute("UPDATE t SET v = 0 WHERE id = 5")
    recorded(pair, records, "--engine", "stream").expect(DIVERGENT)
    assert records.divergences() == [("mismatch", {"id": "5"}, ["v"])]


# ---- where it cannot be recorded ----------------------------------------------------------------------------------------


def not_recorded(run, *words):
    """The comparison's own answer is there; one error says that the record is not."""
    errors = [line for line in run.stderr.splitlines() if "could not be recorded" in line]
    assert len(errors) == 1 and errors[0].startswith("pgparity: error: "), run
    for word in words:
        assert word in errors[0], (word, errors[0])
    assert errors[0].endswith(run.report["record"]["error"]), run
    return run


def test_unreachable_database(tables, records):
    conninfo = records.database.tcp_conninfo(port=free_port())
    run = not_recorded(tables.compare("--record", conninfo), "could not connect to the recording database").expect(INCOMPLETE)
    assert run.report["result"] == "identical" and run.report["exit_status"] == 3 and run.report["record"]["run"] is None
    text = tables.run("--record", conninfo).expect(INCOMPLETE)
    assert "error: the run could not be recorded" in text.stdout and "result: identical" in text.stdout
    tables.target.execute("DELETE FROM u WHERE id = 1")
    not_recorded(tables.compare("--record", conninfo)).expect(DIVERGENT)


def test_wrong_connection_string(tables):
    """As any other wrong option: nothing is compared."""
    for conninfo, words in [("nonesuch=1", "recording database"), ("password='hunter2", "recording database"), ("", "--record")]:
        run = tables.run("--record", conninfo).expect(ERROR)
        assert words in run.stderr and run.stdout == "" and "hunter2" not in run.stderr, run


def test_database_without_the_extension(tables, records):
    maintenance = records.cluster.database()
    not_recorded(tables.compare("--record", maintenance.conninfo(user="recorder")), "pg_parity is not installed", "CREATE EXTENSION").expect(INCOMPLETE)


def test_database_with_another_version_of_the_extension(tables, records):
    """It has no schema parity_internal."""
    records.database.execute("ALTER SCHEMA parity_internal RENAME TO older")
    try:
        run = tables.compare("--record", records.conninfo())
        not_recorded(run, "is of another version than pgparity", "ALTER EXTENSION pg_parity UPDATE").expect(INCOMPLETE)
    finally:
        records.database.execute("ALTER SCHEMA older RENAME TO parity_internal")
    recorded(tables, records).expect(0)


def test_role_without_rights(tables, records):
    run = not_recorded(tables.compare("--record", records.database.conninfo(user="stranger")), "permission denied", "parity_operator")
    run.expect(INCOMPLETE)
    assert records.runs() == []


def test_operators_write_through_the_functions_alone(records):
    connection = records.database.connect(user="recorder")
    for statement in ("INSERT INTO parity.run (kind, source, target, tool) VALUES ('compare', '', '', '')", "DELETE FROM parity.run",
                      "UPDATE parity.run_table SET status = 'identical'", "SELECT parity_internal.record_tell(1, 1)"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege), connection.cursor() as cursor:
            cursor.execute(statement)
    connection.close()


def test_standby(tables, records, source_cluster):
    """A database that takes no writes."""
    records.database.execute("ALTER ROLE recorder SET default_transaction_read_only = on")
    try:
        not_recorded(tables.compare("--record", records.conninfo()), "read-only transaction").expect(INCOMPLETE)
    finally:
        records.database.execute("ALTER ROLE recorder RESET default_transaction_read_only")


class Cut:
    """Cuts the recording connection when a request holds some bytes."""

    def __init__(self, at, allowance=0):
        self.at = at
        self.allowance = allowance
        self.done = False

    def __call__(self, number, data):
        if self.done or self.at not in data:
            return None
        self.done = True
        return self.allowance


@pytest.mark.parametrize("moment", ["record_run_start", "record_table_start", "record_table_phase", "record_divergences", "record_table_finish",
                                    "record_run_finish"])
def test_connection_cut(tables, records, moment):
    """At any moment of the record: before the request arrives. The next run marks what was left as died."""
    tables.target.execute("UPDATE t SET w = 0 WHERE id = 17")
    with Proxy(records.cluster.port, on_request=Cut(moment.encode())) as proxy:
        conninfo = records.database.tcp_conninfo(proxy.port, user="recorder")
        run = not_recorded(tables.compare("--record", conninfo), "lost the connection to the recording database").expect(DIVERGENT)
    assert run.table("public.t")["counts"]["mismatch"] == "1"
    begun = moment != "record_run_start"
    assert [status for status, _, _ in records.runs()] == (["running"] if begun else [])
    assert (run.report["record"]["run"] is not None) == begun
    records.cluster.wait_for(RECORDING.format("= 0", records.database.name))
    recorded(tables, records).expect(DIVERGENT)
    assert [status for status, _, _ in records.runs()] == (["died"] if begun else []) + ["divergent"]
    assert records.database.value("SELECT count(*) FROM parity.run_table WHERE finished IS NULL") == 0


@pytest.mark.parametrize("planted", [False, True])
def test_answer_lost_after_the_work_was_done(tables, records, planted):
    """The server has ended the record, the answer does not arrive: it is not known whether it is there, so it is not claimed."""
    if planted:
        tables.target.execute("UPDATE t SET w = 0 WHERE id = 17")
    with Proxy(records.cluster.port, on_request=Cut(b"record_run_finish", 1)) as proxy:
        conninfo = records.database.tcp_conninfo(proxy.port, user="recorder")
        not_recorded(tables.compare("--record", conninfo), "lost the connection").expect(DIVERGENT if planted else INCOMPLETE)
    records.cluster.wait_for("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'pgparity: record'")
    assert records.runs() == [("divergent" if planted else "identical", None, None)]


def test_server_refuses_in_the_middle(tables, records):
    """The session is still there: the record is ended as one that failed."""
    tables.target.execute("UPDATE t SET w = 0 WHERE id = 17")
    records.database.execute("ALTER TABLE parity.divergence ADD CONSTRAINT full_disk CHECK (kind = 'range')")
    not_recorded(tables.compare("--record", records.conninfo()), "full_disk").expect(DIVERGENT)
    status, sqlstate, message = records.runs()[0]
    assert (status, sqlstate) == ("failed", "23514") and message.startswith("error 23514; ")
    message = records.database.value("SELECT message FROM parity.run_error")
    assert "recording failed" in message and "full_disk" in message


def test_encoding_that_lacks_a_character(pair, source_cluster):
    """Keys are recorded as texts, which the recording database must be able to hold."""
    database = source_cluster.create_database(options="TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    try:
        pair.both("CREATE TABLE t (id text PRIMARY KEY); INSERT INTO t VALUES ('é'), ('ж')")
        pair.target.execute("DELETE FROM t WHERE id = 'é'")
        pair.compare("--record", database.conninfo()).expect(DIVERGENT)
        assert database.query("SELECT key FROM parity.divergence") == [({"id": "é"},)]
        pair.target.execute("DELETE FROM t")
        not_recorded(pair.compare("--record", database.conninfo()), "LATIN1").expect(DIVERGENT)
        assert database.query("SELECT status FROM parity.run ORDER BY id") == [("divergent",), ("failed",)]
    finally:
        source_cluster.drop_database(database)


# ---- while it runs, and when it is ended --------------------------------------------------------------------------------


@contextlib.contextmanager
def waiting_run(tables, records):
    """A run that waits for the rows of a view on the source."""
    tables.both(GATED)
    holder = tables.source.connect()
    with holder.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(42)")
    process = popen("compare", "--format", "json", "--source", tables.source.conninfo(), "--target", tables.target.conninfo(), "--record",
                    records.conninfo(), "--table", "t", "--table", "public.gated", "--key", "id", "--no-progress")
    try:
        tables.source.cluster.wait_for(WAITING.format(tables.source.name))
        yield process, holder
    finally:
        process.kill()
        process.communicate()
        holder.close()


def finish(process):
    stdout, stderr = process.communicate(timeout=60)
    return Run([PGPARITY], process.returncode, stdout, stderr)


PLANTED = pytest.mark.parametrize("planted", [False, True])


def plant(tables):
    """One difference, which the view shows as well."""
    tables.target.execute("UPDATE t SET w = 0 WHERE id = 17")


@PLANTED
def test_seen_while_it_runs(tables, records, planted):
    if planted:
        plant(tables)
    with waiting_run(tables, records) as (process, holder):
        running = records.database.query("SELECT relation, result, running FROM parity.status WHERE running IS NOT NULL")
        assert [(relation, result) for relation, result, _ in running] == [("public.gated", None)]
        assert running[0][2].startswith("digests for ")
        assert records.runs() == [("running", None, None)]
        with holder.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")
        finish(process).expect(DIVERGENT if planted else IDENTICAL)
    assert records.runs() == [("divergent" if planted else "identical", None, None)]
    assert records.tables() == dict.fromkeys(("public.t", "public.gated"), "divergent" if planted else "identical")
    assert records.database.value("SELECT count(*) FROM parity.status WHERE running IS NOT NULL") == 0


def test_killed(tables, records):
    """A run whose process is gone is found by the next one."""
    with waiting_run(tables, records) as (process, _):
        process.kill()
        process.communicate()
        tables.source.cluster.wait_for(RECORDING.format("= 0", records.database.name))
        assert records.runs()[0][0] == "running"
    recorded(tables, records, "--table", "t").expect(IDENTICAL)
    assert [status for status, _, _ in records.runs()] == ["died", "identical"]
    assert records.database.query("SELECT status FROM parity.run_table WHERE relation = 'public.gated'") == [("died",)]
    plant(tables)
    recorded(tables, records, "--table", "t").expect(DIVERGENT)
    assert [status for status, _, _ in records.runs()] == ["died", "identical", "divergent"]


def test_interrupted(tables, records):
    """The record says so: the recording connection outlives the signal."""
    with waiting_run(tables, records) as (process, _):
        process.send_signal(signal.SIGINT)
        run = finish(process)
    run.expect(INCOMPLETE if any(table["result"] == "identical" for table in run.report["tables"]) else ERROR)
    assert "error" not in run.report["record"]
    assert records.runs() == [("cancelled", None, "the run was interrupted")]
    assert records.tables() == {"public.gated": "cancelled", "public.t": "cancelled"} or records.tables()["public.gated"] == "cancelled"


@PLANTED
def test_two_runs_at_the_same_time(tables, records, planted):
    """Neither takes the other for dead."""
    if planted:
        plant(tables)
    result, status = ("divergent", DIVERGENT) if planted else ("identical", IDENTICAL)
    with waiting_run(tables, records) as (process, holder):
        recorded(tables, records, "--table", "t").expect(status)
        assert sorted(status for status, _, _ in records.runs()) == [result, "running"]
        with holder.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")
        finish(process).expect(status)
    assert [status for status, _, _ in records.runs()] == [result, result]


def test_in_one_of_the_compared_databases(tables):
    """The records of a database are not part of what is compared there."""
    run = tables.compare("--record", tables.source.conninfo()).expect(IDENTICAL)
    assert {table["source"] for table in run.report["tables"]} == {"public.t", "public.u"}
    assert tables.source.query("SELECT status FROM parity.run") == [("identical",)]
    plant(tables)
    run = tables.compare("--record", tables.source.conninfo()).expect(DIVERGENT)
    assert {table["source"]: table["result"] for table in run.report["tables"]} == {"public.t": "divergent", "public.u": "identical"}
    assert tables.source.query("SELECT status FROM parity.run ORDER BY id") == [("identical",), ("divergent",)]


@PLANTED
def test_a_name_has_one_line_whoever_records_it(source_cluster, target_cluster, planted):
    """The driver and parity.verify spell names as quote_ident does: keywords and what is no plain word in quotes."""
    names = ["order", "user", "between", "between_us", "a$b", "name", "json_table", "Ünder"]
    source, target = source_cluster.create_database(), target_cluster.create_database()
    try:
        for side in (source, target):
            side.execute("; ".join(f'CREATE TABLE "{name}" (id int PRIMARY KEY); INSERT INTO "{name}" VALUES (1)' for name in names))
        if planted:
            target.execute('DELETE FROM "order"')
        made = Verified(source, target)
        made.make_server()
        made.verify(procedure="verify_schema")
        status = DIVERGENT if planted else IDENTICAL
        run = pgparity("compare", "--format", "json", "--source", source.conninfo(), "--target", target.conninfo(), "--record", source.conninfo()).expect(status)
        spelled = {source.value("SELECT 'public.' || quote_ident(%s)", [name]) for name in names}
        assert {row[0] for row in source.query("SELECT DISTINCT relation FROM parity.run_table")} == spelled
        assert source.query("SELECT result FROM parity.status WHERE relation = 'public.\"order\"'") == [("divergent" if planted else "identical",)] * 2
        assert {table["source"] for table in run.report["tables"]} - {"public.json_table", 'public."json_table"'} == spelled - {"public.json_table", 'public."json_table"'}
        # another spelling of the driver's changes nothing
        source.execute("""SELECT parity_internal.record_table_start(r.id, 'public.order', 'public.user', '{"target_relation": "public.user"}')
            FROM parity_internal.record_run_start('compare', 's', 't', 'x') r(id)""")
        assert source.query("SELECT relation, target_relation, scope FROM parity.run_table ORDER BY id DESC LIMIT 1") == [
            ('public."order"', 'public."user"', {"target_relation": 'public."user"'})]
    finally:
        source_cluster.drop_database(source)
        target_cluster.drop_database(target)
