"""parity.verify through addresses that lead to more than one server: what was read from another one is never an answer."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time

import psycopg2
import pytest

from support.cluster import PASSWORD, Cluster, free_port
from support.damage import damage_value
from support.installation import Installation
from support.proxy import Proxy
from support.verified import InBackground, Verified, wait_for_phase

pytestmark = pytest.mark.matrix(sample=1)

INSTALLATION = Installation.of_major(os.environ.get("PARITY_TARGET_MAJOR"))
SETTINGS = {"wal_level": "replica"}


@pytest.fixture(scope="module")
def original():
    with Cluster("original", installation=INSTALLATION, settings=SETTINGS) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def servers(source_cluster, original):
    """The target, a copy restored from its backup, one that was a standby, a cluster of another identity, and the source itself, whose database
    has the same name. They lack the difference."""
    made = Verified(source_cluster.create_database("one_of_several"), original.create_database("one_of_several"))
    made.both("; ".join(f"CREATE TABLE {t} (id int PRIMARY KEY, v text); INSERT INTO {t} SELECT n, 'v' FROM generate_series(1, 100) n" for t in "abc"))
    with Cluster("restored", restored_from=original) as restored, Cluster("promoted", standby_of=original) as promoted, \
            Cluster("stranger", installation=INSTALLATION) as stranger:
        promoted.catch_up()
        promoted.value("SELECT pg_promote()")
        strange = stranger.create_database(made.target.name)
        strange.execute("; ".join(f"CREATE TABLE {t} (id int PRIMARY KEY, v text); INSERT INTO {t} SELECT n, 'v' FROM generate_series(1, 100) n" for t in "abc"))
        strange.close()
        made.target.execute("UPDATE b SET v = 'planted' WHERE id = 7")
        made.clusters = {"restored": restored, "promoted": promoted, "stranger": stranger, "source": source_cluster, "target": original}
        yield made
        made.source.close()
        made.target.close()
    source_cluster.drop_database(made.source)


@contextlib.contextmanager
def through(servers, other, name, leads_there=lambda n: n > 0):
    """A foreign server of which some connections, counted from 0, lead elsewhere, and the others to the target."""
    with Proxy(lambda n: (servers.clusters[other] if leads_there(n) else servers.target.cluster).port) as proxy:
        servers.make_server(name, port=proxy.port)
        try:
            yield proxy
        finally:
            servers.source.execute(f"DROP SERVER {name} CASCADE")


def parts(servers):
    return servers.source.query("SELECT relation, status::text, message FROM parity.run_table WHERE run_id = (SELECT max(id) FROM parity.run) ORDER BY id")


def verify_schema(servers, server):
    with servers.source.connection.cursor() as cursor:
        cursor.execute("CALL parity.verify_schema(%s, recheck_delay => '50 ms')", [server])
        return cursor.fetchone()[1]


@contextlib.contextmanager
def planted_in_a(servers):
    """A difference in the table that the first connection compares, on the target alone."""
    servers.target.execute("UPDATE a SET v = 'planted' WHERE id = 7")
    try:
        yield
    finally:
        servers.target.execute("UPDATE a SET v = 'v' WHERE id = 7")


def test_one_server_behind_a_proxy(servers):
    with through(servers, "target", "one"):
        assert verify_schema(servers, "one") == "divergent"
    assert [part[:2] for part in parts(servers)] == [("public.a", "identical"), ("public.b", "divergent"), ("public.c", "identical")]


ANOTHER = "target is another server now: system identifier"
COPY = "it was restarted, or is another server of the cluster"
# What is said of the connection that leads there, and the status of a table that would come after it.
OTHERS = {"restored": (COPY, "failed"), "promoted": (COPY, "failed"), "stranger": (ANOTHER, "skipped"), "source": (ANOTHER, "skipped")}
LEADS = {"from": lambda number: lambda n: n >= number, "only": lambda number: lambda n: n == number}


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("leads", LEADS)
@pytest.mark.parametrize("other", OTHERS)
def test_a_later_connection_leads_elsewhere(servers, other, leads, number):
    """A table has a connection of its own. What was read before the other server came counts, and nothing that was read there."""
    reason, later = OTHERS[other]
    if later == "failed" and leads == "only":
        later = "identical"  # the target's own
    for planted in (False, True):
        # Of a server that was not seen before, the tables are taken in the order of their names.
        name = f"{other}_{leads}_{number}_{planted}".lower()
        with planted_in_a(servers) if planted else contextlib.nullcontext(), through(servers, other, name, LEADS[leads](number)):
            result = verify_schema(servers, name)
        told = parts(servers)
        before = ["divergent" if planted else "identical", "divergent"][:number]
        expected = (before + ["failed", later])[:3]
        assert [part[:2] for part in told] == [(f"public.{t}", status) for t, status in zip("abc", expected)]
        assert reason in told[number][2] and (later != "skipped" or number == 2 or told[2][2] == "not tried, for the same reason as public.b")
        assert result == ("divergent" if "divergent" in before else "failed")


@pytest.mark.parametrize("other", ["restored", "stranger"])
def test_a_conflict_that_leads_to_another_server(servers, other):
    """A run connects anew after its table was rewritten; what it finds then is not about the target."""
    servers.source.execute("CREATE TABLE t (id int PRIMARY KEY)")
    servers.target.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (3)")
    blocker = servers.source.connect()
    blocker.autocommit = False
    try:
        with through(servers, other, "conflict"), InBackground(servers, server="conflict", lock_timeout="1 min", recheck_delay="2 s") as background:
            wait_for_phase(servers, "waiting before looking again")
            blocker.cursor().execute("TRUNCATE t")
            servers.source.cluster.wait_for(f"SELECT count(*) > 0 FROM pg_stat_activity WHERE pid = {background.pid} AND wait_event_type = 'Lock'")
            blocker.commit()
            background.join()
            assert background.result == "failed"
        assert ("another server" in servers.part["message"]) and servers.part["sqlstate"] == "55000"
    finally:
        blocker.close()
        servers.both("DROP TABLE t")


@pytest.mark.in_turn("standbys")
def test_a_standby_that_is_promoted_meanwhile(servers, original):
    """The connection stays, and the server does not."""
    database = original.create_database()
    database.execute("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'needle 17')")
    with Cluster("standby", standby_of=original) as standby:
        standby.catch_up()
        made = Verified(database, standby.database(database.name))
        made.make_server()
        damage_value(database, standby, "t", "needle 17", "needle 71")
        assert made.verify() == "divergent"
        made.source.execute("UPDATE t SET v = 'mended'")
        standby.catch_up()
        assert made.verify() == "identical"
        made.target.execute("SELECT pg_wal_replay_pause()")
        made.source.execute("INSERT INTO t VALUES (2)")
        with InBackground(made, recheck_delay="2 s") as background:
            wait_for_phase(made, "waiting before looking again")
            made.target.execute("SELECT pg_wal_replay_resume()")
            assert made.target.value("SELECT pg_promote()")
            background.join()
        assert background.result == "failed"
        assert made.part["message"] == "target is not what it was when the run began: it was promoted"
        made.target.close()
    original.drop_database(database)


@contextlib.contextmanager
def pooled(servers, ports):
    """PgBouncer in transaction mode that has one connection with each port and takes them in turn; gives its port."""
    directory = tempfile.mkdtemp(prefix="pg_parity-pooler-")
    os.chmod(directory, 0o777)
    port = free_port()
    with Proxy(lambda n: ports[n % len(ports)]) as proxy:
        with open(f"{directory}/users", "w") as file:
            file.write(f'"postgres" "{PASSWORD}"\n')
        with open(f"{directory}/ini", "w") as file:
            file.write(f"[databases]\n{servers.target.name} = host=127.0.0.1 port={proxy.port} dbname={servers.target.name}\n"
                       f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {directory}/users\n"
                       f"pool_mode = transaction\nserver_round_robin = 1\ndefault_pool_size = {len(ports)}\nlogfile = {directory}/log\n"
                       "ignore_startup_parameters = extra_float_digits,options\n")
        as_user = ["-u", "postgres"] if os.geteuid() == 0 else []
        pooler = subprocess.Popen([shutil.which("pgbouncer") or "/usr/sbin/pgbouncer", *as_user, f"{directory}/ini"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 20
            while socket.socket().connect_ex(("127.0.0.1", port)):
                assert time.monotonic() < deadline and pooler.poll() is None, open(f"{directory}/log").read()
                time.sleep(0.05)
            yield port
        finally:
            pooler.terminate()
            pooler.wait(20)
            shutil.rmtree(directory, ignore_errors=True)


def fill_pool(servers, port, connections):
    """Has the pooler open so many connections, by so many transactions at the same time."""
    clients = [psycopg2.connect(servers.target.tcp_conninfo(port=port)) for _ in range(connections)]
    for client in clients:
        client.cursor().execute("SELECT 1")
    for client in clients:
        client.rollback()
        client.close()


@pytest.mark.parametrize("second", ["restored", "target"])
def test_a_pooler_in_transaction_mode(servers, second):
    with pooled(servers, [servers.target.cluster.port, servers.clusters[second].port]) as port:
        servers.make_server("pooled", port=port)
        try:
            for relation in ("a", "b"):
                fill_pool(servers, port, 2)  # what is left in a transaction is closed
                assert servers.verify(relation, server="pooled") == "failed"
                assert "is a pooler in transaction or statement mode" in servers.part["message"], servers.part["message"]
        finally:
            servers.source.execute("DROP SERVER pooled CASCADE")


def test_a_pool_of_one_connection_is_one_server(servers):
    with pooled(servers, [servers.target.cluster.port]) as port:
        servers.make_server("pooled", port=port)
        try:
            assert servers.verify("a", server="pooled") == "identical"
            assert servers.verify("b", server="pooled") == "divergent"
        finally:
            servers.source.execute("DROP SERVER pooled CASCADE")
