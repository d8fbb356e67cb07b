"""A database that verifies itself with parity.verify, and what happens meanwhile."""

import contextlib
import threading
import time

import psycopg2

from support.cluster import PASSWORD


class Verified:
    """A database that verifies itself, and its target."""

    def __init__(self, source, target):
        self.source = source
        self.target = target

    def both(self, sql):
        self.source.execute(sql)
        self.target.execute(sql)

    def make_server(self, name="replica", user="postgres", password=PASSWORD, port=None, for_role="CURRENT_USER", **options):
        words = {"host": "127.0.0.1", "port": port or self.target.cluster.port, "dbname": self.target.name, **options}
        self.source.execute("CREATE EXTENSION IF NOT EXISTS dblink")
        self.source.execute(f"CREATE SERVER {name} FOREIGN DATA WRAPPER dblink_fdw OPTIONS ({', '.join(f'{k} %s' for k in words)})",
                            [str(v) for v in words.values()])
        self.source.execute(f"CREATE USER MAPPING FOR {for_role} SERVER {name} OPTIONS (user %s, password %s)", [user, password])

    def verify(self, relation="t", server="replica", connection=None, recheck_delay="50 ms", procedure="verify", **options):
        """The result; the run's row of parity.run_table is in `part` then, what was warned of in `warnings`. Another procedure, verify_schema,
        has no relation."""
        words = {"server": server, "recheck_delay": recheck_delay, **options}
        if procedure == "verify":
            words = {"relation": relation, **words}
        connection = connection or self.source.connection
        del connection.notices[:]
        with connection.cursor() as cursor:
            cursor.execute(f"CALL parity.{procedure}({', '.join(f'{k} => %s' for k in words)})", list(words.values()))
            _, result = cursor.fetchone()
        self.warnings = "".join(connection.notices)
        return result

    @property
    def part(self):
        with self.source.connection.cursor() as cursor:
            cursor.execute("SELECT * FROM parity.run_table ORDER BY id DESC LIMIT 1")
            return dict(zip([c.name for c in cursor.description], cursor.fetchone()))

    def divergences(self):
        return self.source.query("SELECT d.kind, d.key, d.columns FROM parity.divergence d WHERE run_table_id = (SELECT max(id) FROM parity.run_table) "
                                 "AND d.state = 'divergent' ORDER BY d.id")

    def wait_for_target(self, condition, **options):
        """Until a session of a verification on the target is in some state."""
        self.target.cluster.wait_for(f"SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'pg_parity' AND {condition})", **options)

    def target_is_left(self, seconds=5):
        self.target.cluster.wait_for("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'pg_parity')", seconds=seconds)


class InBackground:
    """A CALL in a session of its own."""

    def __init__(self, verified, **options):
        self.connection = verified.source.connect()
        self.pid = self.connection.info.backend_pid
        self.result = self.error = None
        self._verified = verified
        self._options = options

    def __enter__(self):
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def _run(self):
        try:
            self.result = self._verified.verify(connection=self.connection, **self._options)
        except psycopg2.Error as error:
            self.error = error

    def join(self, seconds=30):
        self._thread.join(seconds)
        assert not self._thread.is_alive()

    def __exit__(self, kind, value, trace):
        if self._thread.is_alive():
            with contextlib.suppress(psycopg2.Error):
                self.connection.cancel()
            self._thread.join(30)
        self.connection.close()


def wait_for_phase(verified, phase):
    deadline = time.monotonic() + 20
    while verified.source.query("SELECT phase FROM parity.run_table ORDER BY id DESC LIMIT 1") != [(phase,)]:
        assert time.monotonic() < deadline, verified.part
        time.sleep(0.05)


class Writer:
    """Repeats statements in a thread. With the pause rows still change dozens of times within a look, and the processors are left to those who look."""

    def __init__(self, database, *statements, pause=0.001):
        self._connection = database.connect()
        self._statements = statements
        self._pause = pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self.rounds = 0

    def _write(self):
        with self._connection.cursor() as cursor:
            while not self._stop.is_set():
                for statement in self._statements:
                    cursor.execute(statement)
                    time.sleep(self._pause)
                self.rounds += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, value, trace):
        self._stop.set()
        self._thread.join(30)
        self._connection.close()
