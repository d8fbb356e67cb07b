"""Materialized views that have no data, and tables that have no columns; pgparity and parity.verify_schema."""

import pytest

from support.pgparity import DIVERGENT, IDENTICAL
from support.verified import Verified

pytestmark = [pytest.mark.every_engine, pytest.mark.matrix(sample=1)]

VIEW = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2); CREATE MATERIALIZED VIEW m AS SELECT id FROM t WITH NO DATA"


@pytest.mark.parametrize("chosen", [[], ["--table", "m"]], ids=["whole run", "named"])
def test_views_without_data_on_both_sides_are_alike(pair, chosen):
    pair.both(VIEW)
    table = pair.compare(*chosen).expect(IDENTICAL).table("public.m")
    assert table["result"] == "identical" and any("neither side" in note for note in table["notes"])
    pair.both("REFRESH MATERIALIZED VIEW m")
    pair.compare(*chosen).expect(IDENTICAL)
    pair.target.execute("INSERT INTO t VALUES (3); REFRESH MATERIALIZED VIEW m; DELETE FROM t WHERE id = 3")
    run = pair.compare(*chosen).expect(DIVERGENT)
    assert run.table("public.m")["counts"]["missing_on_source"] == "1"


@pytest.mark.parametrize("filled", ["source", "target"])
def test_a_view_that_one_side_has_filled(pair, filled):
    pair.both(VIEW)
    getattr(pair, filled).execute("REFRESH MATERIALIZED VIEW m")
    run = pair.compare().expect(DIVERGENT)
    assert run.report["incomplete"] is True
    assert {"severity": "divergence", "object": "public.m", "message": f"materialized view populated only on {filled}"} \
        in run.report["schema_differences"]
    assert run.table("public.t")["result"] == "identical"


def test_columns_of_views_without_data(pair):
    pair.source.execute("CREATE MATERIALIZED VIEW m AS SELECT 1 AS a WITH NO DATA")
    pair.target.execute("CREATE MATERIALIZED VIEW m AS SELECT 1 AS a, 2 AS b WITH NO DATA")
    run = pair.compare().expect(DIVERGENT)
    assert any("column exists only on target" in d["message"] for d in run.report["schema_differences"])


@pytest.mark.parametrize("path", ["scan", "partitions"])
def test_tables_without_columns_are_counted(pair, path):
    if path == "scan":
        pair.both("CREATE TABLE t (); INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES")
    else:
        pair.both("CREATE TABLE t (gone int); CREATE TABLE child () INHERITS (t); INSERT INTO t VALUES (1), (2); INSERT INTO child VALUES (3);"
                  "ALTER TABLE t DROP gone")
    run = pair.compare("--table", "t").expect(IDENTICAL)
    assert sum(int(table["rows"]["source"]) for table in run.report["tables"]) == 3
    pair.target.execute("INSERT INTO t DEFAULT VALUES")
    table = pair.compare("--table", "t").expect(DIVERGENT).table("public.t")
    assert table["counts"] == {"mismatch": "0", "missing_on_target": "0", "missing_on_source": "1"}


@pytest.mark.extension_only
def test_functions_count_rows_without_columns(pair):
    for database in ("source", "target"):
        getattr(pair, database).execute("CREATE TABLE t (); INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES")
    query = "SELECT row_count, row_digest::text FROM parity.range_digests('t', path => '{}')"
    scanned, aggregated = (pair.source.query(query.format(path)) for path in ("scan", "aggregate"))
    assert scanned == aggregated == pair.target.query(query.format("scan")) and sum(row[0] for row in scanned) == 2
    assert pair.source.value("SELECT sum(occurrence) FROM (SELECT 1 AS occurrence FROM parity.row_digests('t')) r") == 2


@pytest.mark.extension_only
def test_verify_takes_views_without_data_as_alike(pair):
    """Every night: no view that nobody fills makes the result of the others less."""
    made = Verified(pair.source, pair.target)
    pair.both(VIEW)
    made.make_server()

    def nightly():
        result = made.verify(procedure="verify_schema")
        return result, dict(pair.source.query("SELECT relation, status::text FROM parity.run_table WHERE run_id = (SELECT max(id) FROM parity.run)"))
    assert nightly() == ("identical", {"public.m": "identical", "public.t": "identical"})
    assert made.verify("m") == "identical" and made.part["message"] == "the materialized view is populated on neither side"
    pair.target.execute("DELETE FROM t WHERE id = 2")
    assert nightly() == ("divergent", {"public.m": "identical", "public.t": "divergent"})
    pair.target.execute("INSERT INTO t VALUES (2)")
    for here, there in ((pair.source, "on the target"), (pair.target, "here")):
        here.execute("REFRESH MATERIALIZED VIEW m")
        assert nightly() == ("failed", {"public.m": "failed", "public.t": "identical"})
        part, = pair.source.query("SELECT message, sqlstate FROM parity.run_table WHERE relation = 'public.m' ORDER BY id DESC LIMIT 1")
        assert part == (f"materialized view public.m is not populated {there}", "55000")
        here.execute("REFRESH MATERIALIZED VIEW m WITH NO DATA")
    pair.both("REFRESH MATERIALIZED VIEW m")
    assert nightly() == ("identical", {"public.m": "identical", "public.t": "identical"})
    pair.target.execute("INSERT INTO t VALUES (3); REFRESH MATERIALIZED VIEW m; DELETE FROM t WHERE id = 3")
    assert nightly() == ("divergent", {"public.m": "divergent", "public.t": "identical"})


@pytest.mark.extension_only
def test_verify_tells_of_columns_of_views_without_data(pair):
    made = Verified(pair.source, pair.target)
    pair.source.execute("CREATE MATERIALIZED VIEW m AS SELECT 1 AS a WITH NO DATA")
    pair.target.execute("CREATE MATERIALIZED VIEW m AS SELECT 1 AS a, 2 AS b WITH NO DATA")
    made.make_server()
    assert made.verify("m") == "incomplete" and "populated on neither side" in made.part["message"] and "b was not compared" in made.part["message"]
