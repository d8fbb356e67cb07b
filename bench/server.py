"""Servers, tables and statements that the measurements share."""

import contextlib
import itertools
import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests"))
sys.dont_write_bytecode = True

from support.cluster import Cluster, binary, clean_environment  # noqa: E402
from support.memory import huge_pages  # noqa: E402
from support.pgparity import PGPARITY  # noqa: E402

ROW_BYTES = 400  # of a table of bench/make-table.sql with its indexes, rounded up

NUMBERS = itertools.count()

RAW_DOC = """'{"doc": "jsonb_raw"}'"""  # the table's jsonb, hashed as it is stored

# A sequential scan for every count, and the same number of processes for all.
SEQUENTIAL = {"jit": "off", "enable_indexscan": "off", "enable_indexonlyscan": "off", "enable_bitmapscan": "off", "work_mem": "256MB",
              "parallel_setup_cost": "0", "min_parallel_table_scan_size": "0"}


def default_workers():
    """Parallel workers besides the leader: a process for each processor."""
    return (os.cpu_count() or 1) - 1


def uses_huge_pages(database):
    """Whether the server's shared memory lies in huge pages."""
    status = Path(f"/proc/{database.value('SELECT pg_backend_pid()')}/status").read_text()
    return any(line.split()[1] != "0" for line in status.splitlines() if line.startswith("HugetlbPages:"))


@contextlib.contextmanager
def server_for(name, megabytes, settings=None):
    """A throw-away cluster whose shared buffers hold so much data, and a database in it with the extension."""
    megabytes = max(256, int(megabytes))
    sizes = {"shared_buffers": f"{megabytes}MB", "max_wal_size": "8GB", "wal_level": "minimal", "max_wal_senders": "0"}
    with huge_pages(megabytes), Cluster(name, settings={**sizes, **(settings or {})}) as cluster:
        database = cluster.create_database("bench")
        yield database
        database.close()


def require_pgparity():
    """Before minutes are spent on data."""
    if not os.access(PGPARITY, os.X_OK):
        sys.exit(f"{PGPARITY} is not there: build it with scripts/build, or name another one in PGPARITY")


def megabytes(rows):
    return rows * ROW_BYTES / 1e6


def run_script(database, script, **variables):
    """A file of bench/ through psql."""
    given = [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
    subprocess.run([binary("psql"), "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", *given, "-d", database.conninfo(), "-f", str(TOP / "bench" / script)],
                   check=True, env=clean_environment(PGOPTIONS="-c client_min_messages=warning"), stdout=subprocess.DEVNULL)


def pin_plans(database, workers, tables):
    """For the session that `database` holds, which runs what is measured."""
    for name, value in {**SEQUENTIAL, "max_parallel_workers_per_gather": workers}.items():
        database.execute(f"SET {name} = '{value}'")
    for table in tables:
        database.execute(f"ALTER TABLE {table} SET (parallel_workers = {workers})")


def bounds_of(database, table, ranges, key="id"):
    """Bounds as an SQL expression, so that finding them is no part of what is measured, and the number of ranges that they make."""
    split = f"parity.split_keys('{table}', {ranges}, key_columns => '{{{key}}}')"
    literal, made = database.query(f"SELECT coalesce(array_agg(bound ORDER BY bound_no), '{{}}')::text, count(*) + 1 FROM {split}")[0]
    return f"'{literal}'::bytea[]", made


def prepared(database, sql):
    """What runs a statement that was parsed before: reading a text of thousands of bounds is no part of what is measured. The session that
    `database` holds must stay."""
    name = f"measured_{next(NUMBERS)}"
    database.execute(f"PREPARE {name} AS {sql}")
    return lambda: database.query(f"EXECUTE {name}")


def digest_query(table, bounds, *, workers="NULL", path="scan", forms=RAW_DOC, more=""):
    """range_digests; gives the number of rows."""
    return (f"SELECT sum(row_count)::bigint FROM parity.range_digests('{table}', bounds => {bounds}, workers => {workers}, path => '{path}', "
            f"forms => {forms}{more})")
