"""The first pass takes jsonb as it is stored where both sides keep it alike; whatever differs is looked at again."""

import re

import pytest
from conftest import Pair, insert_unindexed

from support.pgparity import DIVERGENT, IDENTICAL, findings, mismatch

MADE = ("CREATE TABLE t (id int PRIMARY KEY, j jsonb, v text); INSERT INTO t SELECT n, jsonb_build_object('n', n, 'price', n / 100.0), 'v' || n "
        "FROM generate_series(1, 40000) n; ANALYZE t")
OTHER_SCALES = "UPDATE t SET j = jsonb_set(j, '{price}', to_jsonb((j->>'price')::numeric(30, 25))) WHERE id % 1000 = 0"


def raw_requests(pair):
    """Lines of the source's log in which the form of the first pass was asked for."""
    return [line for line in pair.source.cluster.log().splitlines() if "jsonb_raw" in line]


@pytest.fixture
def logged(pair):
    for side in (pair.source, pair.target):
        side.execute(f"ALTER DATABASE {side.name} SET log_min_duration_statement = 0")
    return pair


def test_equal_tables_are_read_once_as_stored(logged):
    logged.both(MADE)
    before = len(raw_requests(logged))
    table = logged.compare("--verbose").expect(IDENTICAL).table()
    assert table["rows"]["source"] == "40000" and len(raw_requests(logged)) > before
    logged.target.execute("UPDATE t SET j = jsonb_set(j, '{n}', '0') WHERE id = 17")
    before = len(raw_requests(logged))
    table = logged.compare("--verbose").expect(DIVERGENT).table()
    assert findings(table) == {mismatch("j", id="17")} and len(raw_requests(logged)) > before


def test_other_scales_are_stored_otherwise_and_equal(pair):
    """1.5 and 1.50 are two stored trees and one document."""
    pair.both(MADE)
    pair.target.execute(OTHER_SCALES)
    assert pair.source.value("SELECT j::text FROM t WHERE id = 1000") != pair.target.value("SELECT j::text FROM t WHERE id = 1000")
    run = pair.compare("--verbose")
    run.expect(IDENTICAL)
    assert run.table()["ranges"]["divergent"] == 0 and re.search(r"rows of \d+ divergent buckets merged", run.stderr), run.stderr


@pytest.mark.in_turn("large tables")
def test_many_rows_that_are_stored_otherwise_are_digested_again(pair):
    pair.both(MADE.replace("40000", "120000"))
    pair.target.execute(OTHER_SCALES.partition(" WHERE ")[0])
    run = pair.compare("--verbose").expect(IDENTICAL)
    assert run.table()["ranges"]["divergent"] == 0 and "merged" not in run.stderr, run.stderr
    pair.target.execute("UPDATE t SET v = 'other' WHERE id IN (17, 119999)")
    table = pair.compare("--verbose").expect(DIVERGENT).table()
    assert findings(table) == {mismatch("v", id="17"), mismatch("v", id="119999")}
    assert table["ranges"]["divergent"] == 2


def test_effort_is_told(pair):
    pair.both(MADE)
    run = pair.compare("--verbose", "--workers", "0").expect(IDENTICAL)
    for side in ("source", "target"):
        assert re.search(rf"on the {side}: scan, 0 of 0 workers, \d+ pages, 40000 rows, \d+\.\d+ s", run.stderr), run.stderr
    pair.target.execute("UPDATE t SET v = 'other' WHERE id = 17")
    assert findings(pair.compare("--verbose", "--workers", "0").expect(DIVERGENT).table()) == {mismatch("v", id="17")}


def test_a_difference_among_other_scales_is_found(pair):
    pair.both(MADE)
    pair.target.execute(OTHER_SCALES)
    pair.target.execute("UPDATE t SET j = jsonb_set(j, '{n}', '0') WHERE id = 17; UPDATE t SET v = 'other' WHERE id = 39999")
    table = pair.compare().expect(DIVERGENT).table()
    assert findings(table) == {mismatch("j", id="17"), mismatch("v", id="39999")}
    assert table["ranges"]["divergent"] == 2


def test_rows_that_an_index_lacks_show_whatever_was_digested(pair):
    """Rows of a bucket are read through the index. Under other forms than those of the first pass, the keys tell that it has not all of the range."""
    pair.both(MADE)
    pair.target.execute("INSERT INTO t VALUES (50000, '{}', 'everywhere')")
    insert_unindexed(pair.source, "(50000, '{}', 'everywhere')")
    pair.target.execute(OTHER_SCALES.replace("id % 1000 = 0", "id = 39990"))
    table = pair.compare().expect(IDENTICAL).table()
    assert table["notes"] == ["an index of the key does not agree with the table on source: it is corrupt; rows were read without it"]
    pair.target.execute("UPDATE t SET v = 'other' WHERE id = 50000")
    assert findings(pair.compare().expect(DIVERGENT).table()) == {mismatch("v", id="50000")}


def test_a_server_without_memory_for_buckets_does_without(pair):
    pair.both(MADE)
    pair.target.execute(f"ALTER DATABASE {pair.target.name} SET parity.max_digest_memory = '64kB'")
    pair.target.execute("UPDATE t SET v = 'other' WHERE id IN (17, 39999)")
    run = pair.compare("--verbose", "--ranges", "200", "--workers", "0").expect(DIVERGENT)
    assert findings(run.table()) == {mismatch("v", id="17"), mismatch("v", id="39999")}
    assert "rows of 2 divergent ranges merged" in run.stderr, run.stderr


def test_other_encodings_have_none(source_cluster, target_cluster):
    source, target = source_cluster.create_database(), target_cluster.create_database(options="ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        for side in (source, target):
            side.execute("CREATE TABLE t (id int PRIMARY KEY, j jsonb); INSERT INTO t SELECT n, jsonb_build_object(U&'gr\\00f6\\00dfe', n) FROM generate_series(1, 100) n")
        run = Pair(source, target).compare().expect(IDENTICAL)
        assert run.table()["rows"]["source"] == "100"
        # the same stored bytes, and other characters
        for side, text in ((source, "\\00f6"), (target, "\\00c3\\00b6")):
            side.execute(f"CREATE TABLE u (id int PRIMARY KEY, j jsonb); INSERT INTO u VALUES (17, jsonb_build_object('v', U&'{text}'))")
        assert findings(Pair(source, target).compare("--table", "u").expect(DIVERGENT).table()) == {mismatch("j", id="17")}
    finally:
        source_cluster.drop_database(source)
        target_cluster.drop_database(target)


def test_a_table_without_a_key_has_none(pair):
    pair.both("CREATE TABLE t (j jsonb); INSERT INTO t SELECT jsonb_build_object('n', n / 10.0) FROM generate_series(1, 500) n")
    pair.target.execute("UPDATE t SET j = jsonb_set(j, '{n}', to_jsonb((j->>'n')::numeric(30, 25)))")
    pair.compare().expect(IDENTICAL)
    pair.target.execute("DELETE FROM t WHERE j->'n' = '7.7'")
    found, = pair.compare().expect(DIVERGENT).table()["divergences"]
    assert (found["kind"], found["row"]) == ("missing_on_target", {"j": '{"n": 7.7}'})
