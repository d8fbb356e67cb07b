"""Sequences are compared by what they mean: the value that comes next, on a standby what WAL has of it, on a logical replica nothing yet."""

import contextlib
import json
import time

import jsonschema
import pytest

from conftest import SCHEMA
from support.cluster import PASSWORD, Cluster, free_port
from support.pgparity import DIVERGENT, IDENTICAL, INCOMPLETE, findings, mismatch, pgparity
from support.proxy import Proxy

pytestmark = pytest.mark.matrix(sample=1)

ENGINES = ["extension", "stream"]
TABLE = "CREATE TABLE t (id serial PRIMARY KEY, v text); INSERT INTO t (v) SELECT 'x' FROM generate_series(1, 5);"


def sequence(run, name="public.t_id_seq"):
    found = [s for s in run.report["sequences"] if s["source"] == name]
    assert len(found) == 1, (name, run)
    return found[0]


def values(run, name="public.t_id_seq"):
    return {side: (int(v["last_value"]), v["is_called"], v["next_value"] and int(v["next_value"])) for side, v in sequence(run, name)["value"].items()}


# ---- the next value --------------------------------------------------------------------------------------------------


def test_equal_by_the_next_value(pair):
    pair.both(TABLE)
    pair.target.execute("SELECT setval('t_id_seq', 6, false)")
    run = pair.compare().expect(IDENTICAL)
    assert values(run) == {"source": (5, True, 6), "target": (6, False, 6)} and sequence(run)["position"] == "equal"
    pair.target.execute("SELECT setval('t_id_seq', 5, false)")
    assert "behind by 1: next value 6 on source, 5 on target; dangerous" in sequence(pair.compare().expect(DIVERGENT))["reason"]


def test_ahead_and_behind(pair):
    pair.both(TABLE)
    pair.target.execute("SELECT setval('t_id_seq', 1005)")
    run = pair.compare().expect(DIVERGENT)
    assert sequence(run)["position"] == "ahead" and sequence(run)["result"] == "divergent"
    assert "ahead by 1000: next value 6 on source, 1006 on target; harmless" in sequence(run)["reason"]
    allowed = pair.compare("--sequences-may-be-ahead").expect(IDENTICAL)
    assert sequence(allowed)["notes"] == ["ahead by 1000: next value 6 on source, 1006 on target"]
    assert "1 of them ahead on the target" in pair.run("--sequences-may-be-ahead").expect(IDENTICAL).stdout
    pair.target.execute("SELECT setval('t_id_seq', 4)")
    assert sequence(pair.compare("--sequences-may-be-ahead").expect(DIVERGENT))["position"] == "behind"


def test_downwards_ahead_is_below(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY); CREATE SEQUENCE s INCREMENT -3; SELECT setval('s', -10)")
    pair.compare().expect(IDENTICAL)
    pair.target.execute("SELECT setval('s', -40)")
    pair.compare("--sequences-may-be-ahead").expect(IDENTICAL)
    assert sequence(pair.compare().expect(DIVERGENT), "public.s")["position"] == "ahead"
    pair.target.execute("SELECT setval('s', -7)")
    assert sequence(pair.compare("--sequences-may-be-ahead").expect(DIVERGENT), "public.s")["position"] == "behind"


def test_what_is_exhausted_and_what_begins_anew(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY); CREATE SEQUENCE ends MAXVALUE 9; CREATE SEQUENCE turns MAXVALUE 9 CYCLE;"
              "SELECT setval('ends', 9), setval('turns', 9)")
    pair.target.execute("SELECT setval('turns', 1, false)")
    run = pair.compare().expect(IDENTICAL)
    assert values(run, "public.ends")["source"] == (9, True, None) and values(run, "public.turns")["source"] == (9, True, 1)
    pair.target.execute("SELECT setval('turns', 1)")
    pair.source.execute("SELECT setval('ends', 8)")
    run = pair.compare("--sequences-may-be-ahead").expect(DIVERGENT)
    assert {s["source"]: s["position"] for s in run.report["sequences"]} == {"public.ends": "apart", "public.turns": "apart"}
    assert "exhausted on target" in sequence(run, "public.ends")["reason"]
    # the server's own opinion
    assert pair.target.value("SELECT nextval('turns')") == 2
    with pytest.raises(Exception, match="reached maximum value"):
        pair.target.execute("SELECT nextval('ends')")


def test_other_increments_diverge_and_other_limits_are_notes(pair):
    pair.both("CREATE TABLE t (id int PRIMARY KEY)")
    pair.source.execute("CREATE SEQUENCE s AS int; CREATE SEQUENCE steps")
    pair.target.execute("CREATE SEQUENCE s AS bigint CACHE 20; CREATE SEQUENCE steps INCREMENT 2 START 1")
    run = pair.compare().expect(DIVERGENT)
    assert sequence(run, "public.s")["result"] == "identical"
    assert "increment 1 on source, 2 on target" in sequence(run, "public.steps")["reason"]
    notes = {d["object"]: d["message"] for d in run.report["schema_differences"] if d["severity"] == "note"}
    assert "sequence integer" in notes["public.s"] and "cache 20 on target" in notes["public.s"]
    pair.both("DROP SEQUENCE steps")
    pair.compare().expect(IDENTICAL)
    pair.compare("--strict-schema").expect(DIVERGENT)
    pair.target.execute("SELECT setval('s', 7)")
    assert sequence(pair.compare().expect(DIVERGENT), "public.s")["position"] == "ahead"


@pytest.mark.parametrize("number", [2**63 - 1, -2**63])
def test_the_ends_of_bigint(pair, number):
    pair.both("CREATE TABLE t (id int PRIMARY KEY); CREATE SEQUENCE s MINVALUE -9223372036854775808 INCREMENT 9223372036854775807;"
              f"SELECT setval('s', {number}, false)")
    pair.compare().expect(IDENTICAL)
    pair.target.execute(f"SELECT setval('s', {-1 - number}, false)")
    assert "by 18446744073709551615" in sequence(pair.compare().expect(DIVERGENT), "public.s")["reason"]


# ---- a physical standby ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def standby(source_cluster):
    with Cluster("standby", standby_of=source_cluster) as cluster:
        yield cluster


@contextlib.contextmanager
def copied(source_cluster, standby, sql):
    """A database of the primary, its copy, and pgparity from one to the other."""
    database = source_cluster.create_database()
    database.execute(sql)
    database.execute("VACUUM")  # else reading prunes pages; an idle primary does not flush that, and pgparity waits for it
    standby.catch_up()
    copy = standby.database(database.name)
    try:
        yield database, copy
    finally:
        copy.close()
        source_cluster.drop_database(database)


def compare(source, target, *arguments):
    run = pgparity("compare", "--format", "json", "--source", source.conninfo(), "--target", target.conninfo(), *arguments)
    if run.stdout:
        jsonschema.validate(run.report, json.loads(SCHEMA.read_text()))
    return run


STEPS = """CREATE TABLE t (id bigserial PRIMARY KEY, v text); INSERT INTO t (v) SELECT 'x' FROM generate_series(1, 7);
    CREATE SEQUENCE down INCREMENT -5; SELECT nextval('down') FROM generate_series(1, 3); CREATE SEQUENCE unused;
    CREATE SEQUENCE cached CACHE 10; SELECT nextval('cached'); CREATE SEQUENCE ends MAXVALUE 20; SELECT nextval('ends');
    CREATE SEQUENCE turns MAXVALUE 20 CYCLE; SELECT nextval('turns') FROM generate_series(1, 25)"""


@pytest.mark.parametrize("engine", ENGINES)
def test_a_standby_has_what_wal_has(source_cluster, standby, engine):
    with copied(source_cluster, standby, STEPS) as (primary, copy):
        assert primary.value("SELECT last_value FROM t_id_seq") == 7 and copy.value("SELECT last_value FROM t_id_seq") == 33
        for source, target in [(primary, copy), (copy, primary)]:
            run = compare(source, target, "--engine", engine).expect(IDENTICAL)
            positions = {s["source"].removeprefix("public."): s["position"] for s in run.report["sequences"]}
            assert positions == {"t_id_seq": "wal", "down": "wal", "cached": "wal", "ends": "wal", "turns": "wal", "unused": "equal"}
        text = pgparity("compare", "--source", primary.conninfo(), "--target", copy.conninfo()).expect(IDENTICAL).stdout
        assert "6 sequences identical\n  note: 5 of them a standby has as WAL has them, some values ahead" in text


@pytest.mark.in_turn("standbys")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_standby_that_lags_is_behind(source_cluster, standby, engine):
    with copied(source_cluster, standby, STEPS) as (primary, copy):
        standby.execute("SELECT pg_wal_replay_pause()")
        try:
            primary.execute("SELECT nextval('down') FROM generate_series(1, 100); SELECT nextval('unused')")
            run = compare(primary, copy, "--engine", engine).expect(DIVERGENT)
            positions = {s["source"].removeprefix("public."): s["position"] for s in run.report["sequences"]}
            assert positions == {"t_id_seq": "wal", "down": "behind", "cached": "wal", "ends": "wal", "turns": "wal", "unused": "behind"}
            assert "behind by 1: next value 2 on source, 1 on target" in sequence(run, "public.unused")["reason"]
            assert "the standby had not replayed all" in sequence(run, "public.unused")["reason"]
            run = compare(copy, primary, "--engine", engine).expect(DIVERGENT)
            assert {s["source"] for s in run.report["sequences"] if s["result"] == "divergent"} == {"public.down", "public.unused"}
        finally:
            standby.execute("SELECT pg_wal_replay_resume()")
        standby.catch_up()
        compare(primary, copy, "--engine", engine).expect(IDENTICAL)


@pytest.mark.in_turn("standbys")
def test_a_standby_knows_of_a_sequence_that_was_set(source_cluster, standby):
    """WAL has what setval sets exactly."""
    with copied(source_cluster, standby, STEPS) as (primary, copy):
        primary.execute("SELECT setval('t_id_seq', 3)")
        standby.catch_up()
        assert sequence(compare(primary, copy).expect(IDENTICAL))["position"] == "equal"
        standby.execute("SELECT pg_wal_replay_pause()")
        try:
            primary.execute("SELECT setval('t_id_seq', 9)")
            assert "behind by 6: next value 10 on source, 4 on target" in sequence(compare(primary, copy).expect(DIVERGENT))["reason"]
        finally:
            standby.execute("SELECT pg_wal_replay_resume()")


@pytest.mark.in_turn("standbys")
def test_a_standby_of_a_primary_that_is_written(source_cluster, standby):
    """Values are given while the sides are read: the primary is read before and after."""
    with copied(source_cluster, standby, STEPS) as (primary, copy), contextlib.closing(primary.connect()) as writer, writer.cursor() as cursor:
        given = []

        def write(number, data):
            if b"last_value" in data:
                cursor.execute("SELECT max(nextval('t_id_seq')) FROM generate_series(1, 100)")
                given.append(cursor.fetchone()[0])
        with Proxy(source_cluster.port, write) as on_primary, Proxy(standby.port, write) as on_standby:
            sides = ["--source", primary.tcp_conninfo(on_primary.port), "--target", copy.tcp_conninfo(on_standby.port)]
            run = pgparity("compare", "--format", "json", *sides).expect(IDENTICAL)
            assert len(given) == 3 and given[0] < values(run)["target"][0] <= given[2] + 32
            standby.catch_up()
            standby.execute("SELECT pg_wal_replay_pause()")
            try:
                primary.execute("SELECT setval('unused', 50)")
                run = pgparity("compare", "--format", "json", *sides).expect(DIVERGENT)
            finally:
                standby.execute("SELECT pg_wal_replay_resume()")
        assert len(given) == 6 and sequence(run, "public.unused")["position"] == "behind"


def test_a_promoted_standby_goes_on_where_wal_was(source_cluster):
    with Cluster("promoted", standby_of=source_cluster) as promoted, copied(source_cluster, promoted, STEPS) as (primary, copy):
        compare(primary, copy).expect(IDENTICAL)
        promoted.execute("SELECT pg_promote()")
        promoted.wait_for("SELECT NOT pg_is_in_recovery()")
        run = compare(primary, copy, "--sequences-may-be-ahead")
        assert sequence(run)["position"] == "ahead" and values(run)["target"] == (33, True, 34)
        assert "ahead by 26" in sequence(compare(primary, copy).expect(DIVERGENT))["reason"]


@pytest.mark.in_turn("standbys")
def test_a_standby_of_a_fork_is_none_of_the_primary(source_cluster):
    """It follows a copy that was promoted: what it is ahead by, nothing makes equal."""
    with Cluster("fork", standby_of=source_cluster) as fork, copied(source_cluster, fork, STEPS) as (primary, copy):
        fork.execute("SELECT pg_promote()")
        fork.wait_for("SELECT NOT pg_is_in_recovery()")
        with Cluster("forks_standby", standby_of=fork) as follower:
            follower.catch_up()
            target = follower.database(copy.name)
            try:
                run = compare(primary, target).expect(DIVERGENT)
                assert sequence(run)["position"] == "ahead" and "ahead by 26" in sequence(run)["reason"]
                for source in (copy, target):  # of its own primary it is one
                    other = target if source is copy else copy
                    assert sequence(compare(source, other).expect(IDENTICAL))["position"] in ("wal", "equal")
            finally:
                target.close()


@pytest.fixture
def plain(source_cluster):
    """A role of the primary, and so of its standbys, without rights of its own."""
    source_cluster.execute(f"CREATE ROLE plain LOGIN PASSWORD '{PASSWORD}'")
    yield "plain"
    source_cluster.execute("DROP ROLE plain")


@pytest.mark.in_turn("standbys")
def test_a_role_that_may_not_know_whose_standby_it_is(source_cluster, standby, plain):
    with copied(source_cluster, standby, STEPS) as (primary, copy):
        primary.execute(f"""REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC; REVOKE EXECUTE ON FUNCTION pg_control_checkpoint() FROM PUBLIC;
            GRANT SELECT ON ALL TABLES IN SCHEMA public TO {plain}; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {plain}""")
        standby.catch_up()

        def run(status):
            made = pgparity("compare", "--format", "json", "--engine", "stream", "--source", primary.conninfo(user=plain), "--target", copy.conninfo(user=plain),
                            "--no-large-objects").expect(status)
            return sequence(made)
        found = run(INCOMPLETE)
        assert found["result"] == "incomplete" and "equal if one side is a standby of the other, which cannot be told" in found["reason"]
        primary.execute(f"GRANT EXECUTE ON FUNCTION pg_control_system() TO {plain}")
        standby.catch_up()
        assert run(IDENTICAL)["position"] == "wal"
        primary.execute(f"REVOKE EXECUTE ON FUNCTION pg_control_system() FROM {plain}")
        standby.catch_up()
        # What no WAL explains is a difference nevertheless.
        standby.execute("SELECT pg_wal_replay_pause()")
        try:
            primary.execute("SELECT setval('t_id_seq', 1000)")
            assert "behind by" in run(DIVERGENT)["reason"]
        finally:
            standby.execute("SELECT pg_wal_replay_resume()")


# ---- a logical replica -----------------------------------------------------------------------------------------------


def test_logical_replication_does_not_carry_sequences(target_cluster):
    with Cluster("publisher", settings={"wal_level": "logical"}) as publisher:
        source, target = publisher.create_database(), target_cluster.create_database()
        source.execute(TABLE + "CREATE TABLE u (id serial PRIMARY KEY); CREATE SEQUENCE own; SELECT nextval('own'); INSERT INTO u DEFAULT VALUES;"
                       "CREATE PUBLICATION p FOR TABLE t")
        target.execute("CREATE TABLE t (id serial PRIMARY KEY, v text); CREATE TABLE u (id serial PRIMARY KEY); CREATE SEQUENCE own; INSERT INTO u VALUES (1)")
        name = f"s_{free_port()}"
        target.execute(f"CREATE SUBSCRIPTION {name} CONNECTION '{source.inside_conninfo()}' PUBLICATION p")
        try:
            wait_in(target, "SELECT count(*) = 5 FROM t")
            for engine in ENGINES:
                run = compare(source, target, "--table", "t", "--engine", engine).expect(INCOMPLETE)
                assert "not replicated, 5 behind: next value 6 on source, 1 on target" in sequence(run)["reason"]
                assert "--no-sequences" in sequence(run)["reason"] and run.table()["result"] == "identical"
            compare(source, target, "--table", "t", "--no-sequences").expect(IDENTICAL)
            target.execute("UPDATE t SET v = 'y' WHERE id = 3")
            assert findings(compare(source, target, "--table", "t", "--no-sequences").expect(DIVERGENT).table()) == {mismatch("v", id="3")}
            target.execute("UPDATE t SET v = 'x' WHERE id = 3")
            run = compare(source, target).expect(DIVERGENT)  # nobody feeds u
            assert {s["source"]: s["result"] for s in run.report["sequences"]} == {
                "public.t_id_seq": "incomplete", "public.own": "incomplete", "public.u_id_seq": "divergent"}
            target.execute(f"ALTER SUBSCRIPTION {name} DISABLE")
            assert "dangerous" in sequence(compare(source, target, "--table", "t").expect(DIVERGENT))["reason"]
            target.execute("SELECT setval('t_id_seq', 5)")
            compare(source, target, "--table", "t").expect(IDENTICAL)
        finally:
            target.execute(f"ALTER SUBSCRIPTION {name} DISABLE")
            target.execute(f"ALTER SUBSCRIPTION {name} SET (slot_name = NONE)")
            target.execute(f"DROP SUBSCRIPTION {name}")
            target_cluster.drop_database(target)


def wait_in(database, sql):
    """Waits within a database for what comes true by itself."""
    deadline = time.monotonic() + 30
    while not database.value(sql):
        assert time.monotonic() < deadline, sql
        time.sleep(0.05)
