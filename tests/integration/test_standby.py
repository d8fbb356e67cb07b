"""A hot standby as a side: what it does not have, and what its replay does to those who read it."""

import contextlib
import json

import jsonschema
import pytest

from conftest import SCHEMA
from support.cluster import Cluster
from support.pgparity import DIVERGENT, IDENTICAL, INCOMPLETE, pgparity

ENGINES = ["extension", "stream"]


def compare(source, target, *arguments, **options):
    """pgparity between two connection strings, with a JSON report that is as its schema says."""
    run = pgparity("compare", "--format", "json", "--source", source, "--target", target, *arguments, **options)
    if run.stdout:
        jsonschema.validate(run.report, json.loads(SCHEMA.read_text()))
    return run


@contextlib.contextmanager
def copied(source_cluster, standby, sql):
    """A database of the primary, and its copy."""
    database = source_cluster.create_database()
    database.execute(sql)
    standby.catch_up()
    copy = standby.database(database.name)
    try:
        yield database, copy
    finally:
        copy.close()
        source_cluster.drop_database(database)


# ---- what is not replicated --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def standby(source_cluster):
    with Cluster("standby", standby_of=source_cluster) as cluster:
        yield cluster


UNLOGGED = """CREATE TABLE orders (id serial PRIMARY KEY, v int); INSERT INTO orders (v) SELECT n FROM generate_series(1, 100) n;
    CREATE UNLOGGED TABLE sessions (id serial PRIMARY KEY, v text); INSERT INTO sessions (v) VALUES ('a')"""
REASON = "table public.sessions: unlogged, its rows are not replicated to the {}, which is in recovery"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("role", ["source", "target"])
def test_unlogged_tables_are_left_out(source_cluster, target_cluster, standby, engine, role):
    """By what they are, a standby does not have their rows: that is no reason for an alarm, unless somebody asks for just them."""
    unlogged_sequences = standby.installation.major >= 15
    with copied(source_cluster, standby, UNLOGGED) as (primary, copy):
        sides = [copy.conninfo(), primary.conninfo()] if role == "source" else [primary.conninfo(), copy.conninfo()]
        run = compare(*sides, "--engine", engine).expect(IDENTICAL)
        assert [t["source"] for t in run.report["tables"]] == ["public.orders"]
        assert REASON.format(role) in run.report["not_compared"]
        left_out = f"sequence public.sessions_id_seq: unlogged, its value is not replicated to the {role}, which is in recovery"
        assert (left_out in run.report["not_compared"]) == unlogged_sequences
        assert [s["source"] for s in run.report["sequences"]] == ["public.orders_id_seq"] + ["public.sessions_id_seq"] * (not unlogged_sequences)
        assert REASON.format(role) in pgparity("compare", "--source", sides[0], "--target", sides[1]).stdout
        assert REASON.format(role) in compare(*sides, "--engine", engine, "--dry-run").report["not_compared"]

        run = compare(*sides, "--engine", engine, "--table", "public.sessions", "--table", "orders").expect(INCOMPLETE)
        assert run.table("public.sessions")["skipped"] == [f"unlogged: its rows are not replicated to the {role}, which is in recovery"]
        compare(*sides, "--engine", engine, "--table", "public.*").expect(IDENTICAL)

        # a replica that differs, against the same standby
        other = target_cluster.create_database()
        try:
            other.execute(UNLOGGED + "; UPDATE orders SET v = 0 WHERE id = 3")
            against = [copy.conninfo(), other.conninfo()] if role == "source" else [other.conninfo(), copy.conninfo()]
            run = compare(*against, "--engine", engine, "--no-sequences").expect(DIVERGENT)
            assert run.table("public.orders")["result"] == "divergent" and REASON.format(role) in run.report["not_compared"]
        finally:
            target_cluster.drop_database(other)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_table_with_an_unlogged_partition_is_incomplete(source_cluster, standby, engine):
    with copied(source_cluster, standby, """CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id);
            CREATE TABLE kept PARTITION OF t FOR VALUES FROM (0) TO (10); CREATE UNLOGGED TABLE lost PARTITION OF t FOR VALUES FROM (10) TO (20);
            INSERT INTO t SELECT n FROM generate_series(0, 19) n; CREATE TABLE other (id int PRIMARY KEY)""") as (primary, copy):
        run = compare(primary.conninfo(), copy.conninfo(), "--engine", engine).expect(INCOMPLETE)
        assert "a part of it is unlogged" in run.table("public.t")["skipped"][0] and run.table("public.other")["result"] == "identical"
        run = compare(primary.conninfo(), copy.conninfo(), "--engine", engine, "--exclude-table", "t").expect(IDENTICAL)
        assert sorted(t["source"] for t in run.report["tables"]) == ["public.kept", "public.other"]
        assert any(s.startswith("table public.lost: unlogged") for s in run.report["not_compared"])


def test_nothing_but_unlogged_tables_is_no_answer(source_cluster, standby):
    with copied(source_cluster, standby, "CREATE UNLOGGED TABLE sessions (id int PRIMARY KEY)") as (primary, copy):
        assert compare(primary.conninfo(), copy.conninfo()).status == 2
