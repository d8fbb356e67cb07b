"""How many connections a run opens, and what it does where it may not open as many."""

import pytest

from support.cluster import PASSWORD
from support.engines import Engines
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, findings, mismatch
from test_side_fails import finish, sides  # noqa: F401

pytestmark = pytest.mark.matrix(sample=1)

OPEN = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgparity%' AND datname = current_database() AND backend_type = 'client backend'"
WAITING = "SELECT count(*) = {} FROM pg_stat_activity WHERE datname = '{}' AND wait_event = 'advisory'"
SECOND = "CREATE VIEW gated2 AS SELECT id, gate(v) AS v FROM t"
BOTH = ("--table", "public.gated", "--table", "public.gated2")


PLANTED = pytest.mark.parametrize("planted", [False, True])


def check_found(run, planted):
    run.expect(DIVERGENT if planted else IDENTICAL)
    assert [findings(table) for table in run.report["tables"]] == [{mismatch("v", id="77")} if planted else set()] * 2
    return run


def documented_bound(engine, jobs, workers):
    """Per side, as docs/cli.md has it."""
    return jobs * (1 + workers) if engine == "stream" else jobs


def limit_role(database, role, limit):
    database.execute(f"DO $$ BEGIN CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
                     f"ALTER ROLE {role} CONNECTION LIMIT {limit}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    return database.conninfo(user=role)


def limited(sides, limit):  # noqa: F811
    return {side: limit_role(database, "limited", limit) for side, database in sides.databases.items()}


def read_until(process, words):
    lines = []
    for line in process.stderr:
        lines.append(line)
        if words in line:
            break
    return "".join(lines)


@pytest.fixture(autouse=True)
def second(sides, request):  # noqa: F811
    for database in sides.databases.values():
        database.execute(SECOND)
    if "planted" in request.fixturenames and request.getfixturevalue("planted"):
        sides.databases["target"].execute("UPDATE t SET v = 0 WHERE id = 77")


@PLANTED
def test_connections_of_two_tables_at_a_time(sides, planted):  # noqa: F811
    """While both tables are read, everything is open that will be; a role that may open exactly as many is not limited by that."""
    bounds = {side: documented_bound(getattr(sides.engines, side), 2, 3) for side in sides.databases}
    conninfo = {side: limit_role(database, "bounded", bounds[side]) for side, database in sides.databases.items()}
    for gate in sides.gates.values():
        gate.close()
    with sides.running(*BOTH, "--jobs", "2", "--workers", "3", **conninfo) as process:
        for database in sides.databases.values():
            database.cluster.wait_for(WAITING.format(2, database.name))
        opened = {side: database.value(OPEN) for side, database in sides.databases.items()}
        for gate in sides.gates.values():
            gate.open()
        run = check_found(finish(process), planted)
    assert opened == bounds
    assert not any(table["notes"] for table in run.report["tables"]) and "at a time" not in run.stderr, run


@PLANTED
@pytest.mark.parametrize("spare", [0, 3])
def test_room_for_few_connections_is_enough(sides, spare, planted):  # noqa: F811
    """Each of two tables has what it cannot do without before any has more."""
    needed = 4 if "stream" in str(sides.engines) else 2
    for gate in sides.gates.values():
        gate.close()
    with sides.running(*BOTH, "--jobs", "2", "--workers", "4", **limited(sides, needed + spare)) as process:
        for database in sides.databases.values():
            database.cluster.wait_for(WAITING.format(2, database.name))
        for gate in sides.gates.values():
            gate.open()
        run = check_found(finish(process), planted)
    assert "at a time" not in run.stderr, run
    notes = [note for table in run.report["tables"] for note in table["notes"]]
    assert any("connections that were to read it" in note for note in notes) == ("stream" in str(sides.engines)), run


@PLANTED
def test_room_for_fewer_tables_at_a_time(sides, planted):  # noqa: F811
    """They are compared nevertheless, one after the other."""
    needed = 2 if "stream" in str(sides.engines) else 1
    with sides.running(*BOTH, "--jobs", "2", **limited(sides, needed)) as process:
        run = check_found(finish(process), planted)
    assert "1 instead of 2 tables are compared at a time" in run.stderr and "too many connections" in run.stderr, run


@PLANTED
@pytest.mark.parametrize("sides", [Engines("extension", "stream"), Engines("stream", "stream")], ids=str, indirect=True)
def test_connections_that_a_run_keeps_from_itself(sides, planted):  # noqa: F811
    """A connection that reads a table is lost, and no other one is to be had while there are as many as that. One of two threads ends, and the other one
    compares both tables."""
    database = sides.databases["target"]
    for gate in sides.gates.values():
        gate.close()
    with sides.running(*BOTH, "--jobs", "2", "--workers", "1", "--retry-for", "1min", target=limited(sides, 4)["target"]) as process:
        database.cluster.wait_for(WAITING.format(2, database.name))
        database.execute("ALTER ROLE limited CONNECTION LIMIT 3")
        database.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory' LIMIT 1")
        told = read_until(process, "fewer tables are compared at a time")
        for gate in sides.gates.values():
            gate.open()
        run = check_found(finish(process), planted)
    assert "too many connections for role" in told, told
    assert sorted(table.get("attempts", 1) for table in run.report["tables"])[0] == 1, run


@pytest.mark.parametrize("sides", [Engines("extension", "stream"), Engines("stream", "stream")], ids=str, indirect=True)
def test_no_room_for_a_stream(sides):  # noqa: F811
    with sides.running(*BOTH, "--jobs", "2", **limited(sides, 1)) as process:
        run = finish(process).expect(ERROR)
    assert "too many connections" in run.table("public.gated")["error"], run
