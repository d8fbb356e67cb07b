"""One side fails, or its network does, while the other one is in the middle of something that would take for ever."""

import contextlib
import signal

import pytest

from support.engines import ALL_ENGINES
from support.pgparity import DIVERGENT, ERROR, INCOMPLETE, PGPARITY, Run, findings, missing_on_target, pgparity, popen
from support.proxy import Proxy

pytestmark = pytest.mark.matrix(sample=1)

# A view whose rows come only while the test does not hold the lock. `other` is larger, so that it is compared first.
GATED = """
    CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other SELECT generate_series(1, 5000);
    CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, n FROM generate_series(1, 100) n; ANALYZE;
    CREATE FUNCTION gate(v int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_lock_shared(42); PERFORM pg_advisory_unlock_shared(42); RETURN v; END $$;
    CREATE VIEW gated AS SELECT id, gate(v) AS v FROM t"""

WAITING = "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name LIKE 'pgparity%' AND datname = '{}' AND wait_event = 'advisory'"
GONE = "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name LIKE 'pgparity%' AND datname = '{}' AND backend_type = 'client backend'"
TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgparity%' AND datname = current_database()"

# Far more than a cancelled run takes, which is milliseconds, or ten seconds for a server that does not answer.
PROMPTLY = 60


class Gate:
    """Keeps a side's view from giving rows while it is closed."""

    def __init__(self, database):
        self.database = database
        self.holder = database.connect()

    def close(self):
        with self.holder.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(42)")

    def open(self):
        with self.holder.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")

    def await_visitor(self):
        self.database.cluster.wait_for(WAITING.format(self.database.name))


class Sides:
    """Two databases with gated views, and runs of pgparity between them."""

    def __init__(self, engines, databases, gates):
        self.engines = engines
        self.databases = databases
        self.gates = gates

    @contextlib.contextmanager
    def running(self, *arguments, **conninfo):
        """A run, which is over when the context is left: finish() gives it."""
        process = popen("compare", *self.engines.arguments, "--format", "json", "--key", "id", "--no-progress",
                        *([] if "--retry-for" in arguments else ["--retry-for", "0"]), *arguments,
                        *(word for side in ("source", "target") for word in (f"--{side}", conninfo.get(side, self.databases[side].conninfo()))))
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def await_both(self):
        for gate in self.gates.values():
            gate.await_visitor()


def finish(process):
    stdout, stderr = process.communicate(timeout=PROMPTLY)
    return Run([PGPARITY], process.returncode, stdout, stderr)


@pytest.fixture(params=ALL_ENGINES, ids=str)
def sides(request, source_cluster, target_cluster):
    engines = request.param
    databases = {"source": source_cluster.create_database(extension=engines.has_extension("source")),
                 "target": target_cluster.create_database(extension=engines.has_extension("target"))}
    for database in databases.values():
        database.execute(GATED)
    gates = {side: Gate(database) for side, database in databases.items()}
    yield Sides(engines, databases, gates)
    for side, database in databases.items():
        gates[side].holder.close()
        database.cluster.wait_for(GONE.format(database.name))
        database.cluster.drop_database(database)


def other_of(side):
    return "target" if side == "source" else "source"


def check_error(run, failing, cause):
    """The first failure is reported, and not what became of the other side."""
    message = run.table("public.gated")["error"]
    assert failing in message and cause in message, run
    assert "cancel" not in message and other_of(failing) not in message, run


@pytest.mark.parametrize("failing", ["source", "target"])
def test_terminated_side_ends_the_pass(sides, failing):
    for gate in sides.gates.values():
        gate.close()
    with sides.running("--table", "public.gated") as process:
        sides.await_both()
        sides.databases[failing].execute(TERMINATE)
        run = finish(process).expect(ERROR)
    check_error(run, failing, "lost the connection")
    slow = sides.databases[other_of(failing)]
    slow.cluster.wait_for(GONE.format(slow.name))


def check_other(run, planted):
    """What was compared before counts, equal or not."""
    run.expect(DIVERGENT if planted else INCOMPLETE)
    assert run.report["incomplete"] is True
    assert findings(run.table("public.other")) == ({missing_on_target(id="77")} if planted else set())
    assert run.table("public.other")["result"] == ("divergent" if planted else "identical")


@pytest.mark.parametrize("planted", [False, True])
@pytest.mark.parametrize("failing", ["source", "target"])
def test_failing_query_ends_the_pass(sides, failing, planted):
    """What was compared before counts; the table fails with the first error."""
    sides.databases[failing].execute("CREATE OR REPLACE VIEW gated AS SELECT id, gate(v) / (id - 50) AS v FROM t")
    if planted:
        sides.databases["target"].execute("DELETE FROM other WHERE id = 77")
    for gate in sides.gates.values():
        gate.close()
    with sides.running("--table", "public.gated", "--table", "public.other") as process:
        sides.await_both()
        sides.gates[failing].open()
        run = finish(process)
    check_other(run, planted)
    check_error(run, failing, "division by zero")


@pytest.mark.parametrize("failing", ["source", "target"])
def test_failure_while_rows_are_read(sides, failing):
    """The digests differ, which stays known; then the gates are closed, and one side goes away."""
    sides.databases["target"].execute("UPDATE t SET v = 0 WHERE id = 77")
    closed = set()

    def closing(side):
        def close(number, data):
            if side not in closed and any(text in data for text in (b"row_records", b".ctid FROM", b"NULL::pg_catalog.tid")):
                closed.add(side)
                sides.gates[side].close()
        return close
    with contextlib.ExitStack() as stack:
        proxies = {side: stack.enter_context(Proxy(database.cluster.port, closing(side))) for side, database in sides.databases.items()}
        conninfo = {side: sides.databases[side].tcp_conninfo(proxy.port) for side, proxy in proxies.items()}
        process = stack.enter_context(sides.running("--table", "public.gated", "--ranges", "1", **conninfo))
        sides.await_both()
        sides.databases[failing].execute(TERMINATE)
        run = finish(process).expect(DIVERGENT)
    assert run.report["incomplete"] is True
    check_error(run, failing, "lost the connection")


@pytest.mark.in_turn("faults")
@pytest.mark.parametrize("swallowed", ["target", pytest.param("source", marks=pytest.mark.long)])
@pytest.mark.repeated(sides=["extension-stream"])
def test_signal_while_a_network_swallows_everything(sides, swallowed):
    """A request to cancel is sent over a connection of its own, which nobody answers either."""
    for gate in sides.gates.values():
        gate.close()
    database = sides.databases[swallowed]
    with Proxy(database.cluster.port) as proxy, \
            sides.running("--table", "public.gated", **{swallowed: database.tcp_conninfo(proxy.port)}) as process:
        sides.await_both()
        proxy.swallow()
        process.send_signal(signal.SIGINT)
        run = finish(process).expect(ERROR)
    assert "interrupted" in run.stderr and run.report["interrupted"] is True


@pytest.mark.in_turn("faults")
@pytest.mark.parametrize("planted", [False, True])
@pytest.mark.parametrize("swallowed", ["target", pytest.param("source", marks=pytest.mark.long)])
@pytest.mark.repeated(sides=["extension-stream"])
def test_side_that_fails_while_the_others_network_swallows_everything(sides, swallowed, planted):
    if planted:
        sides.databases["target"].execute("DELETE FROM other WHERE id = 77")
    for gate in sides.gates.values():
        gate.close()
    database, failing = sides.databases[swallowed], other_of(swallowed)
    with Proxy(database.cluster.port) as proxy, \
            sides.running("--table", "public.gated", "--table", "public.other", **{swallowed: database.tcp_conninfo(proxy.port)}) as process:
        sides.await_both()
        proxy.swallow()
        sides.databases[failing].execute(TERMINATE)
        run = finish(process)
    check_other(run, planted)
    check_error(run, failing, "lost the connection")


# While both sides are asked at the same time: from the first request on that holds this, nobody answers.
SILENT_FROM = {"connecting": b"", "settings": b"search_path", "catalogs": b"schema_pattern"}


@contextlib.contextmanager
def silent_from(database, words, then=None):
    """A proxy of the database that swallows everything from the first request with these words on, and does what `then` does with it."""
    def on_request(number, data):
        if words in data or proxy.swallowing.is_set():
            proxy.swallowing.set()
            return then() if then else None
    with Proxy(database.cluster.port, on_request=on_request) as proxy:
        yield proxy


def through_proxies(pair, source, target):
    return ["--source", pair.source.tcp_conninfo(source.port), "--target", pair.target.tcp_conninfo(target.port), "--connect-timeout", "0"]


@pytest.mark.in_turn("faults")
@pytest.mark.parametrize("words", SILENT_FROM.values(), ids=SILENT_FROM)
def test_source_that_fails_does_not_wait_for_a_silent_target(module_pair, words):
    def break_once_target_is_silent():
        assert target.swallowing.wait(PROMPTLY)
        return 0
    with silent_from(module_pair.target, words) as target, \
            silent_from(module_pair.source, words, break_once_target_is_silent) as source:
        run = pgparity("compare", *through_proxies(module_pair, source, target), "--retry-for", "0", timeout=PROMPTLY).expect(ERROR)
    assert "connection to the source" in run.stderr if words else "connect to the source" in run.stderr, run
    assert "target" not in run.stderr, run


@pytest.mark.in_turn("faults")
@pytest.mark.parametrize("words", SILENT_FROM.values(), ids=SILENT_FROM)
def test_signal_while_both_sides_are_silent(module_pair, words):
    with silent_from(module_pair.source, words) as source, silent_from(module_pair.target, words) as target:
        process = popen("compare", *through_proxies(module_pair, source, target))
        for proxy in (source, target):
            assert proxy.swallowing.wait(PROMPTLY)
        process.send_signal(signal.SIGINT)
        run = finish(process).expect(ERROR)
    assert "interrupted" in run.stderr
