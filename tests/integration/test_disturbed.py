"""What others do to a run: they restart servers and poolers, end sessions, take all connections, and have a standby replay what conflicts."""

import contextlib
import os
import random
import threading
import time

import psycopg2
import pytest

from support.cluster import PASSWORD, Cluster, fresh_databases
from support.messages import MessageProxy
from support.pgparity import ERROR
from support.proxy import Proxy
from support.random_values import SEED
from test_other_server import pgbouncer
from test_retries import DATA, MOMENTS, PLANTED, TABLES, Beside, check_begun_again, check_right, compare, once

pytestmark = [pytest.mark.matrix(sample=1), pytest.mark.in_turn("disturbed")]

ENGINES = ["extension", "stream"]
LONG = bool(os.environ.get("PARITY_LONG"))
NOISE = "CREATE TABLE noise (id int PRIMARY KEY, v text)"


@pytest.fixture(scope="module")
def own(source_cluster):
    """Two servers of this module's own, which may be stopped, and have few connections."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Cluster(name, installation=source_cluster.installation, settings={"max_connections": "14"})) for name in ("left", "right")]


@pytest.fixture(params=DATA)
def sides(request, own):
    """(source, target, whether they differ)"""
    with fresh_databases(*own, sql=TABLES) as databases:
        if request.param == "planted":
            databases[1].execute(PLANTED)
        for cluster in own:
            cluster.execute("CHECKPOINT")  # what is there survives a server that is killed
        yield *databases, request.param


# ---- servers and sessions ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("mode", ["fast", "immediate"])
@pytest.mark.parametrize("which", ["source", "target", "both"])
def test_servers_that_are_restarted_anywhere(sides, own, engine, mode, which):
    """Before a message that is drawn, after the servers were met."""
    source, target, data = sides
    restarted = {"source": own[:1], "target": own[1:], "both": own}[which]

    def run_with(at=None, fault=None):
        with MessageProxy(target.cluster.port, at, fault) as proxy:
            run = compare(source.conninfo(), target.tcp_conninfo(proxy.port), "--engine", engine)
        return run, proxy
    undisturbed, proxy = run_with()
    check_right(undisturbed, data)
    at = random.Random(SEED).choice([moment for moment, kind, _ in proxy.seen if moment.sender == "client" and kind == "Q" and moment.connection > 0])
    restart = Beside(*(act for cluster in restarted for act in (lambda cluster=cluster: cluster.stop(mode), cluster.start)))

    def fault(link, sender, message):
        restart()
        link.send(sender, message)
        return True
    source.close()
    target.close()
    run, proxy = run_with(at, fault)
    assert proxy.happened, at
    restart.thread.join()
    check_right(run, data)


SLOW = """CREATE FUNCTION slow(int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS 'BEGIN PERFORM pg_catalog.pg_sleep(0.0002); RETURN true; END';
    ALTER TABLE big SET (parallel_workers = 2)"""
WORKERS = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'parallel worker' AND datname = '{}'"


@pytest.mark.parametrize("engine", ENGINES)
def test_parallel_workers_that_are_ended(sides, engine):
    """What the leader tells of them is not that its own session is lost."""
    source, target, data = sides
    for side in (source, target):
        side.execute(SLOW)
        side.execute(f"ALTER DATABASE {side.name} SET parallel_setup_cost = 0;"
                     f"ALTER DATABASE {side.name} SET parallel_tuple_cost = 0; ALTER DATABASE {side.name} SET max_parallel_workers_per_gather = 2")
    ended = []

    def end_some():
        deadline = time.monotonic() + 10
        while len(ended) < 1 + LONG and time.monotonic() < deadline:
            if count := target.cluster.value(WORKERS.format(target.name)):
                ended.append(count)
            time.sleep(0.005)
    killer = threading.Thread(target=end_some)
    began = once(MOMENTS["lock"], killer.start)
    with Proxy(target.cluster.port, began) as proxy:
        run = compare(source.conninfo(), target.tcp_conninfo(proxy.port), "--engine", engine, "--where", "public.slow(id)", "--table", "big", "--workers", "2")
    killer.join()
    assert ended, run
    check_right(run, data)


# ---- poolers -------------------------------------------------------------------------------------------------------

class Pooler:
    """A PgBouncer before a database, in session mode at first. It keeps its port when it is restarted."""

    def __init__(self, database, directory):
        self.database, self.directory = database, directory
        self.running = contextlib.ExitStack()
        self.port = None

    def _start(self, mode, connections):
        self.port = self.running.enter_context(
            pgbouncer(mode, self.database.cluster.port, [self.database.name], self.directory, connections, self.port))

    def restart(self, mode="session", connections=12):
        self.running.close()
        self._start(mode, connections)

    def __enter__(self):
        self._start("session", 12)
        return self

    def __exit__(self, *_):
        self.running.close()


def compare_while(moment, pooler, act, source, target, engine):
    """Through the pooler, which is acted on at a moment. The proxy tells the moment; it stands between pgparity and the pooler."""
    beside = Beside(act)
    disturbed = once(moment, beside)
    with Proxy(pooler.port, disturbed) as proxy:
        run = compare(source.conninfo(), target.tcp_conninfo(proxy.port), "--engine", engine)
        assert disturbed.done, run
        beside.thread.join()
    return run


@pytest.mark.parametrize("engine,moment", [("extension", "lock"), ("extension", "second table"), ("extension", "digests"), ("stream", "second table"), ("stream", "copy")])
def test_a_pooler_that_is_restarted(sides, tmp_path, engine, moment):
    """In session mode, before the target: as if the server had been restarted, but that it is the same."""
    source, target, data = sides
    with Pooler(target, tmp_path) as pooler:
        run = compare_while(MOMENTS[moment], pooler, pooler.restart, source, target, engine)
    check_right(run, data)
    check_begun_again(run, moment)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_pooler_that_comes_back_in_another_mode(sides, tmp_path, engine):
    """What several backends answer to one session is refused, in the middle of a run, too."""
    source, target, data = sides

    def restart():
        pooler.restart("transaction", 3)
        clients = [psycopg2.connect(host="127.0.0.1", port=pooler.port, dbname=target.name, user="postgres") for _ in range(3)]
        for client in clients:  # transactions at the same time have the pooler open its connections
            client.cursor().execute("SELECT 1")
        for client in clients:
            client.close()
    with Pooler(target, tmp_path) as pooler:
        run = compare_while(MOMENTS["second table"], pooler, restart, source, target, engine)
    # Nothing is wrong with an answer that one backend gave, and the pooler may happen to lead all to one.
    if run.status == ERROR:
        assert "a pooler in transaction or statement mode" in run.stderr, run
    else:
        check_right(run, data)


# ---- connections ---------------------------------------------------------------------------------------------------

class Storm:
    """Other clients that take every connection of a server that is left, and give some back, again and again."""

    def __init__(self, database, role):
        self.conninfo = database.conninfo(user=role, connect_timeout=5)
        self.held = []
        self.refused = 0
        self.over = threading.Event()
        self.rng = random.Random(SEED)
        self.thread = threading.Thread(target=self._blow)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        if self.thread.ident:
            self.thread.join()
        self._give_back(0)

    def begin(self):
        self._take_all()
        self.thread.start()

    def _take_all(self):
        with contextlib.suppress(psycopg2.OperationalError):
            while not self.over.is_set():
                self.held.append(psycopg2.connect(self.conninfo))
        self.refused += 1

    def _give_back(self, left):
        while len(self.held) > left:
            self.held.pop().close()

    def _blow(self):
        while not self.over.wait(self.rng.uniform(0.05, 0.5)):
            self._give_back(self.rng.choice([0, len(self.held) // 2, max(0, len(self.held) - 1)]))
            if self.over.wait(self.rng.uniform(0.05, 0.5)):
                return
            self._take_all()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_others_who_take_all_connections(sides, own, engine, jobs):
    """From the moment on when the catalogs are read. What is left is shared; what fails is tried again."""
    source, target, data = sides
    for cluster in own:
        cluster.execute("DO $$ BEGIN CREATE ROLE reader LOGIN IN ROLE pg_read_all_data, pg_read_all_stats; CREATE ROLE noise LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    for side in (source, target):
        side.execute(f"GRANT USAGE ON SCHEMA parity TO reader; ALTER ROLE reader PASSWORD '{PASSWORD}'")
    with Storm(target, "noise") as storm:
        began = once(b"schema_pattern", storm.begin)
        with Proxy(target.cluster.port, began) as proxy:
            run = compare(source.conninfo(user="reader"), target.tcp_conninfo(proxy.port, user="reader"), "--engine", engine, "--jobs", jobs, "--retry-for", "60s")
        assert began.done and storm.refused > 0, run
    check_right(run, data)


# ---- a standby -----------------------------------------------------------------------------------------------------

class Vacuum:
    """Changes a table of the primary and vacuums it, for some seconds."""

    def __init__(self, database):
        self.database = database
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._work)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def _work(self):
        with contextlib.closing(self.database.connect()) as connection, connection.cursor() as cursor:
            for _ in range(40 if LONG else 8):
                if self.over.wait(0.3):
                    return
                cursor.execute("UPDATE noise SET v = v || 'x'")
                cursor.execute("VACUUM noise")


@pytest.fixture(scope="module")
def late(own):
    """A standby that replays a second late, and then waits for nobody who reads: what it replays came longer ago than it may wait."""
    settings = {"recovery_min_apply_delay": "1s", "max_standby_streaming_delay": "500ms", "hot_standby_feedback": "off"}
    with Cluster("late", standby_of=own[0], settings={**own[0].settings, **settings}) as cluster:
        yield cluster


CONFLICTS = "SELECT sum(confl_snapshot + confl_lock + confl_bufferpin + confl_deadlock) FROM pg_stat_database_conflicts WHERE datname = '{}'"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_late_standby_while_its_primary_is_vacuumed(own, late, sides, engine):
    """What it has is a second old, and its replay ends whoever reads longer than from one VACUUM to the next. Between the catalogs and the tables a
    second passes, so that no attempt is quicker than that."""
    primary, other, data = sides  # planted is planted in the other one
    primary.execute(NOISE + "; INSERT INTO noise SELECT n, 'v' FROM generate_series(1, 200) n")
    late.wait_for(f"SELECT count(*) = 1 FROM pg_database WHERE datname = '{primary.name}'")
    late.catch_up()
    copy = late.database(primary.name)
    before = late.value(CONFLICTS.format(primary.name))
    delayed = once(MOMENTS["digests" if engine == "extension" else "copy"], lambda: time.sleep(1))
    with Vacuum(primary), Proxy(late.port, delayed) as proxy:
        time.sleep(1)
        run = compare(copy.tcp_conninfo(proxy.port), other.conninfo(), "--engine", engine, "--exclude-table", "noise", "--no-sequences", "--retry-for", "60s")
    check_right(run, data)
    assert late.value(CONFLICTS.format(primary.name)) > before, run
    assert run.table("public.big")["attempts"] > 1, run
    copy.close()
