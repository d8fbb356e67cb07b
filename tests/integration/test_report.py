"""The report: JSON against its schema, text, files, limits, the plan, progress."""

import json
import os
import pty
import re
import signal
import subprocess
import termios

import pytest

from support.cluster import clean_environment
from support.pgparity import DIVERGENT, IDENTICAL, PGPARITY, findings, mismatch, missing_on_source, missing_on_target, pgparity

pytestmark = pytest.mark.matrix(sample=1)

ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, amount numeric(10,2), note text); INSERT INTO orders SELECT n, n, 'note ' || n FROM generate_series(1, 2000) n"


def planted(pair):
    pair.both(ORDERS)
    pair.both("CREATE TABLE same (id int PRIMARY KEY)")
    pair.target.execute("UPDATE orders SET amount = 2.50 WHERE id = 17; DELETE FROM orders WHERE id = 18; INSERT INTO orders VALUES (5000, 1, NULL);"
                        "UPDATE orders SET amount = NULL, note = E'two\\nlines\\tand \"quotes\"' WHERE id = 19")


def test_json(pair):
    planted(pair)
    run = pair.compare().expect(DIVERGENT)
    report = run.report
    assert report["tool"] == "pgparity" and report["schema_version"] == 1 and report["format_version"] == 1
    assert report["version"] == pgparity("--version").stdout.split()[1]
    assert report["result"] == "divergent" and report["incomplete"] is False and report["errors"] == []
    for side in ("source", "target"):
        assert report[side]["server_version"].startswith("15")
        assert re.fullmatch(r"[0-9A-F]+/[0-9A-F]+", report[side]["lsn"])
        assert report[side]["system_identifier"].isdigit()
    assert report["source"]["system_identifier"] != report["target"]["system_identifier"]
    table = run.table("public.orders")
    assert findings(table) == {mismatch("amount", id="17"), missing_on_target(id="18"), missing_on_source(id="5000"), mismatch(["amount", "note"], id="19")}
    by_key = {d["key"]["id"]: d for d in table["divergences"]}
    assert by_key["17"]["source"] == {"amount": "17.00"} and by_key["17"]["target"] == {"amount": "2.50"}
    assert by_key["19"]["target"] == {"amount": None, "note": 'two\nlines\tand "quotes"'}
    assert table["counts"] == {"mismatch": "2", "missing_on_target": "1", "missing_on_source": "1"}
    assert {c["name"]: (c["form"], c["divergent"]) for c in table["columns"]} == {"amount": ("decimal", True), "note": ("text", True)}
    assert run.table("public.same")["result"] == "identical"


def test_findings_on_stdout_everything_else_on_stderr(pair):
    planted(pair)
    run = pair.run("--verbose").expect(DIVERGENT)
    for word in ("orders", "17", "18", "5000", "amount", "2.50"):
        assert word in run.stdout, word
    assert run.stderr.strip()
    quiet = pair.run("--no-progress").expect(DIVERGENT)
    assert quiet.stdout and "\x1b" not in quiet.stdout and "\r" not in quiet.stderr


def test_output_file(pair, tmp_path):
    planted(pair)
    file = tmp_path / "report.json"
    run = pair.compare("--output", str(file)).expect(DIVERGENT)
    assert run.stdout == ""
    run.stdout = file.read_text()
    assert len(run.table("public.orders")["divergences"]) == 4
    file.write_text("x" * 100000)
    pair.run("--output", str(file), "--format", "text").expect(DIVERGENT)
    assert "xxx" not in file.read_text() and "orders" in file.read_text()


def test_max_divergences_caps_the_listing_and_not_the_counts(pair):
    pair.both(ORDERS)
    pair.target.execute("UPDATE orders SET note = 'x' WHERE id % 2 = 0")
    run = pair.compare("--max-divergences", "10").expect(DIVERGENT)
    table = run.table()
    assert len(table["divergences"]) == 10
    assert table["counts"]["mismatch"] == "1000"
    assert re.search(r"10\b.*1,?000|1,?000.*\b10\b", pair.run("--max-divergences", "10").expect(DIVERGENT).stdout), "the cap is not told"
    assert len(pair.compare("--max-divergences", "0").expect(DIVERGENT).table()["divergences"]) == 1000
    assert len(pair.compare("--max-divergences", "1").expect(DIVERGENT).table()["divergences"]) == 1


def test_dry_run_reads_no_table(pair):
    pair.both(ORDERS)
    pair.both("CREATE TABLE keyless (v int); CREATE EXTENSION cube; CREATE TABLE odd (id int PRIMARY KEY, p cube); ANALYZE orders")
    pair.target.execute("UPDATE orders SET note = 'x' WHERE id = 1")
    logs = len(pair.source.cluster.log())
    pair.source.execute(f'ALTER DATABASE "{pair.source.name}" SET log_statement = \'all\'')
    run = pair.run("--dry-run").expect(IDENTICAL)
    for word in ("public.orders", "public.keyless", "id", "amount", "decimal", "scan", "2000", "cube"):
        assert word in run.stdout, word
    assert "range_digests" not in pair.source.cluster.log()[logs:]
    run = pair.compare("--dry-run").expect(IDENTICAL)
    assert run.report


def test_text_of_identical_tables_is_short(pair):
    pair.both(ORDERS)
    run = pair.run().expect(IDENTICAL)
    assert "identical" in run.stdout and len(run.stdout.splitlines()) < 25
    pair.target.execute("UPDATE orders SET note = 'x' WHERE id = 17")
    assert "public.orders: divergent" in pair.run().expect(DIVERGENT).stdout


def test_runs_use_seeds_of_their_own(pair):
    pair.both(ORDERS)
    seeds = {pair.compare().expect(IDENTICAL).report["seed"] for _ in range(3)}
    assert len(seeds) == 3
    assert pair.compare("--seed", "1").expect(IDENTICAL).report["seed"] == "1"
    pair.target.execute("UPDATE orders SET note = 'x' WHERE id = 17")
    for seed in ([], ["--seed", "1"]):
        assert findings(pair.compare(*seed).expect(DIVERGENT).table()) == {mismatch("note", id="17")}


def run_on_a_terminal(pair, *arguments):
    """Runs pgparity with a tty for standard error: its status, its standard output and what the terminal got."""
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (25, 150))
    process = subprocess.Popen([PGPARITY, "compare", "--source", pair.source.conninfo(), "--target", pair.target.conninfo(), *arguments],
                               stdin=follower, stdout=subprocess.PIPE, stderr=follower, env=clean_environment(TERM="xterm"))
    os.close(follower)
    shown = b""
    while True:
        try:
            data = os.read(leader, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data
    os.close(leader)
    stdout = process.stdout.read()
    return process.wait(timeout=60), stdout, shown


def test_progress_on_a_terminal(pair):
    """A bar that is redrawn on a tty; nothing of the kind in a pipe."""
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, repeat('x', 200) FROM generate_series(1, 500000) n")
    status, stdout, shown = run_on_a_terminal(pair, "--workers", "0")
    assert status == IDENTICAL, shown
    assert b"\r" in shown.replace(b"\r\n", b"\n"), shown
    assert b"0 of 1 tables" in shown, shown
    assert b"identical" in stdout
    piped = pair.run().expect(IDENTICAL)
    assert "\r" not in piped.stderr and "\x1b" not in piped.stderr
    pair.target.execute("UPDATE t SET v = 'y' WHERE id = 17")
    status, stdout, shown = run_on_a_terminal(pair, "--workers", "0")
    assert status == DIVERGENT and b"0 of 1 tables" in shown and b"divergent" in stdout, shown


def test_progress_while_rows_that_differ_are_looked_for(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, n FROM generate_series(1, 200000) n")
    pair.target.execute("UPDATE t SET v = v + 1")
    status, _, shown = run_on_a_terminal(pair, "--max-divergences", "1")
    assert status == DIVERGENT, shown
    assert re.search(rb"public\.t: [1-9][0-9.]* ?k? differing rows", shown), shown


def test_progress_while_values_are_fetched(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT n, n FROM generate_series(1, 100000) n")
    pair.target.execute("UPDATE t SET v = v + 1")
    status, _, shown = run_on_a_terminal(pair, "--max-divergences", "50000", "--output", "/dev/null")
    assert status == DIVERGENT, shown
    assert re.search(rb"public\.t: 100\.0 k differing rows, [0-9]+ % of their values", shown), shown


def test_progress_names_what_tells_nothing_itself(pair):
    """A view is read in one query, which says nothing before its end."""
    pair.both("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000); ANALYZE t; CREATE VIEW v AS SELECT id FROM t LIMIT 10")
    status, _, shown = run_on_a_terminal(pair, "--table", "t", "--table", "v", "--key", "id")
    assert status == IDENTICAL, shown
    assert re.search(rb"%, public\.v, [0-9:]+, 1 of 2 tables", shown), shown
    pair.target.execute("DELETE FROM t WHERE id = 1")
    status, stdout, shown = run_on_a_terminal(pair, "--table", "t", "--table", "v", "--key", "id")
    assert status == DIVERGENT and b"public.t: divergent" in stdout, (stdout, shown)


def test_an_interrupted_run_tells_which_tables_were_never_begun(pair, tmp_path):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, repeat('x', 500) FROM generate_series(1, 1000) n; CREATE TABLE u (id int PRIMARY KEY); "
              "CREATE FUNCTION slow(int) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM pg_catalog.pg_sleep(0.1); RETURN true; END'")
    file = tmp_path / "run.json"
    process = subprocess.Popen([PGPARITY, "compare", "--source", pair.source.conninfo(), "--target", pair.target.conninfo(), "--where", "public.slow(id)",
                                "--format", "json", "--output", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment())
    pair.source.cluster.wait_for("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 2
    report = json.loads(file.read_text())
    assert report["interrupted"] and {table["source"]: table.get("never_begun", False) for table in report["tables"]} == {"public.t": False, "public.u": True}
    assert ": 0 tables compared, 1 failed, 1 never begun; " in pgparity("report", "--from", str(file)).expect(2).stdout


def test_application_name_tells_what_runs(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT id, pg_sleep(0.3)::text AS s, current_setting('application_name') AS who FROM t")
    pair.target.execute("CREATE OR REPLACE VIEW v AS SELECT id, pg_sleep(0.3)::text AS s, 'x' AS who FROM t")
    table = pair.compare("--table", "public.v", "--key", "id").expect(DIVERGENT).table()
    assert table["divergences"][0]["source"]["who"].startswith("pgparity")


@pytest.mark.parametrize("engine", ["extension", "stream"])
def test_nothing_is_compiled(pair, engine):
    pair.source.execute(f"ALTER DATABASE {pair.source.name} SET jit = on; CREATE VIEW v AS SELECT 1 AS id, current_setting('jit') AS jit")
    pair.target.execute("CREATE VIEW v AS SELECT 1 AS id, 'off'::text AS jit")
    pair.compare("--engine", engine, "--table", "v", "--key", "id").expect(IDENTICAL)
    pair.target.execute("CREATE OR REPLACE VIEW v AS SELECT 1 AS id, 'on'::text AS jit")
    assert findings(pair.compare("--engine", engine, "--table", "v", "--key", "id").expect(DIVERGENT).table()) == {mismatch("jit", id="1")}


@pytest.mark.parametrize("engine", ["extension", "stream"])
def test_long_values_are_cut_in_reports(pair, engine):
    """The beginning and the length; a value at the limit is whole, and characters are not cut in two."""
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v text, w bytea)")
    pair.source.execute("INSERT INTO t VALUES (1, repeat('x', 65536), '\\x00'), (2, repeat(U&'\\20AC', 21846), NULL), (3, 'a', convert_to(repeat('y', 40000), 'UTF8'))")
    pair.target.execute("INSERT INTO t VALUES (1, 'other', '\\x00'), (2, 'other', NULL), (3, 'a', '\\x')")
    run = pair.compare("--engine", engine).expect(DIVERGENT)
    shown = {found["key"]["id"]: found["source"] for found in run.table()["divergences"]}
    assert shown["1"] == {"v": "x" * 65536}
    assert shown["2"] == {"v": {"beginning": "€" * 16384, "length": 65538}}
    assert shown["3"] == {"w": {"beginning": "\\x" + "79" * 8191, "length": 80002}}
    assert "(65538 bytes)" in pair.run("--engine", engine).stdout
