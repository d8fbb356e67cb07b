"""Runs that end before everything is compared: --run-time, --fail-above and signals. What was found stays found."""

import json
import signal
import time

import pytest

from support.pgparity import DIVERGENT, ERROR, IDENTICAL, INCOMPLETE, findings, mismatch, pgparity, popen

ENGINES = ["extension", "stream"]
DATA = ["nothing finished", "equal", "planted"]
STATUS = {"nothing finished": ERROR, "equal": INCOMPLETE, "planted": DIVERGENT}

# "first" is the largest table, and begun first; the view waits for a lock that the test holds, and is begun last but for "only".
TABLES = """CREATE TABLE first (id int PRIMARY KEY, v text); INSERT INTO first SELECT n, 'value ' || n FROM generate_series(1, 2000) n;
    CREATE TABLE second (id int PRIMARY KEY, v text); INSERT INTO second SELECT n, 'value ' || n FROM generate_series(1, 100) n;
    CREATE FUNCTION wait(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN PERFORM pg_catalog.pg_advisory_xact_lock(17); RETURN $1; END';
    CREATE VIEW waiting AS SELECT id, wait(id) AS v FROM second WHERE id = 1; CREATE VIEW waiting_2 AS SELECT id, wait(id) AS v FROM second WHERE id = 2; ANALYZE"""
WAITING = ["--table", "waiting", "--table", "waiting_2", "--key", "waiting=id", "--key", "waiting_2=id", "--lock-timeout", "0"]
TABLE_CHOICE = ["--table", "first", "--table", "second"]


@pytest.fixture(params=DATA)
def sides(request, pair):
    pair.both(TABLES)
    if request.param == "planted":
        pair.target.execute("UPDATE first SET v = 'planted' WHERE id = 7")
    pair.data = request.param
    pair.choice = WAITING + ([] if request.param == "nothing finished" else TABLE_CHOICE)
    blocker = pair.source.connect()
    blocker.cursor().execute("SELECT pg_advisory_lock(17)")
    pair.release = blocker.close
    yield pair
    blocker.close()


def run(sides, *arguments):
    return pgparity("compare", "--format", "json", "--no-progress", "--source", sides.source.conninfo(), "--target", sides.target.conninfo(), *sides.choice, *arguments)


def check_what_was_compared(report, sides):
    tables = {table["source"]: table for table in report["tables"]}
    assert report["interrupted"] and report["incomplete"]
    for name in ("public.waiting", "public.waiting_2"):
        assert tables[name]["result"] == "error", tables[name]
    if sides.data != "nothing finished":
        assert tables["public.second"]["result"] == "identical"
        assert findings(tables["public.first"]) == ({mismatch("v", id="7")} if sides.data == "planted" else set())


@pytest.mark.parametrize("engine", ENGINES)
def test_the_run_time_is_over(sides, engine, tmp_path):
    state = str(tmp_path / "run.state")
    began = time.monotonic()
    ended = run(sides, "--engine", engine, "--run-time", "3s", "--state", state).expect(STATUS[sides.data])
    assert 3 <= time.monotonic() - began < 15, ended
    check_what_was_compared(ended.report, sides)
    assert ended.report["ended_by"] == "run-time" and "the run time is over (--run-time)" in ended.stderr
    assert {"message": "the run time is over (--run-time)"} in ended.report["errors"]
    told = {table["source"]: (table.get("never_begun", False), table["error"]) for table in ended.report["tables"] if "error" in table}
    assert sorted(told) == ["public.waiting", "public.waiting_2"] and sorted(begun for begun, _ in told.values()) == [False, True]
    assert all("the run time is over (--run-time)" in error for _, error in told.values()), told
    kept = pgparity("report", "--from", state, "--format", "json").expect(ended.status)
    assert kept.report["ended_by"] == "run-time" and {"message": "the run time is over (--run-time)"} in kept.report["errors"], kept
    # Nothing stays behind, and the rest is compared later.
    for side in (sides.source, sides.target):
        side.cluster.wait_for(f"SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = '{side.name}' AND application_name LIKE 'pgparity%%'")
    sides.release()
    whole = pgparity("resume", "--format", "json", "--no-progress", "--state", state, "--source", sides.source.conninfo(), "--target", sides.target.conninfo())
    whole.expect(DIVERGENT if sides.data == "planted" else IDENTICAL)
    assert whole.report["state"]["tables_kept"] == (0 if sides.data == "nothing finished" else 2) and not whole.report["interrupted"]


def test_the_text_report_says_what_ended_the_run(sides):
    ended = pgparity("compare", "--no-progress", "--source", sides.source.conninfo(), "--target", sides.target.conninfo(), *sides.choice, "--run-time", "2s")
    last = ended.expect(STATUS[sides.data]).stdout.splitlines()[-1]
    assert last.startswith("result: ") and "ended by --run-time" in last
    assert "error: the run time is over (--run-time)" in ended.stdout.splitlines()


def test_time_that_suffices_changes_nothing(pair):
    pair.both(TABLES)
    arguments = [*TABLE_CHOICE, "--run-time", "10min"]
    assert "ended_by" not in pair.compare(*arguments).expect(IDENTICAL).report
    pair.target.execute("DELETE FROM first WHERE id = 7")
    pair.compare(*arguments).expect(DIVERGENT)


def test_time_that_is_over_while_the_catalogs_are_read(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    blocker = pair.target.connect()
    blocker.autocommit = False
    blocker.cursor().execute("LOCK TABLE pg_catalog.pg_class IN ACCESS EXCLUSIVE MODE")
    try:
        ended = pair.run("--run-time", "1s", "--lock-timeout", "0").expect(ERROR)
    finally:
        blocker.close()
    assert "the run time is over (--run-time)" in ended.stderr and not ended.stdout


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_has_the_status_of_what_was_compared(sides, signal_number):
    # The tests may run under nohup, where SIGHUP is ignored.
    process = popen("compare", "--format", "json", "--no-progress", "--source", sides.source.conninfo(), "--target", sides.target.conninfo(), *sides.choice,
                    preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))
    sides.source.cluster.wait_for(f"SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = '{sides.source.name}' AND wait_event = 'advisory'")
    process.send_signal(signal_number)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == STATUS[sides.data], (stdout, stderr)
    report = json.loads(stdout)
    check_what_was_compared(report, sides)
    assert report["ended_by"] == "signal" and "the run was interrupted" in stderr and report["exit_status"] == process.returncode


# ---- --fail-above ---------------------------------------------------------------------------------------------

# Ten tables of which the three that are begun last fail: views that divide by zero.
MANY = "".join(f"CREATE TABLE t{n} (id int PRIMARY KEY, v int); INSERT INTO t{n} SELECT g, g FROM generate_series(1, {10 * n}) g;" for n in range(1, 8)) + \
    "".join(f"CREATE VIEW bad{n} AS SELECT id, id / (id - 1) AS v FROM t7;" for n in range(3)) + "ANALYZE"
CHOICE = ["--table", "t*", *[argument for n in range(3) for argument in ("--table", f"bad{n}", "--key", f"bad{n}=id")], "--retry-for", "0"]


@pytest.fixture(params=[False, True], ids=["equal", "planted"])
def failing(request, pair):
    pair.both(MANY)
    if request.param:
        pair.target.execute("UPDATE t7 SET v = 0 WHERE id = 70")
    pair.planted = request.param
    return pair


@pytest.mark.parametrize("share,ends", [("0%", True), ("9.9%", True), ("10%", True), ("29%", True), ("30%", False), ("99%", False)])
def test_a_share_of_failures(failing, share, ends, tmp_path):
    """Three of ten tables fail. Where that is more than the share, nothing is concluded from the others, but from what differs."""
    state = str(tmp_path / "run.state")
    run = failing.compare(*CHOICE, "--fail-above", share, "--state", state)
    run.expect(DIVERGENT if failing.planted else ERROR if ends else INCOMPLETE)
    assert run.report.get("ended_by") == ("fail-above" if ends else None) and run.report["interrupted"] == ends
    assert run.report["result"] == ("divergent" if failing.planted else "error" if ends else "incomplete")
    assert findings(run.table("public.t7")) == ({mismatch("v", id="70")} if failing.planted else set())
    assert ("have failed, more than" in run.stderr) == ends
    if not ends:
        return
    assert {"message": "too much has failed (--fail-above)"} in run.report["errors"]
    for side in (failing.source, failing.target):
        side.execute("".join(f"CREATE OR REPLACE VIEW bad{n} AS SELECT id, id / (id + 1) AS v FROM t7;" for n in range(3)))
    whole = pgparity("resume", "--format", "json", "--state", state, "--source", failing.source.conninfo(), "--target", failing.target.conninfo(), "--fail-above", share)
    whole.expect(DIVERGENT if failing.planted else IDENTICAL)


@pytest.mark.parametrize("value", ["5", "0.05", "%", "-1%", "100%", "101%", "5 %", "five%", "nan%", "5%%", ""])
def test_what_is_no_share(pair, value):
    run = pair.run("--fail-above", value).expect(ERROR)
    assert f'invalid value "{value}" for --fail-above' in run.stderr and "a percent sign, as in 5%" in run.stderr


@pytest.mark.parametrize("value", ["4", "4 hours", "-1h", "", "4h30min"])
def test_what_is_no_time(pair, value):
    run = pair.run("--run-time", value).expect(ERROR)
    assert f'invalid value "{value}" for --run-time' in run.stderr
