"""--where means one thing: what a query of the named table gives, whichever engine reads it, and whatever indexes there are. So does the filter of
parity.verify and of a baseline."""

import pytest

from conftest import insert_unindexed
from support.pgparity import DIVERGENT, IDENTICAL, findings, mismatch, missing_on_target
from support.verified import Verified

pytestmark = pytest.mark.matrix(sample=1)

ENGINES = ["extension", "stream"]
PARTITIONED = ("CREATE TABLE ev (id int, s int, v text, PRIMARY KEY (id, s)) PARTITION BY LIST (s); CREATE TABLE ev0 PARTITION OF ev FOR VALUES IN (0);"
               "CREATE TABLE ev1 PARTITION OF ev FOR VALUES IN (1); INSERT INTO ev SELECT i, i % 2, 'v' || i FROM generate_series(1, 400) AS i")
# 50 rows of ev1, in the partition that they do not belong to.
MISPLACED = ("ALTER TABLE ev DETACH PARTITION ev0; INSERT INTO ev0 SELECT * FROM ev1 WHERE id <= 100; DELETE FROM ev1 WHERE id <= 100;"
             "ALTER TABLE ev0 ADD CONSTRAINT x CHECK (s IS NOT NULL AND s = 0) NOT VALID; UPDATE pg_constraint SET convalidated = true WHERE conname = 'x';"
             "ALTER TABLE ev ATTACH PARTITION ev0 FOR VALUES IN (0)")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("ranges", ["1", "10"])
def test_rows_in_a_partition_that_the_condition_leaves_out(pair, engine, ranges):
    pair.both(PARTITIONED)
    pair.target.execute(MISPLACED)
    arguments = ["--engine", engine, "--table", "ev", "--ranges", ranges]
    run = pair.compare(*arguments, "--where", "s = 1").expect(DIVERGENT)
    assert findings(run.table()) == {missing_on_target(id=str(n), s="1") for n in range(1, 100, 2)}
    run = pair.compare(*arguments, "--where", "s + 0 = 1").expect(IDENTICAL)  # nothing is left out by that
    assert run.table()["rows"]["source"] == "200"
    misplaced = "50 rows on target are in partitions whose bounds exclude them"
    notes = run.table()["notes"] + pair.compare(*arguments).expect(IDENTICAL).table()["notes"]
    assert [note.split(":")[0] for note in notes] == [misplaced, misplaced]
    pair.target.execute(f"DROP TABLE ev; {PARTITIONED}; UPDATE ev SET v = 'other' WHERE id IN (7, 8); {MISPLACED}")
    run = pair.compare(*arguments, "--where", "s + 0 = 1").expect(DIVERGENT)  # the values of 7 may not be found by its key
    assert {f[:2] for f in findings(run.table())} == {mismatch("v", id="7", s="1")[:2]}
    run = pair.compare(*arguments).expect(DIVERGENT)
    assert findings(run.table()) == {mismatch("v", id="7", s="1"), mismatch("v", id="8", s="0")}


@pytest.mark.parametrize("engine", ENGINES)
def test_settings_do_not_change_what_is_left_out(pair, engine):
    pair.both(PARTITIONED)
    pair.target.execute(MISPLACED)
    for side, setting in ((pair.source, "enable_partition_pruning = off"), (pair.target, "constraint_exclusion = on")):
        side.execute(f"ALTER DATABASE {side.name} SET {setting}")
    arguments = ["--engine", engine, "--table", "ev", "--ranges", "10"]
    assert len(findings(pair.compare(*arguments, "--where", "s = 1").expect(DIVERGENT).table())) == 50
    pair.compare(*arguments).expect(IDENTICAL)
    pair.target.execute("UPDATE ev1 SET v = 'other' WHERE id = 301")
    assert findings(pair.compare(*arguments).expect(DIVERGENT).table()) == {mismatch("v", id="301", s="1")}


INDEXED = "CREATE TABLE t (id text PRIMARY KEY, v int, body text); INSERT INTO t SELECT 'k' || lpad(n::text, 6, '0'), n, 'x' FROM generate_series(1, 4000) n; ANALYZE t"
LACKING = ", ".join(f"('k{n:06}', {n}, 'x')" for n in range(2001, 2031))


BETWEEN = "id BETWEEN 'k002000' AND 'k002031'"
CORRUPT = "an index that serves the filter does not agree with the table"


def lose_rows_of_index(database):
    """Thirty rows are in the table and not in its index."""
    database.execute("DELETE FROM t WHERE v BETWEEN 2001 AND 2030")
    database.execute("VACUUM t")
    insert_unindexed(database, LACKING)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("side", ["source", "target"])
def test_an_index_that_lacks_rows_under_a_condition(pair, engine, side):
    pair.both(INDEXED)
    lose_rows_of_index(getattr(pair, side))
    arguments = ["--engine", engine, "--where", BETWEEN]
    table = pair.compare(*arguments).expect(IDENTICAL).table()
    assert table["rows"] == {"source": "32", "target": "32"}
    note, = table["notes"]
    assert f"does not agree with the table on {side}" in note
    pair.target.execute("SET enable_indexscan = off; SET enable_bitmapscan = off; UPDATE t SET body = 'other' WHERE v IN (77, 2010, 2031)")
    table = pair.compare(*arguments).expect(DIVERGENT).table()
    assert findings(table) == {mismatch("body", id="k002010"), mismatch("body", id="k002031")}
    assert note in table["notes"]


@pytest.mark.parametrize("engine", ENGINES)
def test_an_index_that_is_right_has_no_note(pair, engine):
    pair.both(INDEXED)
    pair.target.execute("UPDATE t SET body = 'other' WHERE v = 2010")
    table = pair.compare("--engine", engine, "--where", BETWEEN).expect(DIVERGENT).table()
    assert findings(table) == {mismatch("body", id="k002010")} and not table.get("notes")


def plant_without_index(database, *values):
    database.execute(f"SET enable_indexscan = off; SET enable_bitmapscan = off; UPDATE t SET body = 'other' WHERE v IN ({', '.join(map(str, values))});"
                     "RESET enable_indexscan; RESET enable_bitmapscan")


@pytest.mark.extension_only
@pytest.mark.parametrize("side", ["source", "target"])
def test_verify_reads_what_an_index_lacks_under_a_filter(pair, side):
    pair.both(INDEXED)
    made = Verified(pair.source, pair.target)
    made.make_server()
    lose_rows_of_index(getattr(pair, side))
    assert made.verify(filter=BETWEEN) == "identical", made.part["message"]
    assert made.part["source_rows"] == made.part["target_rows"] == 32
    assert made.part["message"].startswith(f"{CORRUPT} on {side}")
    plant_without_index(pair.target, 77, 2010)
    for options in ({}, {"with_values": True}, {"ranges": 1}):
        assert made.verify(filter=BETWEEN, **options) == "divergent"
        assert made.divergences() == [("mismatch", {"id": "k002010"}, ["body"])] and made.part["divergent_rows"] == 1
        assert made.part["message"].startswith(f"{CORRUPT} on {side}")
    assert made.verify(filter=BETWEEN, max_rows=0) == "divergent"
    assert [kind for kind, _, _ in made.divergences()] == ["range"] and made.part["divergent_columns"] == ["body"]
    pair.both("REINDEX TABLE t")
    assert made.verify(filter=BETWEEN) == "divergent" and made.part["message"] is None


def baseline(database, **options):
    with database.connection.cursor() as cursor:
        cursor.execute(f"CALL parity.verify_baseline('t', 'closed'{''.join(f', {name} => %s' for name in options)})", list(options.values()))
        result = cursor.fetchone()[1]
    return result, *database.query("SELECT divergent_ranges, source_rows, message FROM parity.run_table ORDER BY id DESC LIMIT 1")[0]


@pytest.mark.extension_only
def test_a_baseline_of_a_filter_has_the_rows_that_an_index_lacks(pair):
    """Neither an index that loses rows nor one that is made anew changes the table."""
    source = pair.source
    source.execute(INDEXED)
    capture = f"SELECT captured_rows FROM parity.capture('t', 'closed', ranges => 100, filter => $$ {BETWEEN} $$, replace => true)"
    assert source.value(capture) == 32 and baseline(source) == ("identical", 0, 32, None)
    lose_rows_of_index(source)
    for options in ({}, {"allow_appends": True}):
        assert baseline(source, **options) == ("identical", 0, 32, None)
    assert source.value(capture) == 32
    source.execute("REINDEX TABLE t")
    assert baseline(source) == ("identical", 0, 32, None)
    lose_rows_of_index(source)
    plant_without_index(source, 77, 2010)
    assert baseline(source) == ("divergent", 1, 32, None)
    source.execute("REINDEX TABLE t")
    assert baseline(source) == ("divergent", 1, 32, None)


@pytest.mark.extension_only
@pytest.mark.parametrize("options", [{}, {"allow_appends": True}])
def test_a_baseline_of_a_filter_finds_rows_that_came_without_an_index(pair, options):
    source = pair.source
    source.execute(f"{INDEXED}; DELETE FROM t WHERE v BETWEEN 2001 AND 2030")
    capture = f"SELECT captured_rows FROM parity.capture('t', 'closed', filter => $$ {BETWEEN} $$)"
    assert source.value(capture) == 2 and baseline(source, **options) == ("identical", 0, 2, None)
    insert_unindexed(source, LACKING)
    result, differing, rows, message = baseline(source, **options)
    assert (result, differing, rows, message) == ("divergent", 1, 32, "32 rows now, 2 captured")
