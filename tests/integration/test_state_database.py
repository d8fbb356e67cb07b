"""A run that is kept in a PostgreSQL database (--state with a connection string): what only such a state can meet."""

import json
import signal

import psycopg2
import pytest

from support.cluster import PASSWORD
from support.kept import InDatabase, command, has_run, named, run
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, pgparity, popen
from support.proxy import Proxy
from test_other_server import pgbouncer
from test_state import DATA, PLANTED, RIGHT, Held, answer, equal, fault_points, other, refused, shape, sides, states, undisturbed  # noqa: F401 (fixtures)


def through(database, port, name="run"):
    """A run that is reached over a proxy."""
    return InDatabase(database, name, database.tcp_conninfo(port))


def report(state, *arguments):
    return pgparity("report", *named("from", state), "--format", "json", *arguments)


# ---- killed, and cut off -------------------------------------------------------------------------------------------

@pytest.mark.in_turn("kept")
@pytest.mark.matrix(sample=1)
@pytest.mark.parametrize("values", [(), ("--state-values",)], ids=["keys only", "with values"])
def test_killed_before_every_statement(sides, states, values):
    """Whatever was written last, the run that goes on gives the answer of one that was not disturbed."""
    source, target, data = sides
    right = undisturbed(source, target).expect(RIGHT[data])
    for number in fault_points(31):
        with Proxy(states.cluster.port, lambda request, _: process.kill() if request == number else None) as proxy:
            process = popen(*command("compare", through(states, proxy.port, str(number)), source, target, *values))
            _, stderr = process.communicate(timeout=60)
        state = InDatabase(states, str(number))
        if process.returncode == RIGHT[data]:
            break
        assert process.returncode == -signal.SIGKILL, stderr
        if not has_run(state):
            continue
        resumed = run("resume", state, source, target, *values).expect(RIGHT[data])
        assert shape(resumed.report) == shape(right.report), number
        if values:
            assert answer(resumed.report) == answer(right.report), number
    assert number > 30, "there are more statements than that"


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("allowance", [0, 1], ids=["the statement is lost", "its answer is lost"])
@pytest.mark.parametrize("first", [b"WITH mine", b"INSERT INTO pgparity_state.finding", b"COMMIT", b"UPDATE pgparity_state.run SET head"])
def test_a_connection_that_is_lost_is_made_anew(sides, states, first, allowance):
    """In the middle of the run, once; whether the transaction was committed or not, the unit is kept once and as a whole."""
    source, target, data = sides
    happens = data == "planted" or not first.startswith(b"INSERT")  # without differences there are no findings to keep
    right = undisturbed(source, target).expect(RIGHT[data])
    cut = []

    def cut_off(_, request):
        if b"WITH mine" in request:
            cut.append("a unit")
        if (cut or first.startswith(b"UPDATE")) and first in request and "cut" not in cut:
            cut.append("cut")
            return allowance
        return None

    with Proxy(states.cluster.port, cut_off) as proxy:
        kept = run("compare", through(states, proxy.port), source, target, "--state-values").expect(RIGHT[data])
    assert ("cut" in cut) == happens and "error" not in kept.report["state"], kept
    assert ("lost the connection to the state database" in kept.stderr and "trying again in" in kept.stderr) == happens, kept
    assert answer(kept.report) == answer(right.report)
    state = InDatabase(states, "run")
    told = report(state).expect(RIGHT[data])
    assert shape(told.report) == shape(right.report)
    target.execute("CHECKPOINT")
    resumed = run("resume", state, source, target, "--state-values").expect(RIGHT[data])
    assert resumed.report["state"]["tables_kept"] == 6 and answer(resumed.report) == answer(right.report)


def test_sessions_that_somebody_ends(sides, states):
    """Whenever a unit is kept, the session that keeps it is ended."""
    source, target, data = sides
    ended = []

    def end(_, request):
        if b"WITH mine" in request and len(ended) < 3:
            ended.append(states.value("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'pgparity: state'"))

    with Proxy(states.cluster.port, end) as proxy:
        kept = run("compare", through(states, proxy.port), source, target).expect(RIGHT[data])
    assert ended == [1, 1, 1] and "error" not in kept.report["state"], kept
    target.execute("CHECKPOINT")
    assert run("resume", InDatabase(states, "run"), source, target).expect(RIGHT[data]).report["state"]["tables_kept"] == 6


def test_without_patience_the_comparison_goes_on(sides, states):
    """The first unit is not kept, and neither are those that follow at once; that is said, and they are compared when the run goes on."""
    source, target, data = sides
    cut = []
    with Proxy(states.cluster.port, lambda _, request: cut.append(1) or 0 if b"WITH mine" in request else None) as proxy:
        kept = run("compare", through(states, proxy.port), source, target, "--retry-for", "0").expect(DIVERGENT if data == "planted" else INCOMPLETE)
    assert len(cut) == 1, "the connection is not tried at once again"
    assert "lost the connection to the state database" in kept.report["state"]["error"], kept
    assert kept.stderr.count("not all of the run is kept") == 1, kept
    assert {table["result"] for table in kept.report["tables"]} == ({"divergent"} if data == "planted" else {"identical"})
    resumed = run("resume", InDatabase(states, "run"), source, target).expect(RIGHT[data])
    assert resumed.report["state"]["tables_kept"] == 0 and "error" not in resumed.report["state"]


def test_a_signal_ends_the_wait_for_the_state(sides, states):
    source, target, data = sides
    with Proxy(states.cluster.port, lambda _, request: 0 if b"WITH mine" in request else None) as proxy:
        process = popen(*command("compare", through(states, proxy.port), source, target, "--retry-for", "1h"))
        for line in process.stderr:
            if "trying again" in line:
                break
        process.send_signal(signal.SIGTERM)
        stdout, _ = process.communicate(timeout=30)
    told = json.loads(stdout)
    assert told["interrupted"] is True and "lost the connection to the state database" in told["state"]["error"], told
    run("resume", InDatabase(states, "run"), source, target).expect(RIGHT[data])


@pytest.mark.parametrize("data", DATA)
def test_the_server_of_the_state_is_restarted(source_cluster, equal, tmp_path, data):
    """It is the one of a side, too: both the tables and the state are gone on with."""
    source, target = equal
    if data == "planted":
        for statement in PLANTED:
            target.execute(statement)
    state = InDatabase(target, "run")
    with Held(state, source, target, blocked=0) as held:
        target.close()
        target.cluster.execute("CHECKPOINT")
        target.cluster.stop("fast")
        target.cluster.start()
        stdout, stderr = held.let_go()
    assert held.process.returncode == RIGHT[data], stderr
    assert "error" not in json.loads(stdout)["state"], stdout
    told = report(state).expect(RIGHT[data])
    assert shape(told.report) == shape(json.loads(stdout))


# ---- whose the run is ----------------------------------------------------------------------------------------------

def test_only_one_has_a_run(equal, states):
    source, target = equal
    state = InDatabase(states, "run")
    with Held(state, source, target) as held:
        refused(run("resume", state, source, target), 'run "run" of the state database', f"is held by process {held.process.pid} on host ", "pgparity report --from")
        refused(run("compare", state, source, target), f"is held by process {held.process.pid} on host ")
        another = InDatabase(states, "another")
        run("compare", another, source, target, "--table", "plain").expect(IDENTICAL)
        stdout, stderr = held.let_go()
        assert held.process.returncode == IDENTICAL, stderr
    run("resume", state, source, target).expect(IDENTICAL)
    run("resume", another, source, target).expect(IDENTICAL)


def test_two_drivers_that_begin_at_once(equal, states):
    """One makes the tables and has the run; the other one is refused."""
    source, target = equal
    states.execute("DROP SCHEMA IF EXISTS pgparity_state CASCADE")
    processes = [popen(*command("compare", InDatabase(states), source, target)) for _ in range(4)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert sorted(process.returncode for process in processes) == [IDENTICAL, ERROR, ERROR, ERROR], outputs
    for process, (_, stderr) in zip(processes, outputs):
        assert process.returncode == IDENTICAL or "is held by" in stderr or "exists already" in stderr, stderr


@pytest.mark.matrix(sample=1)
@pytest.mark.parametrize("taken", [True, False], ids=["taken over", "removed"])
def test_a_run_that_is_lost(sides, states, taken):
    """Who was cut off, and finds the run with somebody else or removed, writes nothing into it."""
    source, target, data = sides
    done = []

    def act(_, request):
        if b"WITH mine" not in request or done:
            return
        done.append(1)
        states.execute("UPDATE pgparity_state.run SET token = 'of another', holder = 'process 1 on host elsewhere'" if taken else "DELETE FROM pgparity_state.run")

    with Proxy(states.cluster.port, act) as proxy:
        kept = run("compare", through(states, proxy.port), source, target).expect(DIVERGENT if data == "planted" else INCOMPLETE)
    why = "was taken over by process 1 on host elsewhere" if taken else "was removed meanwhile"
    assert f'run "run" of the state database {why}' in kept.report["state"]["error"], kept
    assert states.query("SELECT count(*), count(*) FILTER (WHERE state <> 0) FROM pgparity_state.unit") == [(6 if taken else 0, 0)]
    assert states.value("SELECT count(*) FROM pgparity_state.finding") == 0


def test_a_pooler_in_transaction_mode(equal, states, tmp_path):
    """From the first transaction on that another backend answers, nothing is written."""
    source, target = equal
    with pgbouncer("transaction", states.cluster.port, [states.name], tmp_path, 3) as port:
        clients = [psycopg2.connect(host="127.0.0.1", port=port, dbname=states.name, user="postgres") for _ in range(3)]
        for client in clients:  # transactions at the same time have the pooler open its connections
            client.cursor().execute("SELECT 1")
        for client in clients:
            client.rollback()
            client.close()
        pooled = run("compare", through(states, port), source, target)
    why = pooled.stderr if pooled.status == ERROR else pooled.expect(INCOMPLETE).report["state"]["error"]
    assert "another backend than the one that has the lock" in why and "a pooler gives a session several" in why, pooled


# ---- what is in it, and who may have it ----------------------------------------------------------------------------

def everything(database):
    """All that the tables hold, as text and as bytes."""
    rows = [database.query(f"SELECT * FROM pgparity_state.{table}") for table in ("version", "run", "unit", "finding")]
    return b"\n".join(bytes(value) if isinstance(value, memoryview) else str(value).encode() for table in rows for row in table for value in row)


def test_the_tables_hold_keys_and_no_values(sides, states):
    source, target, data = sides
    secret = states.tcp_conninfo()
    run("compare", InDatabase(states, "run", secret), source, target.tcp_conninfo()).expect(RIGHT[data])
    kept = everything(states)
    assert b"plain" in kept and b"n 'value" not in kept
    for word in (b"confidential", b"planted", b"password", PASSWORD.encode(), b"host="):
        assert word not in kept, word
    run("compare", InDatabase(states, "values", secret), source, target, "--state-values").expect(RIGHT[data])
    assert (b"planted" in everything(states)) == (data == "planted")


def test_nobody_else_may_read_it(equal, states):
    source, target = equal
    states.execute("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC; ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC")
    run("compare", InDatabase(states), source, target).expect(IDENTICAL)
    assert states.query("""SELECT n.nspname FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.nspname = 'pgparity_state' AND a.grantee = 0
        UNION ALL SELECT c.relname FROM pg_class c, aclexplode(c.relacl) a WHERE c.relnamespace = 'pgparity_state'::regnamespace AND a.grantee = 0""") == []


def test_a_connection_string_is_not_told(equal, states):
    """Neither in a refusal nor in a report, whatever it names."""
    source, target = equal
    uri = f"postgresql://postgres:{PASSWORD}@127.0.0.1:{states.cluster.port}/{states.name}"
    state = InDatabase(states, conninfo=uri)
    first = run("compare", state, source, target).expect(IDENTICAL)
    assert "state" not in first.report["options"] and "127.0.0.1" not in json.dumps(first.report["options"])
    states.execute("UPDATE pgparity_state.run SET began_us = began_us - 8 * 86400 * 1000000::bigint")
    told = [run("compare", state, source, target), run("resume", state, source, target),
            run("resume", InDatabase(states, "none", uri), source, target), report(InDatabase(states, "none", uri)),
            run("resume", InDatabase(states, conninfo=uri.replace(states.name, "nowhere")), source, target),
            run("resume", InDatabase(states, conninfo=uri.replace(PASSWORD, "wrong-secret")), source, target)]
    for each in told:
        assert each.status == ERROR and "postgresql:" not in each.stderr and "wrong-secret" not in each.stderr, each
    words = ["exists already", "--max-age", "does not exist", "does not exist", "check dbname in --state", "password authentication failed"]
    for each, word in zip(told, words):
        assert word in each.stderr, each
    for scheme in ("postgres://", "postgresql://"):
        report(InDatabase(states, conninfo=uri.replace("postgresql://", scheme))).expect(IDENTICAL)


def test_refusals(equal, states, source_cluster):
    """Each has a text of its own, and leaves the run as it is."""
    source, target = equal
    state = InDatabase(states)
    refused(run("resume", state, source, target), "the state database holds no run")
    refused(report(state), "the state database holds no run")
    target.execute("UPDATE last SET v = 'planted' WHERE id = 3")
    run("compare", state, source, target, "--table", "last", "--table", "plain").expect(DIVERGENT)
    kept = everything(states)
    refused(run("compare", state, source, target), 'run "default" of the state database exists already', "pgparity resume continues it", "DELETE FROM pgparity_state.run")
    refused(run("resume", InDatabase(states, "other"), source, target), 'run "other" of the state database does not exist', 'there are "default"')
    refused(report(InDatabase(states, "other")), 'run "other" of the state database does not exist')
    assert everything(states) == kept
    refused(run("resume", state, source, target, "--table", "plain"), 'began with --table "last", "plain"')
    refused(run("resume", state, source, source_cluster.database("postgres")), "target is another database than the run began with")
    states.execute("UPDATE pgparity_state.run SET began_us = began_us - 8 * 86400 * 1000000::bigint")
    refused(run("resume", state, source, target), "began 192 h", "--max-age")
    run("resume", state, source, target, "--max-age", "30d").expect(DIVERGENT)
    states.execute("UPDATE pgparity_state.version SET state_version = 99")
    for name in ("compare", "resume"):
        refused(run(name, state, source, target), "newer pgparity", "version 99")
    refused(report(state), "newer pgparity")
    states.execute("UPDATE pgparity_state.version SET state_version = 1")
    run("resume", state, source, target, "--max-age", "30d").expect(DIVERGENT)
    states.execute("DELETE FROM pgparity_state.run")
    assert states.value("SELECT count(*) FROM pgparity_state.finding") == 0
    run("compare", state, source, target, "--table", "plain").expect(IDENTICAL)


@pytest.mark.matrix(sample=1)
@pytest.mark.parametrize("foreign", ["CREATE TABLE pgparity_state.run (id int)", "CREATE TABLE pgparity_state.version (id int); CREATE TABLE pgparity_state.run (id int);"
                                     "CREATE TABLE pgparity_state.unit (id int); CREATE TABLE pgparity_state.finding (id int)",
                                     "CREATE VIEW pgparity_state.run AS SELECT 1"])
def test_tables_of_others(equal, states, foreign):
    source, target = equal
    states.execute("CREATE SCHEMA pgparity_state;" + foreign)
    for name in ("compare", "resume"):
        refused(run(name, InDatabase(states), source, target), "holds other tables than those that pgparity makes")


@pytest.fixture
def hostile(states):
    """A role that may make what it likes in the database."""
    states.execute(f"CREATE ROLE hostile LOGIN; GRANT ALL ON DATABASE {states.name} TO hostile; GRANT ALL ON SCHEMA public TO hostile; CREATE TABLE public.trace (who text);"
                   "GRANT ALL ON public.trace TO PUBLIC")
    yield states
    states.execute("DROP OWNED BY hostile CASCADE; DROP ROLE hostile")


TRAP = "CREATE FUNCTION public.trap() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.trace VALUES (current_user); RETURN NEW; END'"


@pytest.mark.matrix(sample=1)
@pytest.mark.parametrize("whose", ["schema", "table"])
def test_objects_of_a_role_that_is_not_trusted(equal, hostile, whose):
    """Its code does not run with the rights of the role that keeps a run."""
    source, target = equal
    state = InDatabase(hostile)
    run("compare", state, source, target, "--table", "last").expect(IDENTICAL)
    hostile.execute("ALTER SCHEMA pgparity_state OWNER TO hostile" if whose == "schema" else "ALTER TABLE pgparity_state.run OWNER TO hostile")
    with hostile.connect(user="hostile") as connection, connection.cursor() as cursor:
        if whose == "table":
            cursor.execute(TRAP + "; GRANT EXECUTE ON FUNCTION public.trap() TO PUBLIC")
            hostile.execute("GRANT USAGE ON SCHEMA pgparity_state TO hostile")
            cursor.execute("CREATE TRIGGER trap BEFORE UPDATE ON pgparity_state.run FOR EACH ROW EXECUTE FUNCTION public.trap()")
    connection.close()
    for refusal in (run("resume", state, source, target), run("compare", InDatabase(hostile, "more"), source, target), report(state)):
        refused(refusal, 'belongs to role "hostile", which is neither a superuser nor the role that connects')
    assert hostile.value("SELECT count(*) FROM public.trace") == 0


def test_decoys_in_the_search_path(equal, hostile):
    """Functions and operators of others that the role's search path has first are not called."""
    source, target = equal
    hostile.execute(f"ALTER DATABASE {hostile.name} SET search_path = public, pg_catalog")
    hostile.execute(f"ALTER DATABASE {hostile.name} SET synchronous_commit = off; ALTER DATABASE {hostile.name} SET default_transaction_read_only = on")
    decoy = "CREATE FUNCTION public.{0} RETURNS {1} LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.trace VALUES (current_user); RETURN {2}; END$$;"
    hostile.execute(decoy.format("same(text, text)", "bool", "true") + decoy.format("same(name, name)", "bool", "true") +
                    decoy.format("hashtext(text)", "int", "1") + decoy.format("pg_backend_pid()", "int", "1") +
                    "CREATE OPERATOR public.= (FUNCTION = public.same, LEFTARG = text, RIGHTARG = text);"
                    "CREATE OPERATOR public.= (FUNCTION = public.same, LEFTARG = name, RIGHTARG = name)")
    hostile.close()
    state = InDatabase(hostile)
    run("compare", state, source, target).expect(IDENTICAL)
    run("resume", state, source, target).expect(IDENTICAL)
    report(state).expect(IDENTICAL)
    assert hostile.value("SELECT pg_catalog.count(*) FROM public.trace") == 0
    hostile.execute("SET default_transaction_read_only = off")
    hostile.execute(f"ALTER DATABASE {hostile.name} RESET ALL; DROP OPERATOR public.= (text, text); DROP OPERATOR public.= (name, name)")
    hostile.close()


def test_a_role_of_its_own(equal, hostile):
    """An ordinary role needs CREATE on the database, or a schema that a superuser made for it."""
    source, target = equal
    hostile.execute(f"REVOKE ALL ON DATABASE {hostile.name} FROM hostile")
    state = InDatabase(hostile, conninfo=hostile.conninfo(user="hostile"))
    assert "permission denied for database" in run("compare", state, source, target).expect(ERROR).stderr
    hostile.execute("CREATE SCHEMA pgparity_state AUTHORIZATION hostile")
    run("compare", state, source, target).expect(IDENTICAL)
    run("resume", state, source, target).expect(IDENTICAL)
    report(state).expect(IDENTICAL)
    # A superuser who reads it would plan queries over tables of that role.
    refused(report(InDatabase(hostile)), 'belongs to role "hostile"')


@pytest.mark.matrix(sample=1)
# ---- where it is, and reports --------------------------------------------------------------------------------------

@pytest.mark.parametrize("on", ["source", "target", "both"])
def test_the_state_is_in_a_side(sides, on):
    """Its tables are not compared."""
    source, target, data = sides
    right = undisturbed(source, target).expect(RIGHT[data])
    if on == "both":
        run("compare", InDatabase(source), source, target).expect(RIGHT[data])
    state = InDatabase(source if on == "source" else target)
    kept = run("compare", state, source, target, "--state-values").expect(RIGHT[data])
    assert answer(kept.report) == answer(right.report)
    resumed = run("resume", state, source, target, "--state-values").expect(RIGHT[data])
    assert answer(resumed.report)["tables"] == answer(right.report)["tables"]


def test_other_tables_of_such_a_schema_are_compared(equal, states):
    """Only the program's own tables are left out: those of that name elsewhere, and others beside them, are the user's."""
    source, target = equal
    run("compare", InDatabase(source), source, target).expect(IDENTICAL)
    run("compare", InDatabase(target), source, target).expect(IDENTICAL)
    for side in equal:
        side.execute("CREATE TABLE pgparity_state.mine (id int PRIMARY KEY); CREATE SCHEMA s; CREATE TABLE s.run (id int PRIMARY KEY)")
    assert len(undisturbed(source, target).expect(IDENTICAL).report["tables"]) == 8
    target.execute("INSERT INTO pgparity_state.mine VALUES (1); INSERT INTO s.run VALUES (1)")
    told = undisturbed(source, target).expect(DIVERGENT)
    assert {table["source"] for table in told.report["tables"] if table["result"] == "divergent"} == {"pgparity_state.mine", "s.run"}


def test_a_user_s_schema_of_that_name_is_compared(equal):
    """Tables of these names that pgparity did not make."""
    source, target = equal
    for side in equal:
        side.execute("CREATE SCHEMA pgparity_state; CREATE TABLE pgparity_state.run (id int PRIMARY KEY)")
    target.execute("INSERT INTO pgparity_state.run VALUES (1)")
    assert undisturbed(source, target).expect(DIVERGENT).table("pgparity_state.run")["result"] == "divergent"


def test_a_report_is_of_one_moment(equal, states):
    """Whatever is written while it is read."""
    source, target = equal
    target.execute("UPDATE plain SET v = 'planted'")
    run("compare", InDatabase(states, "run"), source, target, "--table", "plain").expect(DIVERGENT)
    changed = []

    def change(_, request):
        if b"FROM pgparity_state.unit" in request and not changed:
            changed.append(1)
            states.execute("UPDATE pgparity_state.unit SET state = 0; DELETE FROM pgparity_state.finding")

    with Proxy(states.cluster.port, change) as proxy:
        told = report(through(states, proxy.port)).expect(DIVERGENT)
    assert changed and len(told.table("public.plain")["divergences"]) == 1000
    assert report(InDatabase(states, "run")).table("public.plain").get("never_begun")


def test_a_report_against_another_run(equal, states):
    source, target = equal
    target.execute("UPDATE plain SET v = 'planted' WHERE id IN (3, 4)")
    run("compare", InDatabase(states, "monday"), source, target).expect(DIVERGENT)
    target.execute("UPDATE plain SET v = 'value 3' WHERE id = 3")
    run("compare", InDatabase(states, "tuesday"), source, target).expect(DIVERGENT)
    told = report(InDatabase(states, "tuesday"), *named("against", InDatabase(states, "monday"))).expect(DIVERGENT)
    [divergence] = told.table("public.plain")["divergences"]
    assert divergence["key"] == {"id": "4"} and divergence["against"] == "persisting", told
    [entry] = [table for table in told.report["against"]["tables"] if table["source"] == "public.plain"]
    assert (int(entry["gone"]), int(entry["persisting"]), int(entry["new"])) == (1, 1, 0), told


@pytest.mark.parametrize("rows", [3000])
def test_many_findings(equal, states, rows):
    """More than one batch of them, and many of one key."""
    source, target = equal
    target.execute("DELETE FROM plain; DELETE FROM keyless; DELETE FROM binary_key; INSERT INTO keyless SELECT 1, 'twice' FROM generate_series(1, 500)")
    right = undisturbed(source, target, "--max-divergences", "0").expect(DIVERGENT)
    state = InDatabase(states)
    options = ["--max-divergences", "0", "--state-values"]
    run("compare", state, source, target, *options).expect(DIVERGENT)
    assert states.value("SELECT count(*) FROM pgparity_state.finding") == sum(len(table["divergences"]) for table in right.report["tables"]) > rows
    resumed = run("resume", state, source, target, *options).expect(DIVERGENT)
    assert answer(resumed.report)["tables"] == answer(right.report)["tables"]


def test_names_of_files(equal, tmp_path):
    """A path is a file, whatever it holds; a name with "=" is a connection string."""
    source, target = equal
    run("compare", tmp_path / "a=b.state", source, target, "--table", "last").expect(IDENTICAL)
    assert (tmp_path / "a=b.state").exists()
    pgparity("report", "--from", tmp_path / "a=b.state").expect(IDENTICAL)
    refused(run("compare", "a=b.state", source, target), "invalid connection string for the state database")
    refused(run("compare", tmp_path / "c.state", source, target, "--state-run", "x"), "--state-run needs --state with a connection string")
    refused(run("resume", tmp_path / "a=b.state", source, target, "--state-run", "x"), "--state-run needs --state with a connection string")
    refused(pgparity("report", "--from", tmp_path / "a=b.state", "--from-run", "x"), "--from-run needs --from with a connection string")
    refused(pgparity("report", "--from", tmp_path / "a=b.state", "--against-run", "x"), "--against-run needs --against with a connection string")


def test_the_server_may_lose_what_it_was_told(equal, states):
    """The servers of the tests write nothing to disk at once, and that is said."""
    source, target = equal
    assert "the server of the state database has fsync off" in run("compare", InDatabase(states), source, target).expect(IDENTICAL).stderr
