"""An address behind which other servers stand: no answer may come from rows of a server that was not named."""

import contextlib
import os
import random
import subprocess
import sys
import time

import psycopg2
import pytest

from support.cluster import PASSWORD, Cluster, free_port
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, pgparity
from support.proxy import Proxy

pytestmark = pytest.mark.matrix(sample=1)

ENGINES = ["extension", "stream"]
# A run's connections to one side: the catalogs', the table's and those that stream it.
CONNECTIONS = {"extension": 2, "stream": 4}
ELSEWHERE = ["copy", "promoted", "source"]
# The databases; in "planted" the server that is named lacks a change that all others have.
DATA = ["equal", "planted"]
RIGHT = {"equal": IDENTICAL, "planted": DIVERGENT}
OTHER_OF_CLUSTER = "target is another server of the same cluster now"

TABLES = """
CREATE TABLE big (id serial PRIMARY KEY, v text); INSERT INTO big (v) SELECT 'value ' || i FROM generate_series(1, 4000) AS i;
CREATE TABLE middle (id int PRIMARY KEY, v text); INSERT INTO middle SELECT i, 'value ' || i FROM generate_series(1, 1000) AS i;
CREATE TABLE small (id int PRIMARY KEY, v text); INSERT INTO small SELECT i, 'value ' || i FROM generate_series(1, 10) AS i;
"""
PLANTED = "UPDATE {} SET v = 'planted' WHERE id = 7"


class Servers:
    """The source, the server that the target's address stands for, and others that it may lead to."""

    def __init__(self, source, first, copy, promoted):
        self.source, self.first, self.copy, self.promoted = source, first, copy, promoted

    def run(self, data, engine, port, *arguments, table="big", **options):
        """From the source to the target at a port of this machine."""
        tables = ["--table", f"public.{table}"] if table else []
        return pgparity("compare", "--format", "json", "--engine", engine, "--workers", 2, *tables, *arguments,
                        "--source", self.source.database(data).conninfo(), "--target", self.first.database(data).tcp_conninfo(port=port), **options)

    def behind_one_address(self, elsewhere, leads_elsewhere):
        """A proxy before the first server; `leads_elsewhere` tells of a connection, by its number, whether it goes to the other one."""
        other = getattr(self, elsewhere)
        return Proxy(lambda number: (other if leads_elsewhere(number) else self.first).port)


@pytest.fixture(scope="module")
def servers(source_cluster):
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(Cluster("first", installation=source_cluster.installation))
        for cluster in (source_cluster, first):
            for name in DATA:
                database = cluster.create_database(name)
                database.execute(TABLES)
                database.close()
        copy = stack.enter_context(Cluster("copy", restored_from=first))
        promoted = stack.enter_context(Cluster("promoted", standby_of=first))
        promoted.value("SELECT pg_promote()")
        database = first.database("planted")
        database.execute(PLANTED.format("big"))
        database.close()
        yield Servers(source_cluster, first, copy, promoted)
        for name in DATA:
            source_cluster.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def rng():
    seed = int(os.environ.get("PARITY_SEED") or random.SystemRandom().randrange(2**32))
    print(f"PARITY_SEED={seed}", file=sys.stderr)
    return random.Random(seed)


def from_here(n):
    return lambda number: number >= n


def only_here(n):
    return lambda number: number == n


MODES = {"from": from_here, "only": only_here}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("data", DATA)
def test_one_server_behind_the_address(servers, engine, data):
    """The twin of all that follow: what they would have said of the named server alone."""
    with Proxy(servers.first.port) as proxy:
        servers.run(data, engine, proxy.port).expect(RIGHT[data])
    assert proxy.connections == CONNECTIONS[engine]


def check_switched(servers, engine, elsewhere, data, mode, n):
    with servers.behind_one_address(elsewhere, MODES[mode](n)) as proxy:
        run = servers.run(data, engine, proxy.port)
    if elsewhere == "source":
        assert "the same server" in run.stderr, run
        run.expect(ERROR)
    elif (mode, n) == ("from", 0):
        run.expect(IDENTICAL)  # it is the server that was named
    else:
        run.expect(ERROR)  # it is the only table
        table = run.table()
        assert OTHER_OF_CLUSTER in table["error"] and "when the run began" in table["error"], run
        assert table["result"] == "error" and not table["divergences"], run


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
@pytest.mark.parametrize("engine", ENGINES)
def test_connections_that_lead_elsewhere(servers, engine, elsewhere, rng):
    """One of the moments, and always the one after the catalogs were read."""
    check_switched(servers, engine, elsewhere, "planted", "from", 1)
    check_switched(servers, engine, elsewhere, rng.choice(DATA), rng.choice(list(MODES)), rng.randrange(CONNECTIONS[engine]))


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("elsewhere", ELSEWHERE)
@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("engine,n", [(engine, n) for engine in ENGINES for n in range(CONNECTIONS[engine])])
def test_every_connection_that_leads_elsewhere(servers, engine, n, data, elsewhere, mode):
    check_switched(servers, engine, elsewhere, data, mode, n)


@pytest.mark.parametrize("engine", ENGINES)
def test_round_robin(servers, engine):
    """From the first connection on every second one leads elsewhere, for several tables at a time."""
    with servers.behind_one_address("promoted", lambda number: number % 2 == 1) as proxy:
        run = servers.run("planted", engine, proxy.port, "--jobs", 3, table=None)
    failed = all(table["result"] == "error" for table in run.report["tables"])
    assert run.status == ERROR if failed else run.status in (INCOMPLETE, DIVERGENT if engine == "extension" else INCOMPLETE), run
    assert any(OTHER_OF_CLUSTER in table.get("error", "") for table in run.report["tables"]), run


@pytest.mark.parametrize("engine", ENGINES)
def test_the_source_is_led_elsewhere(servers, engine):
    """What holds of one side holds of the other: the address of the source leads to the target."""
    with Proxy(lambda number: (servers.first if number >= 1 else servers.source).port) as proxy:
        run = pgparity("compare", "--engine", engine, "--table", "public.big", "--source", servers.source.database("planted").tcp_conninfo(port=proxy.port),
                       "--target", servers.first.database("planted").conninfo()).expect(ERROR)
    assert "source is another server now: source and target are the same database" in run.stderr, run


@pytest.mark.parametrize("engine", ENGINES)
def test_another_cluster(servers, engine, target_cluster):
    database = target_cluster.create_database("planted")
    database.execute(TABLES)
    with Proxy(lambda number: (target_cluster if number >= 1 else servers.first).port) as proxy:
        run = servers.run("planted", engine, proxy.port).expect(ERROR)
    assert "target is another server now: system identifier" in run.stderr and "when the run began: system identifier" in run.stderr, run
    target_cluster.drop_database(database)


@pytest.mark.parametrize("engine", ENGINES)
def test_another_database(servers, engine):
    """A cluster that has the database under another OID, as one that was restored from a dump."""
    servers.copy.execute('ALTER DATABASE "planted" RENAME TO kept')
    servers.copy.execute('CREATE DATABASE "planted" TEMPLATE kept')
    try:
        with servers.behind_one_address("copy", from_here(1)) as proxy:
            run = servers.run("planted", engine, proxy.port).expect(ERROR)
    finally:
        servers.copy.execute('DROP DATABASE "planted"')
        servers.copy.execute('ALTER DATABASE kept RENAME TO "planted"')
    assert "target is another server now" in run.stderr and "database OID" in run.stderr, run


@pytest.mark.parametrize("engine", ENGINES)
def test_a_divergence_that_is_known_counts(servers, engine):
    """The largest table is compared before the connection is lost; the next connection leads elsewhere."""
    killed = []

    def kill(number, data):
        if b'LOCK TABLE "public"."middle"' in data and not killed:
            killed.append(number)
            return 0
        return None
    with servers.behind_one_address("copy", lambda number: bool(killed)) as proxy:
        proxy.on_request = kill
        run = servers.run("planted", engine, proxy.port, table=None).expect(DIVERGENT)
    assert killed and run.report["incomplete"], run
    assert run.table("public.big")["result"] == "divergent", run
    assert OTHER_OF_CLUSTER in run.table("public.small")["error"], run


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_restart_between_tables(servers, engine, data):
    killed, restarted = [], []

    def kill(number, request):
        if b'LOCK TABLE "public"."middle"' in request and not killed:
            killed.append(number)
            return 0
        return None

    def port_of(number):
        """The next connection after the one that was lost waits until the server is there again."""
        if killed and not restarted:
            restarted.append(number)
            servers.first.stop()
            servers.first.start()
        return servers.first.port
    with Proxy(port_of, kill) as proxy:
        run = servers.run(data, engine, proxy.port, table=None).expect(RIGHT[data])
    assert restarted and not run.report["incomplete"] and run.table("public.middle")["attempts"] == 2, run


@pytest.mark.in_turn("standbys")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_standby_is_promoted_while_it_is_read(servers, engine):
    """What was read before counts no more, equal or not; afterwards it is a server like any other."""
    moment = {"extension": b"range_digests", "stream": b"COPY (SELECT"}[engine]
    promoted = []

    def promote(number, request):
        if moment in request and not promoted:
            promoted.append(number)
            assert standby.value("SELECT pg_promote()")
    with Cluster("standby", standby_of=servers.first) as standby:
        standby.catch_up()
        with Proxy(standby.port, promote) as proxy:
            for data in DATA:
                promoted[:] = [] if data == "planted" else [0]  # twins: a standby that stays one
                run = servers.run(data, engine, proxy.port, "--no-sequences").expect(ERROR if data == "planted" else IDENTICAL)
        assert promoted != [0] and "target was promoted" in run.table()["error"] and not run.table()["divergences"], run
        servers.run("planted", engine, standby.port).expect(DIVERGENT)


# ---- poolers -------------------------------------------------------------------------------------------------

@contextlib.contextmanager
def pgbouncer(mode, port, databases, directory, pool, own=None):
    """A PgBouncer before the server at `port`, with `pool` connections at most for a database. Gives its own port, which may be told."""
    own = own or free_port()
    config = directory / "pgbouncer.ini"
    lines = [f"{name} = host=127.0.0.1 port={port} dbname={name} user=postgres password={PASSWORD}" for name in databases]
    config.write_text("[databases]\n" + "\n".join(lines) + f"""
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {pool}
server_round_robin = 1
""")
    os.chmod(directory, 0o755)
    for parent in directory.parents:
        if parent.name.startswith("pytest-"):
            os.chmod(parent, 0o755)
    user = ["-u", "postgres"] if os.geteuid() == 0 else []
    process = subprocess.Popen(["/usr/sbin/pgbouncer", "-q", *user, str(config)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        wait_for_pooler(process, own, databases[0])
        yield own
    finally:
        process.terminate()
        process.wait()


def wait_for_pooler(process, port, database):
    deadline = time.monotonic() + 20
    while True:
        assert process.poll() is None, process.stdout.read()
        try:
            return psycopg2.connect(host="127.0.0.1", port=port, dbname=database, user="postgres").close()
        except psycopg2.OperationalError:
            assert time.monotonic() < deadline, "PgBouncer does not answer"
            time.sleep(0.02)


def fill_pool(port, database, pool):
    """Transactions at the same time have the pooler open its connections, to both servers."""
    clients = [psycopg2.connect(host="127.0.0.1", port=port, dbname=database, user="postgres") for _ in range(pool)]
    started = []
    for client in clients:
        with client.cursor() as cursor:
            cursor.execute("SELECT pg_postmaster_start_time()")
            started.append(cursor.fetchone())
    for client in clients:
        client.rollback()
        client.close()
    assert len(set(started)) == 2


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("engine", ENGINES)
def test_pooler_in_transaction_mode(servers, engine, data, tmp_path):
    """Before two servers that were restored from one backup, whose connections take strict turns: the first two looks of a session at who answers are
    two backends'. What is wrong is the pooler, and not the server."""
    for connections in (3, 2):
        with servers.behind_one_address("copy", lambda number: number % 2 == 1) as proxy, \
                pgbouncer("transaction", proxy.port, DATA, tmp_path, connections) as port:
            fill_pool(port, data, connections)
            run = servers.run(data, engine, port).expect(ERROR)
        assert "target answers one session from several backends: a pooler in transaction or statement mode" in run.stderr, run
        assert OTHER_OF_CLUSTER not in run.stdout + run.stderr, run


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("engine", ENGINES)
def test_pooler_in_session_mode(servers, engine, data, tmp_path):
    with pgbouncer("session", servers.first.port, DATA, tmp_path, 20) as port:
        servers.run(data, engine, port, table=None).expect(RIGHT[data])
        servers.run(data, engine, port, "--jobs", 2, table=None).expect(RIGHT[data])


def test_a_role_that_may_not_read_the_system_identifier(servers):
    """Rows of another server of the cluster are told nevertheless."""
    with Proxy(lambda number: (servers.copy if number >= 1 else servers.first).port) as proxy:
        for cluster in (servers.first, servers.copy):
            database = cluster.database("planted")
            database.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC; DROP ROLE IF EXISTS plain;"
                             f"CREATE ROLE plain LOGIN PASSWORD '{PASSWORD}'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain")
        named = servers.first.database("planted")
        try:
            for port, status in ((servers.first.port, DIVERGENT), (proxy.port, ERROR)):
                run = pgparity("compare", "--format", "json", "--engine", "stream", "--table", "public.big", "--no-sequences",
                               "--source", servers.source.database("planted").conninfo(), "--target", named.tcp_conninfo(port=port, user="plain")).expect(status)
                assert run.report["target"]["system_identifier"] is None, run
            assert OTHER_OF_CLUSTER in run.table()["error"], run
        finally:
            for cluster in (servers.first, servers.copy):
                cluster.database("planted").execute("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC; DROP OWNED BY plain; DROP ROLE plain")
