"""A server that sends nothing: it works, or it is stalled. A stalled one is told, leaves nothing behind, and the table is begun again."""

import threading
import time

import pytest

from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, Run, findings, mismatch, missing_on_target, pgparity, popen
from support.proxy import Proxy

pytestmark = pytest.mark.matrix(sample=1)

ENGINES = ["extension", "stream"]
SIDES = ["source", "target"]
DATA = ["equal", "planted"]
RIGHT = {"equal": IDENTICAL, "planted": DIVERGENT}
TABLES = """CREATE TABLE big (id int PRIMARY KEY, v text); INSERT INTO big SELECT n, 'value ' || n FROM generate_series(1, 4000) n;
    CREATE TABLE small (id int PRIMARY KEY, v text); INSERT INTO small SELECT n, 'value ' || n FROM generate_series(1, 10) n; ANALYZE;
    CREATE FUNCTION gate(v text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_catalog.pg_advisory_lock_shared(42); PERFORM pg_catalog.pg_advisory_unlock_shared(42); RETURN v; END $$;
    CREATE FUNCTION slow(v text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_catalog.pg_sleep(0.5); RETURN v; END $$;
    CREATE VIEW gated AS SELECT id, gate(v) AS v FROM small; CREATE VIEW slowed AS SELECT id, slow(v) AS v FROM small"""
PLANTED = "UPDATE big SET v = 'planted' WHERE id = 7; DELETE FROM small WHERE id = 3"
FOUND = {"public.big": {mismatch("v", id="7")}, "public.small": {missing_on_target(id="3")}, "public.gated": {missing_on_target(id="3")},
         "public.slowed": {missing_on_target(id="3")}}
LEFT = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgparity%%' AND backend_type = 'client backend' AND datname = '{}'"
LIMIT = ("--stall-timeout", "2s")
PROMPTLY = 60


@pytest.fixture(params=DATA)
def pair_of(request, pair):
    pair.both(TABLES)
    if request.param == "planted":
        pair.target.execute(PLANTED)
    pair.data = request.param
    return pair


def database_of(pair, side):
    return pair.source if side == "source" else pair.target


def command(pair, side=None, proxy=None, *arguments):
    conninfo = {each: database_of(pair, each).tcp_conninfo(proxy.port) if each == side else database_of(pair, each).conninfo() for each in SIDES}
    return ["compare", "--format", "json", "--no-progress", "--source", conninfo["source"], "--target", conninfo["target"], *arguments]


def check_right(run, data):
    """The answer of a run that nothing disturbed."""
    run.expect(RIGHT[data])
    assert run.report["incomplete"] is False, run
    for table in run.report["tables"]:
        assert findings(table) == (FOUND[table["source"]] if data == "planted" else set()), run


def nothing_is_left(pair):
    """Nobody tells the servers that the run is over where the network forwards nothing."""
    for side in SIDES:
        database = database_of(pair, side)
        database.cluster.wait_for(LEFT.format(database.name).replace("count(*)", "count(*) = 0"))


MOMENTS = {"lock": b'LOCK TABLE "public"."big"', "digests": b"range_digests", "copy": b"COPY (SELECT"}


@pytest.mark.in_turn("faults")
@pytest.mark.parametrize("with_request", [True, False], ids=["request lost", "answer lost"])
@pytest.mark.parametrize("engine,moment", [("extension", "lock"), ("extension", "digests"), ("stream", "lock"), ("stream", "copy")])
@pytest.mark.parametrize("side", SIDES)
def test_connections_that_the_network_forgot(pair_of, side, engine, moment, with_request):
    """Those that there are, with all that is under way on them. The server hears nothing of the end of the run."""
    done = []

    def on_request(number, data):
        if MOMENTS[moment] in data and not done:
            done.append(number)
            proxy.stall(with_request)
    with Proxy(database_of(pair_of, side).cluster.port, on_request) as proxy:
        run = pgparity(*command(pair_of, side, proxy, "--engine", engine, "--table", "big", "--table", "small", *LIMIT), timeout=PROMPTLY)
        nothing_is_left(pair_of)
    assert done, run
    check_right(run, pair_of.data)
    again = run.table("public.big")
    assert again["attempts"] == 2 and any(f"the {side} has sent nothing for 2 s: its session (pid " in note for note in again["notes"]), run
    assert "begun again" in run.stderr, run


@pytest.mark.in_turn("faults")
@pytest.mark.parametrize("side", SIDES)
def test_catalogs_of_which_the_answer_is_lost(pair_of, side):
    done = []

    def on_request(number, data):
        if b"schema_pattern" in data and not done:
            done.append(number)
            proxy.stall()
    with Proxy(database_of(pair_of, side).cluster.port, on_request) as proxy:
        run = pgparity(*command(pair_of, side, proxy, "--table", "big", "--table", "small", *LIMIT), timeout=PROMPTLY)
        nothing_is_left(pair_of)
    assert done, run
    check_right(run, pair_of.data)


@pytest.mark.in_turn("faults")
@pytest.mark.parametrize("side", SIDES)
def test_sessions_that_are_silent_from_the_first(pair_of, side):
    """Nobody can look at them yet. The first one ends the run, as a server that cannot be reached does; a later one is made anew."""
    for silent, status in ((1, ERROR), (2, RIGHT[pair_of.data])):
        asked = []

        def on_request(number, data):
            if b"idle_session_timeout" in data and b"FROM pg_catalog.pg_settings" in data:
                asked.append(number)
                if len(asked) == silent:
                    proxy.stall()
        with Proxy(database_of(pair_of, side).cluster.port, on_request) as proxy:
            run = pgparity(*command(pair_of, side, proxy, "--engine", "extension", "--table", "big", "--table", "small", *LIMIT), timeout=PROMPTLY)
        assert len(asked) >= silent and f"the {side} has sent nothing for 2 s" in run.stderr, run
        if status == ERROR:
            assert run.expect(ERROR).stdout == "" and "--stall-timeout sets the limit" in run.stderr
        else:
            check_right(run, pair_of.data)
        nothing_is_left(pair_of)


@pytest.mark.in_turn("faults")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("side", SIDES)
def test_a_network_that_swallows_everything(pair_of, side, engine):
    """The other connection is not answered either. What was compared before counts."""
    seen = []

    def on_request(number, data):
        if b'LOCK TABLE "public"."small"' in data:
            seen.append(number)
            proxy.swallowing.set()
    with Proxy(database_of(pair_of, side).cluster.port, on_request) as proxy:
        run = pgparity(*command(pair_of, side, proxy, "--engine", engine, "--table", "big", "--table", "small", *LIMIT, "--retry-for", "0", "--connect-timeout", "3"),
                       timeout=PROMPTLY)
    assert seen, run
    run.expect(DIVERGENT if pair_of.data == "planted" else INCOMPLETE)
    assert findings(run.table("public.big")) == (FOUND["public.big"] if pair_of.data == "planted" else set())
    error = run.table("public.small")["error"]
    assert f"the {side} has sent nothing for 2 s: nor does it answer over another connection: could not connect to the {side}: no answer within 3 s" in error, run
    assert "--stall-timeout sets the limit" in error


class Gate:
    def __init__(self, database):
        self.holder = database.connect()
        with self.holder.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(42), pg_backend_pid()")
            self.pid = cursor.fetchone()[1]

    def open(self):
        self.holder.close()


GATED = ("--table", "gated", "--table", "big", "--key", "gated=id", "--lock-timeout", "0")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("side", SIDES)
def test_a_session_that_waits_for_a_lock(pair_of, side, engine):
    """Who has it is told. The locks and the transactions of both sides are gone then; who can wait gets the answer."""
    gate = Gate(database_of(pair_of, side))
    run = pgparity(*command(pair_of, None, None, "--engine", engine, *GATED, *LIMIT, "--retry-for", "0"), timeout=PROMPTLY)
    nothing_is_left(pair_of)
    run.expect(DIVERGENT if pair_of.data == "planted" else INCOMPLETE)
    error = run.table("public.gated")["error"]
    assert f"the {side} has sent nothing for 2 s: its session (pid " in error and f"waits for a lock (advisory) of pid {gate.pid} (user " in error, run
    assert findings(run.table("public.big")) == (FOUND["public.big"] if pair_of.data == "planted" else set())

    process = popen(*command(pair_of, None, None, "--engine", engine, *GATED, *LIMIT))
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(process.stderr))
    reader.start()
    end = time.monotonic() + PROMPTLY
    while not any("begun again" in line for line in lines):
        assert time.monotonic() < end and process.poll() is None, lines
        time.sleep(0.05)
    gate.open()
    stdout = process.stdout.read()
    reader.join()
    check_right(Run([], process.wait(timeout=PROMPTLY), stdout, "".join(lines)), pair_of.data)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("side", [*SIDES, "both"])
def test_a_server_that_works_is_waited_for(pair, side, engine):
    """Five seconds without a byte."""
    pair.both(TABLES)
    for each in SIDES if side == "both" else [side]:
        database_of(pair, each).execute("CREATE OR REPLACE VIEW gated AS SELECT id, slow(v) AS v FROM small")
    for planted in (False, True):
        if planted:
            pair.target.execute(PLANTED)
        run = pgparity(*command(pair, None, None, "--engine", engine, *GATED, "--stall-timeout", "1500ms"), timeout=PROMPTLY)
        check_right(run, "planted" if planted else "equal")
        assert "attempts" not in run.table("public.gated"), run
        for each in SIDES:
            told = f"pgparity: {each}: nothing was sent for 1.5 s: its session (pid " in run.stderr and "is at work (Timeout: PgSleep)" in run.stderr
            assert told == (side in (each, "both")) or (side == "both" and "is at work (Timeout: PgSleep)" in run.stderr), run


def test_without_a_limit_silence_lasts(pair_of):
    gate = Gate(pair_of.target)
    process = popen(*command(pair_of, None, None, *GATED, "--stall-timeout", "0"))
    pair_of.target.cluster.wait_for(f"SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = '{pair_of.target.name}' AND wait_event = 'advisory'")
    time.sleep(4)
    assert process.poll() is None
    gate.open()
    stdout, stderr = process.communicate(timeout=PROMPTLY)
    check_right(Run([], process.returncode, stdout, stderr), pair_of.data)
    assert "sent nothing" not in stderr


def test_a_server_without_room_for_a_look_is_believed(pair_of):
    """One connection is all that the role may have: nobody can tell why nothing comes, and nothing is given up for that."""
    pair_of.target.execute("CREATE ROLE lonely LOGIN CONNECTION LIMIT 1; GRANT SELECT ON ALL TABLES IN SCHEMA public TO lonely; GRANT USAGE ON SCHEMA parity TO lonely")
    gate = Gate(pair_of.target)
    try:
        process = popen("compare", "--format", "json", "--no-progress", "--source", pair_of.source.conninfo(), "--target", pair_of.target.conninfo(user="lonely"),
                        *GATED, "--engine", "extension", "--stall-timeout", "1s")
        pair_of.target.cluster.wait_for("SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'lonely' AND wait_event = 'advisory'")
        time.sleep(3)
        gate.open()
        stdout, stderr = process.communicate(timeout=PROMPTLY)
        check_right(Run([], process.returncode, stdout, stderr), pair_of.data)
        assert "nothing was sent for 1 s, and it cannot be told why" in stderr and "too many connections for role" in stderr
    finally:
        gate.open()
        pair_of.target.execute("DROP OWNED BY lonely; DROP ROLE lonely")


@pytest.mark.parametrize("value", ["5", "5 minutes", "-1s", ""])
def test_what_is_no_limit(pair, value):
    assert f'invalid value "{value}" for --stall-timeout' in pair.run("--stall-timeout", value).expect(ERROR).stderr
