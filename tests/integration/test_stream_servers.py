"""Servers that leave little choice: hot standbys, and connections through a pooler."""

import contextlib
import os
import pwd
import signal
import subprocess
import tempfile
import time

import pytest

from conftest import Pair
from support.cluster import Cluster, clean_environment, free_port
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, findings, mismatch
from support.proxy import Proxy

pytestmark = pytest.mark.matrix(sample=1)

ENGINES = ["extension", "stream"]
FIRST = ("CREATE TABLE t (id int PRIMARY KEY, v int, filler text) WITH (fillfactor = 10);"
         "INSERT INTO t SELECT n, n, repeat('x', 200) FROM generate_series(1, 6000) n; ANALYZE t")


# ---- a hot standby ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def standby(source_cluster):
    with Cluster("standby", standby_of=source_cluster) as cluster:
        yield cluster


@pytest.mark.in_turn("standbys")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("role", ["source", "target"])
def test_standby(pair, standby, engine, role):
    """Rows that its primary writes while it is read are not seen."""
    pair.both(FIRST)
    # Writing shall prune no catalogs: replay would wait for the pages that the last query on them has pinned until the next one.
    pair.source.execute("VACUUM")
    standby.catch_up()
    copy = standby.database(pair.source.name)
    arguments = ("--engine", engine, "--workers", "2", "--ranges", "20")
    written = []

    def write(number, data):
        if not written and (b"COPY (SELECT" in data or b"range_digests" in data):
            written.append(number)
            pair.source.execute("INSERT INTO t SELECT n, n FROM generate_series(6001, 6010) n; UPDATE t SET v = -1 WHERE id = 3")
            standby.catch_up()
    with Proxy(standby.port, write) as proxy:
        sides = {role: copy.tcp_conninfo(proxy.port), "target" if role == "source" else "source": pair.target.conninfo()}
        run = pair.compare(*arguments, **sides).expect(IDENTICAL)
    assert written and run.report[role]["in_recovery"] is True
    assert run.table()["path"][role] == ("scan" if engine == "extension" else "stream")
    table = pair.compare(*arguments, **{**sides, role: copy.conninfo()}).expect(DIVERGENT).table()
    assert mismatch("v", id="3") in findings(table) and len(findings(table)) == 11
    copy.close()


# ---- a pooler --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def pgbouncer(clusters, mode):
    """PgBouncer before these clusters; gives its socket's directory and port. Its databases are NAME_DATABASE."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="pg_parity-bouncer-", dir="/tmp") as directory:
        databases = "".join(f"{database.name}_{number} = host={database.cluster.socket_directory} port={database.cluster.port} dbname={database.name}\n"
                            for number, database in enumerate(clusters))
        with open(f"{directory}/users", "w") as users:
            users.write('"postgres" ""\n')
        with open(f"{directory}/ini", "w") as ini:
            ini.write(f"[databases]\n{databases}[pgbouncer]\nlisten_addr =\nlisten_port = {port}\nunix_socket_dir = {directory}\nauth_type = trust\n"
                      f"auth_file = {directory}/users\npool_mode = {mode}\nlogfile = {directory}/log\n")
        prefix = []
        if os.geteuid() == 0:
            postgres = pwd.getpwnam("postgres")
            os.chown(directory, postgres.pw_uid, postgres.pw_gid)
            prefix = ["setpriv", f"--reuid={postgres.pw_uid}", f"--regid={postgres.pw_gid}", "--clear-groups"]
        process = subprocess.Popen([*prefix, "/usr/sbin/pgbouncer", "-q", f"{directory}/ini"], env=clean_environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 20
            while not os.path.exists(f"{directory}/.s.PGSQL.{port}"):
                assert process.poll() is None and time.monotonic() < deadline, open(f"{directory}/log").read()
                time.sleep(0.02)
            yield directory, port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


def through(pool, pair):
    """Connection strings of both sides through a pooler."""
    directory, port = pool
    return {name: side.conninfo(host=directory, port=port, dbname=f"{side.name}_{number}")
            for number, (name, side) in enumerate((("source", pair.source), ("target", pair.target)))}


@pytest.mark.parametrize("engine", ENGINES)
def test_pooler_in_session_mode(pair, engine):
    pair.both(FIRST)
    arguments = ("--engine", engine, "--workers", "2", "--ranges", "20")
    with pgbouncer([pair.source, pair.target], "session") as pool:
        sides = through(pool, pair)
        run = pair.compare(*arguments, **sides).expect(IDENTICAL)
        assert run.table()["rows"] == {"source": "6000", "target": "6000"}
        pair.target.execute("UPDATE t SET v = 0 WHERE id IN (17, 5000)")
        table = pair.compare(*arguments, **sides).expect(DIVERGENT).table()
        assert findings(table) == {mismatch("v", id="17"), mismatch("v", id="5000")}


@pytest.mark.parametrize("engine", ENGINES)
def test_pooler_in_transaction_mode(pair: Pair, engine):
    """Not supported, because settings of a session may be lost. Never a wrong answer."""
    pair.both(FIRST)
    pair.target.execute("UPDATE t SET v = 0 WHERE id IN (17, 5000)")
    arguments = ("--engine", engine, "--workers", "2", "--ranges", "20")
    with pgbouncer([pair.source, pair.target], "transaction") as pool:
        for _ in range(3):
            run = pair.compare(*arguments, **through(pool, pair))
            print(run.status, run.stderr)
            if run.status in (ERROR, INCOMPLETE):
                assert run.stderr.startswith("pgparity: ")
                continue
            assert findings(run.expect(DIVERGENT).table()) == {mismatch("v", id="17"), mismatch("v", id="5000")}
