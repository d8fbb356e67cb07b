"""Throw-away PostgreSQL clusters for tests, the demo and the benchmark.

As a module: `with Cluster("source") as cluster: cluster.create_database("d").execute("SELECT 1")`.
As a command: starts clusters, runs a command with their addresses in its environment, and removes them again:

    cluster.py [--major MAJOR] [--setting NAME=VALUE]… NAME[,NAME]… -- COMMAND [ARGUMENT]…

For every NAME the command gets the connection string in $NAME (upper case), and PG* of the first one. Its status is the
result; a server that crashed makes it 99. With --major the clusters are of another major version, and the command runs in
the folder that holds it.

PostgreSQL refuses to run as root: root's clusters belong to the user postgres.
"""

import argparse
import atexit
import contextlib
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import psycopg2
import psycopg2.extensions

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from support.installation import Installation  # noqa: E402

PASSWORD = "a-secret-of-the-tests"
BAD_LOG_LINE = re.compile(r"PANIC|TRAP|terminated by signal|was terminated by exception")

# What a session of the tests sees, whatever the cluster's settings are.
TEST_SESSION = "-c TimeZone=UTC -c DateStyle=ISO,YMD -c IntervalStyle=postgres -c extra_float_digits=1 -c bytea_output=hex"


def binary(name):
    """The path of a PostgreSQL program of this machine's installation."""
    return Installation().binary(name)


def clean_environment(**extra):
    """The environment without the PG* variables that would lead libpq elsewhere."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PG") or k == "PG_CONFIG"}
    return {**kept, **extra}


# Where initdb's results are that are copied: (installation, locale, encoding) -> data directory.
INITIALISED = {}


def crc32c(data):
    """The checksum of PostgreSQL's control file (Castagnoli's polynomial, reflected)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def give_identifier(data_directory):
    """Gives a copy of a cluster that was never started a system identifier of its own, as initdb would: in the control file, which
    begins with it, and in the first page of its one WAL segment."""
    identifier = struct.pack("=Q", int(time.time()) << 32 | random.SystemRandom().getrandbits(32))
    control = os.path.join(data_directory, "global", "pg_control")
    with open(control, "r+b") as file:
        data = file.read()
        # The checksum of all that stands before it; where that ends depends on the version.
        end = next(at for at in range(200, 400, 4) if struct.pack("=I", crc32c(data[:at])) == data[at:at + 4])
        data = identifier + data[8:end]
        file.seek(0)
        file.write(data + struct.pack("=I", crc32c(data)))
    [segment] = [name for name in os.listdir(os.path.join(data_directory, "pg_wal")) if len(name) == 24]
    with open(os.path.join(data_directory, "pg_wal", segment), "r+b") as file:
        file.seek(24)  # XLogLongPageHeaderData.xlp_sysid
        file.write(identifier)


def free_port():
    """A TCP port below the range from which the kernel takes ports for outgoing connections."""
    for _ in range(200):
        port = random.SystemRandom().randrange(20000, 32000)
        with contextlib.closing(socket.socket()) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free TCP port between 20000 and 32000")


class Database:
    """One database of a cluster, with a connection for the tests' own statements (autocommit)."""

    def __init__(self, cluster, name):
        self.cluster = cluster
        self.name = name
        self._connection = None

    def conninfo(self, user="postgres", **extra):
        words = {"host": self.cluster.socket_directory, "port": self.cluster.port, "user": user, "dbname": self.name, **extra}
        return psycopg2.extensions.make_dsn(**{k: v for k, v in words.items() if v is not None})

    def tcp_conninfo(self, port=None, password=PASSWORD, **extra):
        return self.conninfo(host="127.0.0.1", port=port or self.cluster.port, password=password, **extra)

    def inside_conninfo(self, **extra):
        """For programs of the cluster's own installation."""
        return self.conninfo(host=self.cluster.installation.inside(self.cluster.socket_directory), **extra)

    def connect(self, **extra):
        connection = psycopg2.connect(self.conninfo(options=TEST_SESSION, **extra))
        connection.autocommit = True
        return connection

    @property
    def connection(self):
        if self._connection is None or self._connection.closed:
            self._connection = self.connect()
        return self._connection

    def execute(self, sql, parameters=None):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters)

    def query(self, sql, parameters=None):
        """All rows as tuples."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall()

    def value(self, sql, parameters=None):
        return self.query(sql, parameters)[0][0]

    def psql(self, script, *arguments):
        """Runs a script through psql and gives what it printed; a failing statement raises."""
        done = subprocess.run(
            [binary("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", *arguments, "-d", self.conninfo()],
            input=script, capture_output=True, text=True, env=clean_environment(), check=False)
        if done.returncode != 0:
            raise AssertionError(f"psql failed ({done.returncode}): {done.stderr}")
        return done.stdout

    @property
    def is_lost(self):
        """Whether the server ended the connection."""
        return self._connection is not None and self._connection.closed != 0

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Cluster:
    """A running cluster in a directory of its own. Its data are to be thrown away: no fsync.

    `locale` is libc's for the whole cluster; `icu_locale` makes ICU the default provider. Local connections are
    trusted, TCP ones on 127.0.0.1 need PASSWORD. `standby_of` makes a physical standby of another cluster instead,
    `restored_from` a primary of its own from a backup of another cluster.
    `installation` is the PostgreSQL that it runs on, by default that of PARITY_SOURCE_MAJOR. Leaving the context stops the server, removes the directory and
    raises if the log tells of a crash.
    """

    def __init__(self, name, *, locale="C.UTF-8", icu_locale=None, encoding="UTF8", settings=None, standby_of=None,
                 restored_from=None, installation=None):
        original = standby_of or restored_from
        self.name = name
        self.installation = installation or (original.installation if original else Installation.of_major(os.environ.get("PARITY_SOURCE_MAJOR")))
        self.locale = locale
        self.icu_locale = icu_locale
        self.encoding = encoding
        self.settings = settings or {}
        self.standby_of = standby_of
        self.restored_from = restored_from
        self.port = free_port()
        self.directory = None
        self._databases = 0
        self._maintenance = None

    def __enter__(self):
        self.directory = self._make_directory()
        try:
            if self.standby_of:
                self._copy(self.standby_of, "-R")
            elif self.restored_from:
                self._copy(self.restored_from)
            else:
                self._initdb()
            self._configure()
            self.start()
        except BaseException:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.stop()
            bad = self.bad_log_lines()
        finally:
            if not os.environ.get("PARITY_KEEP_CLUSTERS"):
                shutil.rmtree(self.directory, ignore_errors=True)
        if bad and kind is None:
            raise AssertionError(f"the log of cluster {self.name} tells of a crash:\n" + "\n".join(bad))

    def _make_directory(self):
        os.umask(0o022)  # the servers' user reads what is made here
        place = f"{self.installation.root}/tmp" if self.installation.root else os.environ.get("PARITY_CLUSTERS_DIR", "/tmp")
        directory = tempfile.mkdtemp(prefix="pg_parity-", dir=place)
        os.chmod(directory, 0o755)
        if os.geteuid() == 0:
            os.chown(directory, *self.installation.owner())
        return directory

    @property
    def data_directory(self):
        return os.path.join(self.directory, "data")

    @property
    def socket_directory(self):
        return self.directory

    @property
    def log_file(self):
        return os.path.join(self.directory, "log")

    def _inside(self, path):
        return self.installation.inside(path)

    def _run(self, program, *arguments):
        """Runs a server-side program as the clusters' owner; its output only shows when it fails."""
        command = self.installation.command(self.installation.binary(program), *arguments, as_owner=True)
        locales = f"{self._inside(self.directory)}/locales:/usr/lib/locale"
        done = subprocess.run(command, env=clean_environment(LOCPATH=locales, LC_ALL="C"), cwd=self.directory,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            log = open(self.log_file).read()[-2000:] if os.path.exists(self.log_file) else ""
            raise RuntimeError(f"{program} failed ({done.returncode}): {done.stdout}\n{log}")

    def add_locale(self, name):
        """Makes a libc locale such as "en_US.UTF-8" known to this cluster only."""
        language, charset = name.split(".")
        os.makedirs(f"{self.directory}/locales", exist_ok=True)
        made = f"{self._inside(self.directory)}/locales/{name}"
        done = subprocess.run(self.installation.command("localedef", "-i", language, "-f", charset, made),
                              capture_output=True, text=True, check=False)
        if not os.path.isdir(f"{self.directory}/locales/{name}"):
            raise RuntimeError(f"localedef {name}: {done.stderr}")

    def _initdb(self):
        if self.icu_locale or self.locale not in ("C", "POSIX", "C.UTF-8"):
            return self._initdb_into(self.data_directory)
        self._run("/bin/cp", "-r", self._inside(self._initialised()), self._inside(self.data_directory))
        give_identifier(self.data_directory)

    def _initialised(self):
        """A data directory that initdb made for this process, to be copied: that takes a tenth of initdb's time."""
        kind = (self.installation, self.locale, self.encoding)
        if kind not in INITIALISED:
            folder = self._make_directory()
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            self._initdb_into(os.path.join(folder, "data"))
            INITIALISED[kind] = os.path.join(folder, "data")
        return INITIALISED[kind]

    def _initdb_into(self, directory):
        if self.locale not in ("C", "POSIX", "C.UTF-8"):
            self.add_locale(self.locale)
        password_file = os.path.join(self.directory, "password")
        with open(password_file, "w") as file:
            file.write(PASSWORD + "\n")
        os.chmod(password_file, 0o644)
        # Tests change bytes of pages. From 18 on, initdb would have the server notice.
        plain = ["--no-data-checksums"] if self.installation.major >= 18 else []
        icu = ["--locale-provider=icu", f"--icu-locale={self.icu_locale}"] if self.icu_locale else []
        self._run("initdb", "-D", self._inside(directory), "-U", "postgres", "-E", self.encoding, f"--locale={self.locale}",
                  *icu, *plain, "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={self._inside(password_file)}", "--no-sync")
        os.remove(password_file)

    def _copy(self, original, *arguments):
        self._run("pg_basebackup", "-D", self._inside(self.data_directory), *arguments, "-X", "stream", "-c", "fast", "--no-sync",
                  "-d", original.database().inside_conninfo())

    def catch_up(self):
        """Waits until this standby has replayed all that its primary has written."""
        # The end of a record of its own: the insert position may stand behind a page header, where no record ends.
        lsn = self.standby_of.value("SELECT pg_logical_emit_message(false, 'catch up', '')")
        self.wait_for(f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'::pg_lsn")

    def _configure(self):
        settings = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self._inside(self.socket_directory),
            "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off",
            "shared_buffers": "128MB", "max_connections": "60", "max_wal_size": "4GB", "logging_collector": "off",
            "wal_retrieve_retry_interval": "100ms",
            # A standby may still need the last segment of its base backup when the next checkpoint would remove it.
            "wal_keep_size": "1GB",
            "log_line_prefix": "%m [%p] %a ", "max_prepared_transactions": "4", **self.settings,
        }
        with open(os.path.join(self.data_directory, "postgresql.conf"), "a") as file:
            for name, value in settings.items():
                quoted = str(value).replace("'", "''")
                file.write(f"{name} = '{quoted}'\n")

    def start(self):
        self._run("pg_ctl", "start", "-w", "-t", "60", "-s", "-D", self._inside(self.data_directory), "-l", self._inside(self.log_file))

    def stop(self, mode="fast"):
        if self._maintenance:
            self._maintenance.close()
        if os.path.exists(os.path.join(self.data_directory, "postmaster.pid")):
            self._run("pg_ctl", "stop", "-w", "-t", "60", "-s", "-m", mode, "-D", self._inside(self.data_directory))

    def log(self):
        with open(self.log_file, errors="replace") as file:
            return file.read()

    def bad_log_lines(self):
        if not os.path.exists(self.log_file):
            return []
        return [line for line in self.log().splitlines() if BAD_LOG_LINE.search(line)]

    def database(self, name="postgres"):
        return Database(self, name)

    def execute(self, sql):
        self._maintain(lambda maintenance: maintenance.execute(sql))

    def value(self, sql):
        return self._maintain(lambda maintenance: maintenance.value(sql))

    def _maintain(self, act):
        """In a session of the cluster that is kept, as starting one takes longer than most of what is asked. One that ended with the
        server is made anew."""
        self._maintenance = self._maintenance or self.database()
        try:
            return act(self._maintenance)
        except psycopg2.Error:
            if not self._maintenance.is_lost:
                raise
            return act(self._maintenance)

    def create_database(self, name=None, *, extension=True, options=""):
        """A new database; with the extension unless told otherwise. `options` are CREATE DATABASE's."""
        if name is None:
            self._databases += 1
            name = f"test_{self._databases}"
        if extension and not options:
            self._make_template()
            options = "TEMPLATE parity_template"
        # To copy files takes a third of the time of what later versions do by default, and so does dropping such a database.
        strategy = "STRATEGY file_copy" if self.installation.major >= 15 else ""
        self.execute(f'CREATE DATABASE "{name}" {options} {strategy}')
        database = self.database(name)
        if extension and "parity_template" not in options:
            database.execute("CREATE EXTENSION pg_parity")
        return database

    def _make_template(self):
        if self.value("SELECT count(*) FROM pg_database WHERE datname = 'parity_template'"):
            return
        self.execute("CREATE DATABASE parity_template")
        template = self.database("parity_template")
        template.execute("CREATE EXTENSION pg_parity")
        template.close()

    def drop_database(self, database):
        database.close()
        self.execute(f'DROP DATABASE IF EXISTS "{database.name}" WITH (FORCE)')

    def wait_for(self, sql, *, seconds=60, what=None):
        """Polls until a query's first value is true. For states that have no event to wait for. A failure shows the end of the log."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.value(sql):
                return
            time.sleep(0.02)
        raise AssertionError(f"{what or sql} did not come true on {self.name} within {seconds} s; its log ends in:\n{self.log()[-2000:]}")


@contextlib.contextmanager
def fresh_databases(*clusters, sql):
    """A database of each cluster, in which this was executed. At the end they are gone."""
    databases = [cluster.create_database() for cluster in clusters]
    for database in databases:
        database.execute(sql)
    yield databases
    for database in databases:
        database.close()
        database.cluster.drop_database(database)


def main():
    parser = argparse.ArgumentParser(description="runs a command with throw-away clusters")
    parser.add_argument("--major")
    parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("names")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    settings = dict(s.split("=", 1) for s in arguments.setting)

    def stop(number, frame):
        raise SystemExit(128 + number)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    with contextlib.ExitStack() as stack:
        installation = Installation.of_major(arguments.major)
        clusters = [stack.enter_context(Cluster(name, settings=settings, installation=installation)) for name in arguments.names.split(",")]
        first = clusters[0]
        environment = clean_environment(PGHOST=installation.inside(first.socket_directory), PGPORT=str(first.port), PGUSER="postgres", PGDATABASE="postgres")
        for cluster in clusters:
            environment[cluster.name.upper()] = cluster.database().inside_conninfo()
            environment[cluster.name.upper() + "_LOG"] = installation.inside(cluster.log_file)
        child = subprocess.Popen(installation.command(*command), env=environment)
        try:
            status = child.wait()
        except BaseException:
            child.terminate()
            child.wait()
            raise
        for cluster in clusters:
            for line in cluster.bad_log_lines():
                print(f"{cluster.name}: {line}", file=sys.stderr)
                status = 99
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
