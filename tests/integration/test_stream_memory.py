"""What the streaming engine takes of memory, and what it does with too little."""

import re

import pytest

from support.pgparity import DIVERGENT, ERROR, IDENTICAL, findings, mismatch, peak_memory_kib

STREAM = ("--engine", "stream")
ROWS = ("CREATE UNLOGGED TABLE t (id bigint PRIMARY KEY, a int, b text);"
        "INSERT INTO t SELECT n, n, 'value ' || n FROM generate_series(1, {}) n")


def peak_mb(pair, *arguments):
    status, peak = peak_memory_kib("compare", *STREAM, "--source", pair.source.conninfo(), "--target", pair.target.conninfo(), "--format", "json", *arguments)
    print(f"{peak} KiB")
    assert peak > 1024
    return status, peak / 1024


def least_limit(pair, *arguments):
    """The limit in MB that pgparity says is enough."""
    run = pair.compare(*STREAM, "--memory-limit", "1MB", *arguments).expect(ERROR)
    error, = run.report["errors"]
    found = re.search(r"--memory-limit (\d+)MB is enough", error["message"])
    assert found and "does not fit into the memory limit of 1 MB" in error["message"], error
    assert run.table()["result"] == "error"
    return int(found[1])


@pytest.mark.in_turn("memory")
def test_too_small_a_limit_names_one_that_is_enough(pair):
    pair.both(ROWS.format(3000))
    for arguments in ([], ["--ranges", "16384"], ["--width", "128", "--ranges", "16384"]):
        enough = least_limit(pair, *arguments)
        assert 64 <= enough <= 256
        pair.compare(*STREAM, "--memory-limit", f"{enough}MB", *arguments).expect(IDENTICAL)
        pair.compare(*STREAM, "--memory-limit", f"{enough - 1}MB", *arguments).expect(ERROR)
        pair.target.execute("UPDATE t SET a = -1 WHERE id = 77")
        assert findings(pair.compare(*STREAM, "--memory-limit", f"{enough}MB", *arguments).expect(DIVERGENT).table()) == {mismatch("a", id="77")}
        pair.target.execute("UPDATE t SET a = 77 WHERE id = 77")


@pytest.mark.in_turn("memory")
def test_a_small_limit_leaves_fewer_connections(pair):
    pair.both(ROWS.format(3000))
    enough = least_limit(pair)
    table = pair.compare(*STREAM, "--workers", "4", "--memory-limit", f"{enough}MB").expect(IDENTICAL).table()
    assert sorted(note for note in table["notes"] if "memory limit" in note) == [
        f"the memory limit of {enough} MB left room for 1 of 4 connections that read the {side}" for side in ("source", "target")]
    assert pair.compare(*STREAM, "--workers", "4", "--memory-limit", "1GB").expect(IDENTICAL).table()["notes"] == []
    pair.target.execute("UPDATE t SET a = -1 WHERE id = 77")
    for limit in (f"{enough}MB", "1GB"):
        table = pair.compare(*STREAM, "--workers", "4", "--memory-limit", limit).expect(DIVERGENT).table()
        assert findings(table) == {mismatch("a", id="77")} and any("memory limit" in note for note in table["notes"]) == (limit != "1GB")


@pytest.mark.in_turn("memory")
def test_finer_ranges_that_do_not_fit_are_done_without(pair):
    """The first pass fits; looking closer must not fail for want of memory."""
    pair.both(ROWS.format(400_000))
    pair.target.execute("UPDATE t SET a = -1 WHERE id IN (3, 250000)")
    enough = least_limit(pair)
    table = pair.compare(*STREAM, "--memory-limit", f"{enough}MB").expect(DIVERGENT).table()
    assert table["counts"]["mismatch"] == "2"


@pytest.mark.in_turn("memory")
def test_memory_stays_below_the_limit(pair):
    """Tables of several times the limit."""
    pair.both("CREATE UNLOGGED TABLE t (id bigint PRIMARY KEY, b text);"
              "ALTER TABLE t ALTER b SET STORAGE EXTERNAL; INSERT INTO t SELECT n, repeat(md5(n::text), 60) FROM generate_series(1, 200000) n")
    enough = least_limit(pair)
    assert pair.source.value("SELECT pg_table_size('t')") > 3 * enough << 20
    for limit in (enough, 2 * enough):
        status, peak = peak_mb(pair, "--workers", "3", "--memory-limit", f"{limit}MB")
        assert status == IDENTICAL and peak <= limit
    pair.target.execute("UPDATE t SET b = 'other' WHERE id = 77")
    status, peak = peak_mb(pair, "--workers", "3", "--memory-limit", f"{enough}MB")
    assert status == DIVERGENT and peak <= enough


@pytest.mark.parametrize("listed", ["1000", "0"])
@pytest.mark.repeated
def test_memory_with_all_rows_different(pair, listed):
    pair.both(ROWS.format(400_000))
    pair.target.execute("ALTER TABLE t RENAME TO o; CREATE UNLOGGED TABLE t AS SELECT id, a + 1 AS a, b || 'x' AS b FROM o; DROP TABLE o; ALTER TABLE t ADD PRIMARY KEY (id)")
    enough = least_limit(pair)
    status, peak = peak_mb(pair, "--max-divergences", listed, "--memory-limit", f"{enough}MB")
    assert status == DIVERGENT and peak <= enough


@pytest.mark.repeated
def test_memory_of_long_keys(pair):
    """Bounds are keys, and held with every division."""
    pair.both("CREATE UNLOGGED TABLE t (id text PRIMARY KEY, a int); INSERT INTO t SELECT repeat(md5(n::text), 30), n FROM generate_series(1, 100000) n")
    pair.target.execute("UPDATE t SET a = -1 WHERE a % 1000 = 0")
    enough = least_limit(pair, "--ranges", "8192")
    status, peak = peak_mb(pair, "--ranges", "8192", "--memory-limit", f"{enough}MB")
    assert status == DIVERGENT and peak <= enough


@pytest.mark.in_turn("memory")
def test_rows_longer_than_planned_are_said(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, repeat('x', n * 3000000) FROM generate_series(1, 3) n")
    notes = pair.compare(*STREAM).expect(IDENTICAL).table()["notes"]
    assert sorted(notes) == [f"a row on the {side} takes 9 MB; the memory limit plans for 1 MB a row" for side in ("source", "target")]
    pair.target.execute("UPDATE t SET v = overlay(v PLACING 'y' FROM 8000000) WHERE id = 3")
    table = pair.compare(*STREAM).expect(DIVERGENT).table()
    assert findings(table) == {mismatch("v", id="3")} and set(notes) <= set(table["notes"])


@pytest.mark.long
def test_memory_with_all_of_5_million_rows_different(pair):
    pair.both(ROWS.format(5_000_000))
    pair.target.execute("ALTER TABLE t RENAME TO o; CREATE UNLOGGED TABLE t AS SELECT id, a + 1 AS a, b || 'x' AS b FROM o; DROP TABLE o; ALTER TABLE t ADD PRIMARY KEY (id)")
    status, peak = peak_mb(pair, "--max-divergences", "0", "--memory-limit", "128MB")
    assert status == DIVERGENT and peak <= 128
