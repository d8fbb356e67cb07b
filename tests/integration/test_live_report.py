"""The report on standard output while the run goes on."""

import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import time

import pytest

from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, PGPARITY, clean_environment, pgparity

# Tables are begun in the order of their size, and the view "slow", which waits, stands at their end.
TABLES = """CREATE TABLE big (id int PRIMARY KEY, v text); INSERT INTO big SELECT n, repeat('x', 100) FROM generate_series(1, 3000) n;
    CREATE TABLE a_small (id int PRIMARY KEY, v int); INSERT INTO a_small SELECT n, n FROM generate_series(1, 10) n;
    CREATE FUNCTION wait(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN PERFORM pg_catalog.pg_advisory_xact_lock(17); RETURN $1; END';
    CREATE VIEW slow AS SELECT id, wait(v) AS v FROM a_small WHERE id = 1; ANALYZE"""
CHOICE = ["--table", "big", "--table", "a_small", "--table", "slow", "--key", "slow=id", "--lock-timeout", "0"]
PROMPTLY = 20


@pytest.fixture(params=[False, True], ids=["equal", "planted"])
def sides(request, pair):
    pair.both(TABLES)
    if request.param:
        pair.target.execute("UPDATE big SET v = 'y' WHERE id = 77")
    pair.planted = request.param
    return pair


@contextlib.contextmanager
def running(pair, *arguments, stdout=subprocess.PIPE):
    process = subprocess.Popen([PGPARITY, "compare", "--source", pair.source.conninfo(), "--target", pair.target.conninfo(), "--no-progress", *CHOICE, *arguments],
                               stdout=stdout, stderr=subprocess.PIPE, text=True, env=clean_environment())
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def locked(pair):
    """Nobody gets past the view "slow" meanwhile."""
    connection = pair.source.connect()
    cursor = connection.cursor()
    cursor.execute("SELECT pg_advisory_lock(17)")
    try:
        yield cursor
    finally:
        connection.close()


def lines_until(process, wanted):
    """What comes on standard output until a line with this, which has to come promptly."""
    lines = []
    end = time.monotonic() + PROMPTLY
    while time.monotonic() < end:
        if select.select([process.stdout], [], [], 0.2)[0] or lines:
            lines.append(process.stdout.readline())
            if wanted in lines[-1]:
                return lines
    raise AssertionError(f"{wanted} did not come: {lines}")


def test_a_table_is_told_when_it_is_finished(sides):
    with locked(sides) as lock, running(sides) as process:
        lines = lines_until(process, "public.a_small: ")
        assert process.poll() is None and lines[0].startswith("pgparity ") and lines[1].startswith("source: ")
        assert not any(line.startswith("result:") for line in lines), lines
        assert any(line.startswith("public.big: " + ("divergent" if sides.planted else "identical")) for line in lines), lines
        assert any("(id)=(77)" in line for line in lines) == sides.planted
        lock.execute("SELECT pg_advisory_unlock_all()")
        rest = process.communicate(timeout=60)[0].splitlines()
    assert process.returncode == (DIVERGENT if sides.planted else IDENTICAL)
    assert rest[0].startswith("public.slow: identical") and rest[-1].startswith("result: ")
    whole = [line.rstrip("\n") for line in lines] + rest
    assert len([line for line in whole if line.startswith("public.")]) == 3, whole


def test_lines_come_as_tables_are_finished(sides, tmp_path):
    with locked(sides) as lock, running(sides, "--format", "ndjson") as process:
        lines = lines_until(process, '"source":"public.a_small"')
        assert json.loads(lines[0])["record"] == "begin" and not any('"record":"run"' in line for line in lines)
        lock.execute("SELECT pg_advisory_unlock_all()")
        lines += process.communicate(timeout=60)[0].splitlines(keepends=True)
    records = [json.loads(line) for line in lines]
    assert records[-1]["record"] == "run" and records[-1]["exit_status"] == process.returncode == (DIVERGENT if sides.planted else IDENTICAL)
    assert [record["source"] for record in records if record["record"] == "table"] == ["public.big", "public.a_small", "public.slow"]
    file = tmp_path / "run.ndjson"
    file.write_text("".join(lines))
    report = pgparity("report", "--from", str(file), "--format", "json").expect(process.returncode).report
    assert [table["source"] for table in report["tables"]] == ["public.a_small", "public.big", "public.slow"]
    assert [len(table["divergences"]) for table in report["tables"]] == [0, int(sides.planted), 0]


def test_the_last_lines_of_a_table_count(sides, tmp_path):
    """It was compared again, because a crash may have taken what had been read."""
    kept = pgparity("compare", "--source", sides.source.conninfo(), "--target", sides.target.conninfo(), "--no-progress", "--table", "big", "--table", "a_small",
                    "--format", "ndjson").expect(DIVERGENT if sides.planted else IDENTICAL)
    lines = [json.loads(line) for line in kept.stdout.splitlines()]
    [big] = [line for line in lines if line["record"] == "table" and line["source"] == "public.big"]
    earlier = [{**big, "result": "divergent"}, {"record": "divergence", "table": {"source": "public.big", "target": "public.big"}, "kind": "mismatch", "key": {"id": "1"}, "columns": ["v"]}]
    file = tmp_path / "run.ndjson"
    reports = []
    for all_lines in (lines, lines[:1] + earlier + lines[1:]):
        file.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in all_lines))
        reports.append(pgparity("report", "--from", file, "--format", "json").expect(kept.status).report)
    assert reports[0] == reports[1] and [table["source"] for table in reports[1]["tables"]] == ["public.a_small", "public.big"]


@pytest.mark.parametrize("form", ["text", "ndjson"])
def test_a_killed_run_leaves_what_is_true_and_no_end(sides, form):
    with locked(sides), running(sides, "--format", form) as process:
        lines = lines_until(process, "public.a_small")
        process.kill()
        lines += process.communicate(timeout=60)[0].splitlines()
    assert not lines[-1].startswith("result:") and '"record":"run"' not in lines[-1]
    assert any(("divergent" if sides.planted else "identical") in line and "public.big" in line for line in lines)


@pytest.mark.parametrize("form", ["text", "ndjson"])
def test_a_signal_ends_with_a_whole_report(sides, form):
    with locked(sides), running(sides, "--format", form) as process:
        lines = lines_until(process, "public.a_small")
        process.send_signal(signal.SIGTERM)
        lines += process.communicate(timeout=60)[0].splitlines()
    assert process.returncode == (DIVERGENT if sides.planted else INCOMPLETE)
    assert lines[-1].startswith("result: ") if form == "text" else json.loads(lines[-1])["exit_status"] == process.returncode
    assert sum("public.big: " in line for line in lines) == 1 or form == "ndjson"


@pytest.mark.parametrize("kept", [False, True])
def test_a_reader_that_goes_away(sides, tmp_path, kept):
    """Nobody would hear of the rest, unless the run is kept."""
    state = ["--state", str(tmp_path / "run.state")] if kept else []
    with locked(sides) as lock, running(sides, *state) as process:
        process.stdout.readline()
        process.stdout.close()
        if kept:
            time.sleep(2)
            assert process.poll() is None
            lock.execute("SELECT pg_advisory_unlock_all()")
        assert process.wait(timeout=60) == ERROR
        assert "could not write standard output: Broken pipe" in process.stderr.read()
    if kept:
        assert pgparity("report", "--from", str(tmp_path / "run.state")).expect(DIVERGENT if sides.planted else IDENTICAL)


def test_a_slow_reader_does_not_hold_up_the_comparison(pair, tmp_path):
    """Findings of a table fill the pipe; the tables behind it are compared all the same."""
    pair.both("CREATE TABLE big (id int PRIMARY KEY, v text); INSERT INTO big SELECT n, repeat('x', 100) FROM generate_series(1, 3000) n;"
              "CREATE TABLE small (id int PRIMARY KEY); INSERT INTO small VALUES (1)")
    pair.target.execute("UPDATE big SET v = repeat('y', 100)")
    state = str(tmp_path / "run.state")
    process = subprocess.Popen([PGPARITY, "compare", "--source", pair.source.conninfo(), "--target", pair.target.conninfo(), "--max-divergences", "0",
                                "--state", state], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())
    end = time.monotonic() + PROMPTLY
    while "public.small: identical" not in pgparity("report", "--from", state).stdout:
        assert time.monotonic() < end and process.poll() is None
    stdout = process.communicate(timeout=60)[0]
    assert process.returncode == DIVERGENT and stdout.count("  mismatch") == 3000 and stdout.splitlines()[-1].startswith("result: divergent")


def test_on_a_terminal_lines_and_bar_do_not_mix(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, repeat('x', 200) FROM generate_series(1, 300000) n;"
              "CREATE TABLE u (id int PRIMARY KEY); INSERT INTO u SELECT generate_series(1, 1000)")
    pair.target.execute("DELETE FROM u WHERE id = 5")
    leader, follower = pty.openpty()
    process = subprocess.Popen([PGPARITY, "compare", "--source", pair.source.conninfo(), "--target", pair.target.conninfo()], stdin=follower, stdout=follower,
                               stderr=follower, env=clean_environment(TERM="xterm"))
    os.close(follower)
    shown = b""
    with contextlib.suppress(OSError):
        while data := os.read(leader, 65536):
            shown += data
    os.close(leader)
    assert process.wait(timeout=60) == DIVERGENT
    # What a person sees in each line: what stands behind the last erasure.
    seen = [line.split(b"\r\x1b[K")[-1] for line in shown.replace(b"\r\n", b"\n").split(b"\n")]
    assert any(line.startswith(b"public.t: identical") for line in seen) and any(line.startswith(b"public.u: divergent") for line in seen), shown
    assert seen[-3].startswith(b"result: divergent") and seen[-2].startswith(b"pgparity: 2 of 2 tables compared"), shown
