"""A run goes on with another server of a side's cluster: only if that is allowed, and what that server may lack is compared again."""

import contextlib

import pytest

from support.cluster import PASSWORD, Cluster
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, findings, mismatch, pgparity
from support.proxy import Proxy

pytestmark = pytest.mark.matrix(sample=1)

DATA = ["equal", "planted"]
TABLES = """CREATE TABLE alpha (id int PRIMARY KEY, v text); INSERT INTO alpha SELECT n, 'value ' || n FROM generate_series(1, 4000) n;
    CREATE TABLE beta (id int PRIMARY KEY, v text); INSERT INTO beta SELECT n, 'value ' || n FROM generate_series(1, 1000) n;
    CREATE TABLE gamma (id int PRIMARY KEY, v text); INSERT INTO gamma SELECT n, 'value ' || n FROM generate_series(1, 10) n;
    CREATE SEQUENCE counted; ANALYZE"""


@pytest.fixture
def group(source_cluster):
    """A primary and its standby, which is promoted in the middle of a run, and a source of its own."""
    with Cluster("first", installation=source_cluster.installation) as primary, contextlib.ExitStack() as stack:
        target = primary.create_database()
        target.execute(TABLES)
        standby = stack.enter_context(Cluster("second", standby_of=primary))
        source = source_cluster.create_database()
        source.execute(TABLES)
        yield source, target, primary, standby
        source.close()
        target.close()
        source_cluster.drop_database(source)


def lose(target, primary, standby, sql):
    """The standby stops receiving, the primary commits something that it alone has, and then the standby is the primary."""
    standby.catch_up()
    standby.execute("ALTER SYSTEM SET primary_conninfo = ''")
    standby.execute("SELECT pg_reload_conf()")
    standby.wait_for("SELECT count(*) = 0 FROM pg_stat_wal_receiver")
    target.execute(sql)


def promote(primary, standby):
    primary.stop("immediate")
    standby.execute("SELECT pg_promote()")
    standby.wait_for("SELECT NOT pg_is_in_recovery()")


def compare(source, conninfo, *arguments):
    return pgparity("compare", "--format", "json", "--no-progress", "--source", source.conninfo(), "--target", conninfo, *arguments)


class Switch:
    """For a proxy: at the first request about a table, the standby takes over, and the address leads to it."""

    def __init__(self, table, primary, standby):
        self.table, self.primary, self.standby = table, primary, standby
        self.done = False

    def port(self, connection):
        return self.standby.port if self.done else self.primary.port

    def __call__(self, number, request):
        if self.done or b"LOCK TABLE" not in request or self.table not in request:
            return None
        self.done = True
        promote(self.primary, self.standby)
        return 0


@pytest.mark.parametrize("engine", ["extension", "stream"])
@pytest.mark.parametrize("data", DATA)
def test_a_standby_that_is_promoted(group, data, engine):
    """What the primary alone had hid a difference. The table that was compared there is compared again."""
    source, target, primary, standby = group
    if data == "planted":  # the standby has a row that differs, and the primary mended it too late
        target.execute("UPDATE alpha SET v = 'planted' WHERE id = 7")
        lose(target, primary, standby, "UPDATE alpha SET v = 'value 7' WHERE id = 7")
    else:
        lose(target, primary, standby, "UPDATE alpha SET v = v WHERE id = 7")
    switch = Switch(b'"gamma"', primary, standby)
    with Proxy(switch.port, switch) as proxy:
        run = compare(source, target.tcp_conninfo(proxy.port), "--engine", engine, "--allow-failover").expect(DIVERGENT if data == "planted" else IDENTICAL)
    assert switch.done and run.report["incomplete"] is False, run
    assert findings(run.table("public.alpha")) == ({mismatch("v", id="7")} if data == "planted" else set()), run
    failover = run.report["failover"]
    [change] = failover["servers"]
    assert change["side"] == "target" and "timeline 1" in change["before"] and "timeline 2" in change["after"], run
    again = {table["source"]: table["reason"] for table in failover["compared_again"]}
    assert "public.alpha" in again and "left timeline 1" in again["public.alpha"], run
    assert "goes on with another server of the target" in run.stderr


@pytest.mark.parametrize("data", DATA)
def test_the_report_as_tables_finish_replaces_what_it_said(group, data):
    """The primary that was compared first had a difference of its own, which went with it."""
    source, target, primary, standby = group
    if data == "planted":
        target.execute("UPDATE alpha SET v = 'planted' WHERE id = 9")
    lose(target, primary, standby, "UPDATE alpha SET v = 'lost' WHERE id = 7")
    switch = Switch(b'"gamma"', primary, standby)
    with Proxy(switch.port, switch) as proxy:
        run = pgparity("compare", "--no-progress", "--source", source.conninfo(), "--target", target.tcp_conninfo(proxy.port), "--allow-failover",
                       "--only-differences").expect(DIVERGENT if data == "planted" else IDENTICAL)
    assert switch.done, run
    before, after = run.stdout.split("  this replaces what was said of it above\n")
    assert "public.alpha: divergent" in before, run
    assert before.splitlines()[-1].startswith("public.alpha: " + ("divergent" if data == "planted" else "identical")), run
    assert ("value 9" in after) == (data == "planted"), run
    assert "value 7" in before and "value 7" not in after, run


def test_it_is_refused_unless_it_is_allowed(group):
    source, target, primary, standby = group
    lose(target, primary, standby, "UPDATE alpha SET v = v WHERE id = 7")
    switch = Switch(b'"gamma"', primary, standby)
    with Proxy(switch.port, switch) as proxy:
        run = compare(source, target.tcp_conninfo(proxy.port), "--retry-for", "10s")
    assert run.status in (INCOMPLETE, ERROR), run
    assert "is another server of the same cluster now" in run.table("public.gamma")["error"], run
    assert "failover" not in run.report


@pytest.mark.parametrize("data", DATA)
def test_a_list_of_hosts(group, data):
    """libpq finds the primary. What the standby has received counts."""
    source, target, primary, standby = group
    if data == "planted":
        target.execute("UPDATE beta SET v = 'planted' WHERE id = 7")
    standby.catch_up()
    done = []

    def on_request(number, request):
        if not done and b"LOCK TABLE" in request and b'"gamma"' in request:
            done.append(1)
            standby.catch_up()
            promote(primary, standby)
    hosts = f"host=127.0.0.1,127.0.0.1 port={primary.port},{standby.port} user=postgres password={PASSWORD} dbname={target.name} target_session_attrs=read-write"
    with Proxy(source.cluster.port, on_request) as proxy:
        run = pgparity("compare", "--format", "json", "--no-progress", "--source", source.tcp_conninfo(proxy.port), "--target", hosts,
                       "--allow-failover").expect(DIVERGENT if data == "planted" else IDENTICAL)
    assert done
    assert run.report["incomplete"] is False and len(run.report["failover"]["servers"]) == 1, run
    assert findings(run.table("public.beta")) == ({mismatch("v", id="7")} if data == "planted" else set())


@pytest.mark.parametrize("data", DATA)
def test_sequences_are_those_of_the_server_that_stayed(group, data):
    """They are read when the run begins. The server that goes on never had the values that the other one gave last."""
    source, target, primary, standby = group
    source.execute("SELECT setval('counted', 5)")
    if data == "planted":
        lose(target, primary, standby, "SELECT setval('counted', 5)")
    else:
        target.execute("SELECT setval('counted', 5)")
        lose(target, primary, standby, "UPDATE alpha SET v = v WHERE id = 7")
    switch = Switch(b'"gamma"', primary, standby)
    with Proxy(switch.port, switch) as proxy:
        run = compare(source, target.tcp_conninfo(proxy.port), "--allow-failover").expect(DIVERGENT if data == "planted" else IDENTICAL)
    [sequence] = run.report["sequences"]
    assert sequence["result"] == ("divergent" if data == "planted" else "identical"), run


@pytest.mark.parametrize("data", DATA)
def test_a_run_that_is_continued(group, tmp_path, data):
    """The first part ends before the failover, which happens in the second one."""
    source, target, primary, standby = group
    state = tmp_path / "state"
    if data == "planted":
        target.execute("UPDATE alpha SET v = 'planted' WHERE id = 7")
    lose(target, primary, standby, "UPDATE alpha SET v = 'value 7' WHERE id = 7")
    with Proxy(primary.port, lambda number, request: 0 if b"LOCK TABLE" in request and b'"alpha"' not in request else None) as proxy:
        compare(source, target.tcp_conninfo(proxy.port), "--state", state, "--retry-for", "0").expect(INCOMPLETE)
    switch = Switch(b'"gamma"', primary, standby)
    with Proxy(switch.port, switch) as proxy:
        run = pgparity("resume", "--state", state, "--format", "json", "--no-progress", "--allow-failover", "--source", source.conninfo(),
                       "--target", target.tcp_conninfo(proxy.port)).expect(DIVERGENT if data == "planted" else IDENTICAL)
    assert findings(run.table("public.alpha")) == ({mismatch("v", id="7")} if data == "planted" else set()), run
    told = pgparity("report", "--from", state, "--format", "json").expect(run.status)
    assert told.report["failover"] == run.report["failover"] and len(run.report["failover"]["servers"]) == 1
    assert "another server since" in pgparity("report", "--from", state).stdout
