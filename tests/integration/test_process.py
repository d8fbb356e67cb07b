"""The command as a process: closed descriptors, signals, and want of memory, of room and of descriptors at any moment.

Whatever happens, it ends with a status of docs/cli.md, in time, and with the report that goes with it.
"""

import concurrent.futures
import fcntl
import json
import os
import random
import resource
import signal
import subprocess
import threading
import time

import jsonschema
import pytest

from conftest import SCHEMA
from support.cluster import clean_environment
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, PGPARITY, TOP
from support.random_values import SEED

pytestmark = pytest.mark.matrix(sample=1)

STATUSES = {IDENTICAL, DIVERGENT, ERROR, INCOMPLETE}
ENGINES = ["extension", "stream"]
ROWS = 4000


@pytest.fixture(scope="module")
def sides(module_pair, source_cluster):
    """Connection strings: {False: a target that is equal, True: one that is not}, and their source."""
    module_pair.both(f"CREATE TABLE big (id int PRIMARY KEY, a text, n numeric); INSERT INTO big SELECT g, repeat('x', g % 50), g / 3.0 FROM generate_series(1, {ROWS}) g;"
                     "CREATE TABLE small (id int PRIMARY KEY, v text); INSERT INTO small VALUES (1, 'one')")
    module_pair.target.execute("UPDATE big SET a = 'w' WHERE id % 2 = 0")
    module_pair.source.close()  # a template must not be in use
    equal = source_cluster.create_database(extension=False, options=f'TEMPLATE "{module_pair.source.name}"')
    yield module_pair.source.conninfo(), {False: equal.conninfo(), True: module_pair.target.conninfo()}
    source_cluster.drop_database(equal)


def command(sides, differ, *arguments):
    source, targets = sides
    return [PGPARITY, "compare", "--source", source, "--target", targets[differ], *arguments]


def run(arguments, *, env=None, timeout=120, **options):
    """Runs to the end: (status, standard output, standard error). One that hangs fails the test."""
    done = subprocess.run(arguments, capture_output=True, text=True, errors="replace", env=clean_environment(**(env or {})), timeout=timeout, check=False,
                          **options)
    return done.returncode, done.stdout, done.stderr


def check(status, report, stderr, differ, what):
    """What holds whatever happened."""
    assert status in STATUSES, (status, stderr, what)
    assert "terminate called" not in stderr and "could not be dealt with" not in stderr, (stderr, what)
    if status == ERROR:
        return
    report = json.loads(report)
    jsonschema.validate(report, json.loads(SCHEMA.read_text()))
    assert report["exit_status"] == status, what
    if status == IDENTICAL:
        assert not differ and {t["result"] for t in report["tables"]} == {"identical"} and len(report["tables"]) == 2, what
    if status == DIVERGENT:
        assert differ, what
        for table in report["tables"]:
            assert "counts" in table or "error" in table, what
            if table.get("counts", {"mismatch": "0"})["mismatch"] != "0":
                assert table["source"] == "public.big" and table["counts"] == {"mismatch": str(ROWS // 2), "missing_on_source": "0", "missing_on_target": "0"}, what


# ---- descriptors ----------------------------------------------------------------------------------------------

@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("verbose", [[], ["--verbose"]], ids=["quiet", "verbose"])
@pytest.mark.parametrize("differ", [False, True])
@pytest.mark.parametrize("closed", [c for c in range(8) if c], ids=lambda c: "closed" + "".join(f"-{d}" for d in range(3) if c >> d & 1))
def test_closed_descriptors(sides, tmp_path, closed, differ, verbose):
    """The report goes to its file as ever. Where standard output is closed and it should go there, nothing is answered."""
    def close():
        for descriptor in range(3):
            if closed >> descriptor & 1:
                os.close(descriptor)
    file = tmp_path / "report"
    expected = DIVERGENT if differ else IDENTICAL
    status, stdout, stderr = run(command(sides, differ, "--format", "json", "--output", str(file), *verbose), preexec_fn=close)
    assert status == expected and stdout == ""
    check(status, file.read_text(), stderr, differ, closed)
    status, stdout, stderr = run(command(sides, differ, "--format", "json", *verbose), preexec_fn=close)
    if closed & 2:
        assert status == ERROR and stdout == ""
        assert closed & 4 or "could not write standard output" in stderr
    else:
        assert status == expected
        check(status, stdout, stderr, differ, closed)


def test_help_needs_somewhere_to_go():
    for words in (["--help"], ["--version"], ["compare", "--help"]):
        assert run([PGPARITY, *words])[0] == IDENTICAL
        assert run([PGPARITY, *words], preexec_fn=lambda: os.close(1))[0] == ERROR
        with open("/dev/full", "w") as full:
            assert subprocess.run([PGPARITY, *words], stdout=full, stderr=subprocess.DEVNULL, check=False).returncode == ERROR


@pytest.mark.in_turn("memory")
@pytest.mark.parametrize("differ", [False, True])
def test_few_descriptors(sides, differ):
    """From too few for anything to enough."""
    seen = set()
    for most in range(3, 26) if os.environ.get("PARITY_LONG") else [*sorted(random.Random(SEED).sample(range(4, 25), 7)), 7, 25]:
        status, stdout, stderr = run(command(sides, differ, "--format", "json", "--jobs", "2", "--engine", random.choice(ENGINES), "--retry-for", "1s"),
                                     preexec_fn=lambda most=most: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)))
        if status == 127:  # the program's libraries could not be opened
            continue
        check(status, stdout, stderr, differ, most)
        seen.add(status)
    assert seen >= {ERROR, DIVERGENT if differ else IDENTICAL}


# ---- slow readers ---------------------------------------------------------------------------------------------

def read_slowly(descriptor, into):
    while data := os.read(descriptor, 700):
        into.append(data)
        time.sleep(0.0005)
    os.close(descriptor)


@pytest.mark.parametrize("blocking", [False, True])
def test_slow_pipes_lose_nothing(sides, blocking):
    """Standard output and standard error that take little at a time, also in non-blocking mode."""
    ends = [os.pipe() for _ in range(2)]
    for _, writing in ends:
        os.set_blocking(writing, blocking)
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    process = subprocess.Popen(command(sides, True, "--format", "json", "--max-divergences", "0", "--verbose"), stdout=ends[0][1], stderr=ends[1][1],
                               env=clean_environment())
    taken = [[], []]
    readers = [threading.Thread(target=read_slowly, args=(reading, into)) for (reading, _), into in zip(ends, taken)]
    for (_, writing), reader in zip(ends, readers):
        os.close(writing)
        reader.start()
    for reader in readers:
        reader.join()
    assert process.wait(timeout=60) == DIVERGENT
    check(DIVERGENT, b"".join(taken[0]), b"".join(taken[1]).decode(), True, "slow")
    assert len(json.loads(b"".join(taken[0]))["tables"][0]["divergences"]) == ROWS // 2


@pytest.mark.parametrize("blocking", [False, True])
def test_signal_while_nobody_reads(sides, blocking):
    """A reader that has stopped does not keep the process: the first signal ends it, without an answer."""
    reading, writing = os.pipe()
    os.set_blocking(writing, blocking)
    process = subprocess.Popen(command(sides, True, "--format", "json", "--max-divergences", "0", "--no-progress"), stdout=writing, stderr=subprocess.PIPE,
                               text=True, env=clean_environment())
    os.close(writing)
    wait_until_it_waits_for_its_reader(reading, process)
    process.terminate()
    stderr = process.communicate(timeout=20)[1]
    os.close(reading)
    assert process.returncode == ERROR and "interrupted" in stderr


def wait_until_it_waits_for_its_reader(reading, process):
    capacity = fcntl.fcntl(reading, fcntl.F_GETPIPE_SZ)
    held = bytearray(4)
    while process.poll() is None:
        fcntl.ioctl(reading, 0x541B, held, True)  # FIONREAD
        if int.from_bytes(held, "little") > capacity - 8192:
            return
        time.sleep(0.01)
    raise AssertionError("it ended")


def test_readers_that_go_away(sides):
    for stream in ("stdout", "stderr"):
        reading, writing = os.pipe()
        os.close(reading)
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: writing}
        process = subprocess.Popen(command(sides, True, "--format", "json", "--verbose"), env=clean_environment(), text=True, **streams)
        os.close(writing)
        stdout, stderr = process.communicate(timeout=60)
        assert process.returncode == (ERROR if stream == "stdout" else DIVERGENT)
        if stream == "stderr":
            check(DIVERGENT, stdout, "", True, stream)
        else:
            assert "could not write standard output" in stderr


# ---- room for files -------------------------------------------------------------------------------------------

def test_full_device(sides):
    with open("/dev/full", "w") as full:
        for differ in (False, True):
            process = subprocess.run(command(sides, differ), stdout=full, stderr=subprocess.PIPE, text=True, env=clean_environment(), check=False)
            assert process.returncode == ERROR and "could not write standard output: No space left" in process.stderr
    status, _, stderr = run(command(sides, False, "--output", "/dev/full"))
    assert status == ERROR and 'could not write "/dev/full"' in stderr


@pytest.mark.parametrize("way", ENGINES)
@pytest.mark.parametrize("jobs", [1, 2])
def test_no_room_for_findings(sides, shim, way, jobs, tmp_path):
    """The directory for temporary files is full at any moment: what differs is known, which rows may not be. Those that were listed are whole."""
    seen = set()
    for room in (0, 1000, 5000, 20_000, 60_000, 120_000, 250_000, 400_000, 10_000_000):
        status, stdout, stderr = run(command(sides, True, "--format", "json", "--max-divergences", "0", "--engine", way, "--jobs", str(jobs), "--no-progress"),
                                     env={"LD_PRELOAD": shim, "FAULT_ROOM": str(room), "TMPDIR": str(tmp_path)})
        check(status, stdout, stderr, True, room)
        assert status in (DIVERGENT, ERROR), (room, stderr)
        if status == ERROR:
            assert "temporary file" in stderr, (room, stderr)
            continue
        tables = {t["source"]: t for t in json.loads(stdout)["tables"]}
        big = tables["public.big"]
        assert tables["public.small"]["result"] == "identical"
        seen.add("error" in big)
        assert "error" not in big or ("temporary file" in big["error"] and "TMPDIR" in big["error"] and json.loads(stdout)["incomplete"])
        assert len(big["divergences"]) == int(big["counts"]["mismatch"] if "counts" in big else 0)
        if "error" not in big:
            assert len(big["divergences"]) == ROWS // 2 and all("source" in d for d in big["divergences"])
    assert seen == {False, True}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("way", ENGINES)
def test_limit_on_the_size_of_files(sides, way, tmp_path):
    """SIGXFSZ is an error of writing like any other."""
    for blocks in (0, 8, 40, 200, 100_000):
        file = tmp_path / "report"
        status, _, stderr = run(command(sides, True, "--format", "json", "--max-divergences", "0", "--engine", way, "--output", str(file), "--no-progress"),
                                preexec_fn=lambda b=blocks: resource.setrlimit(resource.RLIMIT_FSIZE, (b * 1024, b * 1024)), env={"TMPDIR": str(tmp_path)})
        assert status in (DIVERGENT, ERROR), (blocks, stderr)
        assert file.exists() == (status == DIVERGENT)
        assert stderr.strip() or status == DIVERGENT
        if file.exists():
            check(status, file.read_text(), stderr, True, blocks)
            file.unlink()
        assert list(tmp_path.iterdir()) == []


# ---- memory ---------------------------------------------------------------------------------------------------

@pytest.mark.in_turn("memory")
@pytest.mark.parametrize("way", ENGINES)
@pytest.mark.parametrize("differ", [False, True])
def test_limit_on_memory(sides, way, differ):
    seen = set()
    scarce = range(40_000, 200_000, 20_000)
    for kilobytes in (*(scarce if os.environ.get("PARITY_LONG") else random.Random(SEED).sample(scarce, 2)), 250_000, 4_000_000):
        status, stdout, stderr = run(command(sides, differ, "--format", "json", "--engine", way, "--no-progress"),
                                     preexec_fn=lambda k=kilobytes: resource.setrlimit(resource.RLIMIT_AS, (k * 1024, k * 1024)))
        if status == 127:  # the system could not load the program
            assert stdout == ""
            continue
        check(status, stdout, stderr, differ, kilobytes)
        assert status != ERROR or stderr.strip(), kilobytes
        seen.add(status)
    assert (DIVERGENT if differ else IDENTICAL) in seen


def allocations(sides, shim, arguments, tmp_path):
    told = tmp_path / "told"
    run(arguments, env={"LD_PRELOAD": shim, "FAULT_TOLD": str(told)})
    return int(told.read_text())


# How many allocations fail: one, some, or all from then on.
FAILURES = {"one": 1, "some": 40, "all": 0}


@pytest.mark.in_turn("memory")
@pytest.mark.parametrize("failures", FAILURES)
@pytest.mark.parametrize("differ", [False, True])
@pytest.mark.parametrize("way", ENGINES)
def test_memory_ends_at_any_moment(sides, shim, way, differ, failures, tmp_path):
    """A sample of a run's allocations, of which a long run takes a larger one."""
    arguments = command(sides, differ, "--format", "json", "--engine", way, "--jobs", "2", "--seed", "1", "--verbose")
    total = allocations(sides, shim, arguments, tmp_path)
    print(f"PARITY_SEED={SEED}, {total} allocations")
    chosen = random.Random(SEED).sample(range(1, total + 100), 150 if os.environ.get("PARITY_LONG") else 12)

    def attempt(number):
        status, stdout, stderr = run(arguments, env={"LD_PRELOAD": shim, "FAULT_ALLOCATION": f"{number}:{FAILURES[failures]}"})
        check(status, stdout, stderr, differ, f"FAULT_ALLOCATION={number}:{FAILURES[failures]}")
        return status
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(attempt, chosen))
    assert ERROR in statuses or INCOMPLETE in statuses or failures == "one", statuses


@pytest.mark.in_turn("memory")
@pytest.mark.parametrize("for_good", ["", ":"], ids=["once", "for good"])
@pytest.mark.parametrize("differ", [False, True])
def test_memory_ends_as_a_copy_begins(sides, shim, differ, for_good):
    """libpq says nothing of it and waits for more, which does not come after a short answer."""
    arguments = command(sides, differ, "--format", "json", "--engine", "stream", "--jobs", "1")
    statuses = []
    for number in range(1, 12) if os.environ.get("PARITY_LONG") else [*sorted(random.Random(SEED).sample(range(1, 11), 4)), 11]:
        status, stdout, stderr = run(arguments, env={"LD_PRELOAD": shim, "FAULT_COPY": f"{number}{for_good}"}, timeout=30)
        check(status, stdout, stderr, differ, f"FAULT_COPY={number}{for_good}")
        statuses.append(status)
    assert statuses[-1] == (DIVERGENT if differ else IDENTICAL)  # beyond the last COPY
    assert len(set(statuses)) > 1 or statuses[0] != ERROR, statuses


# ---- signals --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda n: n.name)
def test_signal_at_any_moment(sides, number):
    """Before the program itself runs, the system ends the process by the signal. From then on the statuses are its own."""
    for engine in ENGINES:
        for delay in [d / 1000 for d in (0, 1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 100, 150, 200)]:
            process = subprocess.Popen(command(sides, True, "--format", "json", "--engine", engine), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                       env=clean_environment())
            time.sleep(delay)
            process.send_signal(number)
            stdout, stderr = process.communicate(timeout=30)
            if process.returncode == -number:
                assert (stdout, stderr) == ("", ""), delay
                continue
            check(process.returncode, stdout, stderr, True, delay)
            assert process.returncode in (DIVERGENT, ERROR)
            if process.returncode == ERROR and stdout and "could not write standard output: interrupted by a signal" not in stderr:
                assert json.loads(stdout)["interrupted"] is True


@pytest.mark.parametrize("differ", [False, True])
def test_signal_once_it_runs(sides, differ):
    """From the first word on, a signal is never the system's to deal with."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        process = subprocess.Popen(command(sides, differ, "--verbose"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())
        process.stderr.readline()
        process.send_signal(number)
        process.communicate(timeout=30)
        assert process.returncode in (DIVERGENT if differ else IDENTICAL, ERROR)


def test_repeated_signals(sides):
    for _ in range(10):
        process = subprocess.Popen(command(sides, True, "--verbose"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())
        process.stderr.readline()
        while process.poll() is None:
            process.send_signal(random.choice([signal.SIGTERM, signal.SIGINT, signal.SIGHUP]))
        process.communicate()
        assert process.returncode in (DIVERGENT, ERROR)


@pytest.mark.parametrize("differ", [False, True])
def test_hangup_that_is_ignored(sides, differ):
    """As under nohup."""
    process = subprocess.Popen(command(sides, differ, "--verbose"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment(),
                               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.stderr.readline()
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == (DIVERGENT if differ else IDENTICAL)
