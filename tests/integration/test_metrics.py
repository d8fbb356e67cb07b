"""What a run is seen to do from outside: the metrics file (--metrics-file), and the last line on standard error."""

import os
import re
import signal
import stat
import subprocess
import time

import pytest

from support.held import HeldRun
from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, pgparity, popen
from support.proxy import Proxy

ENGINES = ["extension", "stream"]
INTERVAL = 15  # seconds between two writings
KINDS = ("mismatch", "missing_on_source", "missing_on_target")

TABLES = """
CREATE TABLE orders (id int PRIMARY KEY, v text); INSERT INTO orders SELECT n, 'value ' || n FROM generate_series(1, 2000) n;
CREATE TABLE items (id int PRIMARY KEY, v text); INSERT INTO items SELECT n, 'value ' || n FROM generate_series(1, 500) n;
CREATE TABLE last (id int PRIMARY KEY, v text); INSERT INTO last SELECT n, 'confidential' FROM generate_series(1, 10) n; ANALYZE"""
PLANTED = "UPDATE orders SET v = 'planted' WHERE id IN (7, 1000, 1999); DELETE FROM items WHERE id > 498; INSERT INTO last VALUES (11, 'planted')"
PLANTED_COUNTS = {"mismatch": 3, "missing_on_source": 1, "missing_on_target": 2}


class Metrics:
    """A metrics file as promtool and Prometheus read it."""

    def __init__(self, file):
        self.text = file.read_text()
        checked = subprocess.run(["promtool", "check", "metrics"], input=self.text, capture_output=True, text=True, check=False)
        assert checked.returncode == 0 and checked.stdout + checked.stderr == "", f"{checked.stdout}{checked.stderr}\n{self.text}"
        self.values = {name: float(value) for name, value in re.findall(r"^([^#\n]\S*(?:\{.*\})?) (\S+)$", self.text, re.M)}

    def __getitem__(self, name):
        return self.values["pgparity_" + name]

    def get(self, name):
        return self.values.get("pgparity_" + name)

    def sides(self, name):
        return {side: self.get(f'{name}{{side="{side}"}}') for side in ("source", "target")}

    def findings(self):
        return {kind: self[f'run_findings{{kind="{kind}"}}'] for kind in KINDS}

    def units(self):
        return {state: self[f'run_units{{state="{state}"}}'] for state in ("done", "failed", "pending")}

    def ended(self, status):
        """That the run is over with this status, and when."""
        assert (self["run_in_progress"], self["last_run_exit_status"]) == (0, status)
        assert self["run_start_timestamp_seconds"] <= self["last_run_end_timestamp_seconds"] <= self["metrics_timestamp_seconds"] <= time.time()
        assert (self.get("last_success_timestamp_seconds") == self["last_run_end_timestamp_seconds"]) == (status == IDENTICAL)
        return self["last_run_end_timestamp_seconds"]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "shop.prom"


def run(pair, file, *arguments, **options):
    return pair.compare("--no-progress", "--metrics-file", str(file), *arguments, **options)


def await_metrics(file, wanted, seconds=3 * INTERVAL):
    """Reads the file again and again until it is as wanted. Whatever is read is whole."""
    deadline = time.monotonic() + seconds
    while True:
        if file.exists():
            metrics = Metrics(file)
            if wanted(metrics):
                return metrics
            assert time.monotonic() < deadline, metrics.text
        assert time.monotonic() < deadline
        time.sleep(0.2)


def number_of(lsn):
    high, low = lsn.split("/")
    return int(high, 16) << 32 | int(low, 16)


# ---- what it says ----------------------------------------------------------------------------------------------------


@pytest.mark.every_engine()
@pytest.mark.parametrize("planted", [False, True])
def test_numbers_of_a_run(pair, file, planted):
    pair.both(TABLES)
    if planted:
        pair.target.execute(PLANTED)
    done = run(pair, file, "--max-divergences", "1").expect(DIVERGENT if planted else IDENTICAL)
    metrics = Metrics(file)
    metrics.ended(done.status)
    assert metrics.findings() == (PLANTED_COUNTS if planted else dict.fromkeys(KINDS, 0))
    assert metrics.units() == {"done": 3, "failed": 0, "pending": 0} and metrics["run_unit_retries"] == 0
    assert metrics.sides("run_read_rows") == {"source": 2510, "target": 2509 if planted else 2510}
    assert all(0 < seconds < 30 for seconds in metrics.sides("run_read_seconds").values())
    assert metrics.sides("snapshot_age_seconds") == {"source": 0, "target": 0}
    assert all(0 < seconds < 30 for seconds in metrics.sides("run_longest_snapshot_seconds").values())
    lowest = {side: min(number_of(table["lsn"][side]) for table in done.report["tables"]) for side in ("source", "target")}
    assert metrics.sides("run_verified_lsn_bytes") == lowest
    for side, received in metrics.sides("run_received_bytes").items():
        streamed = done.table("public.orders")["path"][side] == "stream"
        assert (received is not None) == streamed and (not streamed or 2510 * 10 < received < 2510 * 60)


def test_labels_are_bounded(pair, file):
    """No name, key or value of the databases is in the file; the labels that were asked for are everywhere."""
    pair.both(TABLES)
    pair.target.execute(PLANTED)
    run(pair, file, "--metrics-label", "comparison=old to new", "--metrics-label", 'team="a"').expect(DIVERGENT)
    metrics = Metrics(file)
    without_numbers = re.sub(r" [-+.e\d]+$", "", metrics.text, flags=re.M)  # of which any may hold the digits of a key
    for text in ("orders", "items", "public", "planted", "confidential", "1999", pair.source.name):
        assert text not in without_numbers, text
    assert metrics.values and all('comparison="old to new",team="\\"a\\""' in name for name in metrics.values)
    names = {label for labels in re.findall(r"\{(.*)\}", metrics.text) for label in re.findall(r'(\w+)="', labels)}
    assert names == {"comparison", "team", "side", "kind", "state", "version"}


@pytest.mark.every_engine()
@pytest.mark.parametrize("slow", ["source", "target"])
def test_each_side_has_a_time_of_its_own(pair, file, slow):
    """Two seconds that one side takes longer are not the other's, whichever is waited for first."""
    pair.both(TABLES)
    waiting = []

    def note(_, data):
        if b"range_digests" in data or b"COPY" in data:
            waiting.append(True)

    def answer(data):
        if waiting:
            waiting.clear()
            time.sleep(2)
        return data

    database = getattr(pair, slow)
    with Proxy(database.cluster.port, note, answer) as proxy:
        done = run(pair, file, "--table", "orders", "--workers", "1", **{slow: database.tcp_conninfo(proxy.port)}).expect(IDENTICAL)
    seconds = Metrics(file).sides("run_read_seconds")
    fast = seconds.pop("source" if slow == "target" else "target")
    assert seconds[slow] >= 2 and seconds[slow] - fast > 1, (fast, seconds[slow], done)


def test_a_later_run_that_fails_keeps_the_last_success(pair, file, tmp_path):
    pair.both(TABLES)
    run(pair, file).expect(IDENTICAL)
    success = Metrics(file).ended(IDENTICAL)
    pair.target.execute(PLANTED)
    run(pair, file).expect(DIVERGENT)
    assert success < Metrics(file).ended(DIVERGENT)
    gone = "host=127.0.0.1 port=1 dbname=gone"
    run(pair, file, "--retry-for", "0", target=gone).expect(ERROR)
    metrics = Metrics(file)
    metrics.ended(ERROR)
    assert metrics.findings() == dict.fromkeys(KINDS, 0) and metrics.units() == {"done": 0, "failed": 0, "pending": 0}
    run(pair, file, "--output", str(tmp_path / "nowhere" / "report")).expect(ERROR)
    Metrics(file).ended(ERROR)
    pair.target.execute("REVOKE ALL ON items FROM public; CREATE ROLE metrics_reader LOGIN; GRANT SELECT ON orders, last TO metrics_reader")
    try:
        pair.target.execute("UPDATE orders SET v = 'value ' || id; DELETE FROM last WHERE id = 11")
        run(pair, file, target=pair.target.conninfo(user="metrics_reader")).expect(INCOMPLETE)
        metrics = Metrics(file)
        metrics.ended(INCOMPLETE)
    finally:
        pair.target.execute("DROP OWNED BY metrics_reader; DROP ROLE metrics_reader")
    assert metrics["last_success_timestamp_seconds"] == success
    pair.target.execute("INSERT INTO items SELECT n, 'value ' || n FROM generate_series(499, 500) n")
    run(pair, file).expect(IDENTICAL)
    assert Metrics(file).ended(IDENTICAL) > success


@pytest.mark.parametrize("planted", [False, True])
def test_a_table_that_is_begun_again_is_counted(pair, file, planted):
    pair.both(TABLES)
    if planted:
        pair.target.execute(PLANTED)
    status = DIVERGENT if planted else IDENTICAL
    blocked = []

    def lock(_, data):
        if b'LOCK TABLE "public"."items"' in data and len(blocked) < 2:
            blocked.append(pair.target.connect())
            if len(blocked) == 1:
                blocked[0].cursor().execute("BEGIN; LOCK TABLE items")
            else:
                blocked[0].close()

    with Proxy(pair.target.cluster.port, lock) as proxy:
        run(pair, file, "--lock-timeout", "200ms", target=pair.target.tcp_conninfo(proxy.port)).expect(status)
    for connection in blocked:
        connection.close()
    metrics = Metrics(file)
    metrics.ended(status)
    assert metrics["run_unit_retries"] >= 1 and metrics.units() == {"done": 3, "failed": 0, "pending": 0}
    assert metrics.findings() == (PLANTED_COUNTS if planted else dict.fromkeys(KINDS, 0))


# ---- while it goes on ------------------------------------------------------------------------------------------------


def held_run(pair, *arguments):
    return HeldRun(lambda source, target: popen("compare", "--format", "json", "--lock-timeout", "0", "--source", source.conninfo(), "--target", target, *arguments),
                   pair.source, pair.target, blocked=1)


@pytest.mark.parametrize("planted", [False, True])
def test_a_run_that_goes_on(pair, file, planted):
    """The file is there from the beginning, and is written anew."""
    pair.both(TABLES)
    run(pair, file).expect(IDENTICAL)
    success = Metrics(file).ended(IDENTICAL)
    if planted:
        pair.target.execute(PLANTED)
    with held_run(pair, "--metrics-file", str(file)) as held:
        begun = await_metrics(file, lambda metrics: metrics["run_in_progress"] == 1)
        assert begun["run_start_timestamp_seconds"] > success and begun["last_success_timestamp_seconds"] == success
        metrics = await_metrics(file, lambda metrics: metrics.units() == {"done": 2, "failed": 0, "pending": 1})
        assert metrics["run_in_progress"] == 1 and metrics["last_run_exit_status"] == IDENTICAL
        assert metrics["last_run_end_timestamp_seconds"] == success
        # The table that waits for the target's lock has its snapshot on the source already.
        assert metrics["snapshot_age_seconds{side=\"source\"}"] > 1 and metrics["snapshot_age_seconds{side=\"target\"}"] == 0
        assert metrics["run_longest_snapshot_seconds{side=\"source\"}"] >= metrics["snapshot_age_seconds{side=\"source\"}"]
        assert metrics["run_last_progress_timestamp_seconds"] < metrics["metrics_timestamp_seconds"] - 1
        assert metrics.findings() == ({**PLANTED_COUNTS, "missing_on_source": 0} if planted else dict.fromkeys(KINDS, 0))
        held.let_go()
        assert held.process.returncode == (DIVERGENT if planted else IDENTICAL)
    metrics = Metrics(file)
    assert (metrics.ended(DIVERGENT if planted else IDENTICAL) > success) and metrics.units()["done"] == 3
    assert metrics.findings() == (PLANTED_COUNTS if planted else dict.fromkeys(KINDS, 0))
    assert os.listdir(file.parent) == [file.name]


def test_a_run_that_is_interrupted_or_killed(pair, file):
    pair.both(TABLES)
    run(pair, file).expect(IDENTICAL)
    success = Metrics(file).ended(IDENTICAL)
    with held_run(pair, "--metrics-file", str(file)) as held:
        await_metrics(file, lambda metrics: metrics["run_in_progress"] == 1 and held.blocker)
        held.end(signal.SIGTERM)
        metrics = Metrics(file)
        metrics.ended(held.process.returncode)
        assert held.process.returncode != IDENTICAL
    assert metrics["last_success_timestamp_seconds"] == success and metrics.units() == {"done": 2, "failed": 1, "pending": 0}
    with held_run(pair, "--metrics-file", str(file)) as held:
        await_metrics(file, lambda metrics: metrics["run_in_progress"] == 1 and held.blocker)
        held.end(signal.SIGKILL)
    killed = Metrics(file)
    assert killed["run_in_progress"] == 1 and killed["last_success_timestamp_seconds"] == success
    assert killed["last_run_end_timestamp_seconds"] == metrics["last_run_end_timestamp_seconds"]
    pair.target.execute(PLANTED)
    run(pair, file).expect(DIVERGENT)
    metrics = Metrics(file)
    metrics.ended(DIVERGENT)
    assert metrics["last_success_timestamp_seconds"] == success


@pytest.mark.parametrize("planted", [False, True])
def test_a_run_that_is_continued(pair, file, tmp_path, planted):
    """What was compared before counts as done, and was not read now."""
    pair.both(TABLES)
    if planted:
        pair.target.execute(PLANTED)
    state = str(tmp_path / "state")
    with held_run(pair, "--state", state) as held:
        deadline = time.monotonic() + 60
        while held.blocker is None and time.monotonic() < deadline:
            time.sleep(0.05)
        held.end(signal.SIGKILL)
    status = DIVERGENT if planted else IDENTICAL
    done = pgparity("resume", "--format", "json", "--state", state, "--metrics-file", file, "--source", pair.source.conninfo(), "--target",
                    pair.target.conninfo()).expect(status)
    metrics = Metrics(file)
    metrics.ended(status)
    assert metrics.units() == {"done": 3, "failed": 0, "pending": 0}
    assert metrics.sides("run_read_rows") == {"source": 10, "target": 11 if planted else 10}
    assert metrics.findings() == (PLANTED_COUNTS if planted else dict.fromkeys(KINDS, 0))
    assert re.search(r"^pgparity: 3 of 3 tables compared, 0 failed, ", done.stderr, re.M)


# ---- a file that cannot be written or read ---------------------------------------------------------------------------


BEFORE = {
    "empty": lambda path: path.write_bytes(b""),
    "binary": lambda path: path.write_bytes(os.urandom(5000)),
    "another's": lambda path: path.write_text('{"pgparity_last_success_timestamp_seconds": 17}\n'),
    "cut": lambda path: path.write_text("# HELP x y\npgparity_last_success_timestamp_seconds 17"),
    "large": lambda path: path.write_text("x" * 5_000_000),
}


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("planted", [False, True])
def test_what_was_no_metrics_file_stops_nothing(pair, file, before, planted):
    pair.both(TABLES)
    if planted:
        pair.target.execute(PLANTED)
    BEFORE[before](file)
    done = run(pair, file).expect(DIVERGENT if planted else IDENTICAL)
    assert done.stderr == ""
    Metrics(file).ended(done.status)


UNWRITABLE = {
    "no folder": lambda path: None,
    "a folder": lambda path: (path.parent.mkdir(), path.mkdir()),
    "a device": lambda path: (path.parent.mkdir(), path.symlink_to("/dev/null")),
    "a pipe": lambda path: (path.parent.mkdir(), os.mkfifo(path)),
}


@pytest.mark.parametrize("way", UNWRITABLE)
@pytest.mark.parametrize("planted", [False, True])
def test_a_file_that_cannot_be_written_changes_no_answer(pair, tmp_path, way, planted):
    pair.both(TABLES)
    if planted:
        pair.target.execute(PLANTED)
    file = tmp_path / "folder" / "shop.prom"
    UNWRITABLE[way](file)
    before = file.lstat().st_mode if file.parent.exists() else None
    done = run(pair, file).expect(DIVERGENT if planted else IDENTICAL)
    assert len(done.report["tables"]) == 3
    [line] = done.stderr.splitlines()
    assert line.startswith(f'pgparity: warning: could not write metrics file "{file}": ') and line.endswith("; the comparison goes on without it")
    assert (file.lstat().st_mode if file.parent.exists() else None) == before
    assert not file.parent.exists() or os.listdir(file.parent) == [file.name]


def test_the_mode_lets_a_collector_read(pair, file):
    pair.both(TABLES)
    for mask, mode in ((0o022, 0o644), (0o002, 0o644), (0o077, 0o600)):
        run(pair, file, umask=mask).expect(IDENTICAL)
        assert stat.S_IMODE(file.stat().st_mode) == mode


def test_a_refused_command_line_leaves_the_file_alone(pair, file):
    pair.both(TABLES)
    run(pair, file).expect(IDENTICAL)
    before = file.read_bytes()
    for arguments in (["--dry-run"], ["--metrics-label", "side=a"], ["--no-such-option"], ["--where", " "]):
        run(pair, file, *arguments).expect(ERROR)
    assert file.read_bytes() == before


# ---- the last line ---------------------------------------------------------------------------------------------------

LAST = re.compile(r"^pgparity: (\d+) of (\d+) tables compared, (\d+) failed(?: \(([\d.]+) %\))?(?:, (\d+) not begun)?, ([\d.]+ s)"
                  r"(?:, source ([\d,]+) rows/s, target ([\d,]+) rows/s)?$")


@pytest.mark.every_engine()
@pytest.mark.parametrize("planted", [False, True])
def test_the_last_line(pair, planted):
    pair.both(TABLES)
    if planted:
        pair.target.execute(PLANTED)
    done = pair.compare().expect(DIVERGENT if planted else IDENTICAL)
    compared, tables, failed, share, left, _, source, target = LAST.match(done.stderr.splitlines()[-1]).groups()
    assert (compared, tables, failed, share, left) == ("3", "3", "0", None, None)
    assert int(source.replace(",", "")) > 100 and int(target.replace(",", "")) > 100
    assert "rows/s" not in done.stdout and pair.compare("--no-progress").expect(done.status).stderr == ""


@pytest.mark.parametrize("planted", [False, True])
def test_the_last_line_tells_what_failed(pair, planted):
    pair.both(TABLES)
    if planted:
        pair.target.execute("UPDATE orders SET v = 'planted' WHERE id = 5")
    with pair.target.connect() as blocker, blocker.cursor() as cursor:
        locked = []

        def lock(_, data):
            if b'LOCK TABLE "public"."items"' in data and not locked:
                locked.append(cursor.execute("BEGIN; LOCK TABLE items"))

        with Proxy(pair.target.cluster.port, lock) as proxy:
            done = pair.compare("--lock-timeout", "100ms", "--retry-for", "0", target=pair.target.tcp_conninfo(proxy.port))
    done.expect(DIVERGENT if planted else INCOMPLETE)
    assert LAST.match(done.stderr.splitlines()[-1]).groups()[:5] == ("2", "3", "1", "33.3", None)


def test_a_run_that_came_to_no_table_has_no_last_line(pair):
    done = pair.compare("--retry-for", "0", target="host=127.0.0.1 port=1 dbname=gone").expect(ERROR)
    assert "tables compared" not in done.stderr
