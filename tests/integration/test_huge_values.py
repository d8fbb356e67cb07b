"""One value of 200 MB: what it costs pgparity and the servers. docs/operations.md names the multiples."""

import subprocess
import time

import pytest

from support.engines import Engines
from support.pgparity import DIVERGENT, IDENTICAL, PGPARITY, clean_environment

pytestmark = pytest.mark.long

MEGABYTES = 200
ENGINES = [Engines("extension", "extension"), Engines("stream", "stream")]

# Peaks as multiples of the value; a server's of the value as it is printed (a bytea as hexadecimal digits).
DRIVER = {"extension": 0.3, "stream": 8}
DRIVER_WITHOUT_KEY = {"extension": 10, "stream": 20}  # the whole row is the finding
SERVER = 10

VALUES = {
    "text": (f"repeat(md5('x'), {MEGABYTES} * 32768)", "v || 'x'", 1),
    "bytea": (f"convert_to(repeat(md5('x'), {MEGABYTES} * 32768), 'UTF8')", "v || '\\x00'", 2),
}


def memory(process, field):
    """In MiB; 0 once the process is gone."""
    try:
        with open(f"/proc/{process}/status") as status:
            return max((int(line.split()[1]) for line in status if line.startswith(field)), default=0) / 1024
    except (FileNotFoundError, ProcessLookupError):
        return 0


def backends(cluster):
    with open(f"{cluster.data_directory}/postmaster.pid") as file:
        postmaster = file.readline().strip()
    with open(f"/proc/{postmaster}/task/{postmaster}/children") as file:
        return file.read().split()


def peaks(pair, clusters, *arguments):
    """Runs pgparity; gives its status, its own peak and the largest peak of private memory of a backend, in MiB. Shared buffers are no
    part of the latter, whose peak has to be looked for while it runs."""
    command = [PGPARITY, "compare", "--source", pair.source.conninfo(), "--target", pair.target.conninfo(), "--format", "json", *arguments]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment())
    driver, server = 0, 0
    while process.poll() is None:
        driver = max(driver, memory(process.pid, "VmHWM"))
        server = max([server, *(memory(pid, "RssAnon") for cluster in clusters for pid in backends(cluster))])
        time.sleep(0.005)
    return process.returncode, driver, server


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("key", ["PRIMARY KEY", ""], ids=["key", "keyless"])
@pytest.mark.parametrize("engines", ENGINES, ids=str)
def test_memory_of_a_huge_value(pair, source_cluster, target_cluster, engines, key, kind):
    made, changed, digits = VALUES[kind]
    pair.both(f"CREATE TABLE t (id int {key}, v {kind}); ALTER TABLE t ALTER v SET STORAGE EXTERNAL; INSERT INTO t VALUES (1, {made}), (2, 'small')")
    for value_changed, expected in ((False, IDENTICAL), (True, DIVERGENT)):
        if value_changed:
            pair.target.execute(f"UPDATE t SET v = {changed} WHERE id = 1")
        status, driver, server = peaks(pair, (source_cluster, target_cluster), *engines.arguments)
        print(f"{status=} driver {driver / MEGABYTES:.1f} server {server / MEGABYTES:.1f}")
        assert status == expected
        limit = DRIVER if key or not value_changed else DRIVER_WITHOUT_KEY
        assert driver <= limit[engines.source] * MEGABYTES
        assert server <= SERVER * MEGABYTES * digits
