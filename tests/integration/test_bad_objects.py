"""One object that cannot be read is that object's line in the report: the catalogs are asked for many at once, and the others are compared."""

import contextlib
import os
import re

import pytest

from support.pgparity import DIVERGENT, IDENTICAL, INCOMPLETE, findings, mismatch
from support.proxy import Proxy

pytestmark = pytest.mark.matrix(sample=1)

ENGINES = ["extension", "stream"]
GOOD = """CREATE TABLE good (id serial PRIMARY KEY, v int); INSERT INTO good (v) SELECT n FROM generate_series(1, 100) n;
    CREATE TABLE bad (id int PRIMARY KEY, v int); CREATE TABLE zoo (id int PRIMARY KEY); CREATE SEQUENCE bad_seq; CREATE SEQUENCE zoo_seq;"""


def expect_one_incomplete(pair, what, engine, *, of_table, **sides):
    """All but `what` is compared, and a difference elsewhere is found as well."""
    run = pair.compare("--engine", engine, **sides).expect(INCOMPLETE)
    tables = {t["source"]: t for t in run.report["tables"]}
    sequences = {s["source"]: s for s in run.report["sequences"]}
    reports = tables if of_table else sequences
    assert {name for name, each in {**tables, **sequences}.items() if each["result"] != "identical"} == {what}
    assert set(tables) == {"public.good", "public.bad", "public.zoo"} and len(sequences) == 3
    pair.target.execute("UPDATE good SET v = 0 WHERE id = 3")
    found = pair.compare("--engine", engine, **sides).expect(DIVERGENT)
    assert found.report["incomplete"] is True and findings(found.table("public.good")) == {mismatch("v", id="3")}
    pair.target.execute("UPDATE good SET v = 3 WHERE id = 3")
    return reports[what].get("reason") or reports[what]["skipped"][0]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_sequence_without_privileges(pair, engine):
    pair.both(GOOD + "GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC; GRANT SELECT ON good_id_seq, zoo_seq TO PUBLIC; REVOKE SELECT ON bad_seq FROM PUBLIC;"
              "DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$; GRANT UPDATE ON good TO PUBLIC")
    roles = {side: getattr(pair, side).conninfo(user="reader") for side in ("source", "target")}
    assert "permission denied" in expect_one_incomplete(pair, "public.bad_seq", engine, of_table=False, **roles)


def remove_file(database, relation):
    """As a disk would that has lost it. What is cached is written and forgotten first."""
    path = os.path.join(database.cluster.data_directory, database.value("SELECT pg_relation_filepath(%s)", [relation]))
    database.close()
    database.cluster.stop()
    os.rename(path, path + ".gone")
    database.cluster.start()
    return path


@pytest.mark.parametrize("engine", ENGINES)
def test_a_sequence_whose_file_is_gone(pair, engine):
    pair.both(GOOD)
    path = remove_file(pair.target, "bad_seq")
    try:
        assert "target: could not open file" in expect_one_incomplete(pair, "public.bad_seq", engine, of_table=False)
    finally:
        os.rename(path + ".gone", path)
    pair.compare("--engine", engine).expect(IDENTICAL)


@pytest.mark.in_turn("faults")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_table_whose_catalogs_are_damaged(pair, engine):
    pair.both(GOOD)
    with contextlib.closing(pair.target.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SET allow_system_table_mods = on")
        cursor.execute("UPDATE pg_attribute SET attnum = 7 WHERE attrelid = 'bad'::regclass AND attname = 'v'")
        try:
            said = expect_one_incomplete(pair, "public.bad", engine, of_table=True)
            assert said.startswith("it cannot be read on target: ")
        finally:
            cursor.execute("UPDATE pg_attribute SET attnum = 2 WHERE attname = 'v' AND attnum = 7")
    pair.compare("--engine", engine).expect(IDENTICAL)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_sequence_that_is_locked(pair, engine):
    pair.both(GOOD)
    with contextlib.closing(pair.target.connect()) as connection, connection.cursor() as cursor:
        connection.autocommit = False
        cursor.execute("ALTER SEQUENCE bad_seq RENAME TO renamed")
        run = pair.compare("--engine", engine, "--lock-timeout", "300ms").expect(INCOMPLETE)
        assert {s["source"]: s["result"] for s in run.report["sequences"]} == {
            "public.good_id_seq": "identical", "public.bad_seq": "incomplete", "public.zoo_seq": "identical"}
        pair.target.execute("SELECT setval('zoo_seq', 7)")
        run = pair.compare("--engine", engine, "--lock-timeout", "300ms").expect(DIVERGENT)
        assert {s["source"]: s["result"] for s in run.report["sequences"]} == {
            "public.good_id_seq": "identical", "public.bad_seq": "incomplete", "public.zoo_seq": "divergent"}
        connection.rollback()


def test_a_sequence_that_was_locked(pair):
    """Who held it is gone when it is asked who does: its value is read then."""
    pair.both(GOOD + "SELECT setval('bad_seq', 5)")

    def on_request(_, data):
        if b"AccessExclusiveLock" in data:
            holder.rollback()

    arguments = ["--lock-timeout", "500ms"]
    for target, expected in ((5, IDENTICAL), (6, DIVERGENT)):
        pair.target.execute(f"SELECT setval('bad_seq', {target})")
        with contextlib.closing(pair.source.connect()) as holder, Proxy(pair.source.cluster.port, on_request) as proxy:
            holder.autocommit = False
            holder.cursor().execute("ALTER SEQUENCE bad_seq RENAME TO other_seq")
            pair.compare(*arguments, source=pair.source.tcp_conninfo(port=proxy.port)).expect(expected)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("planted", [False, True])
def test_a_sequence_that_is_dropped_while_the_catalogs_are_read(pair, engine, planted):
    pair.both(GOOD)
    if planted:
        pair.target.execute("SELECT setval('zoo_seq', 7)")
    dropped = []

    def drop(number, data):
        if b"last_value" in data and not dropped:
            dropped.append(number)
            pair.target.execute("DROP SEQUENCE bad_seq")
    with Proxy(pair.target.cluster.port, drop) as proxy:
        run = pair.compare("--engine", engine, target=pair.target.tcp_conninfo(proxy.port)).expect(DIVERGENT)
    assert dropped and re.search(r"sequence exists only on source", run.stdout)
    assert {s["source"] for s in run.report["sequences"] if s["result"] != "identical"} == ({"public.zoo_seq"} if planted else set())


@pytest.mark.parametrize("engine", ENGINES)
def test_a_type_in_a_schema_that_may_not_be_used(pair, engine):
    """Its values can be read all the same."""
    pair.both("CREATE SCHEMA hidden; CREATE TYPE hidden.mood AS ENUM ('a', 'b'); CREATE DOMAIN hidden.name AS text; CREATE TABLE t (id int PRIMARY KEY, m hidden.mood, n hidden.name);"
              "INSERT INTO t VALUES (1, 'a', 'x'); CREATE TABLE u (id int PRIMARY KEY); GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC;"
              "DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    roles = {side: getattr(pair, side).conninfo(user="reader") for side in ("source", "target")}
    pair.compare("--engine", engine, **roles).expect(IDENTICAL)
    pair.target.execute("UPDATE t SET m = 'b'")
    assert findings(pair.compare("--engine", engine, **roles).expect(DIVERGENT).table("public.t")) == {mismatch("m", id="1")}
