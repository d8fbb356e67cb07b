"""parity.verify where pg_regress cannot go: two clusters, replication, roles without rights, cancelling, sessions that end."""

import contextlib
import json
import os
import re
import signal
import threading
import time

import psycopg2
import pytest

from conftest import insert_unindexed
from support.cluster import PASSWORD, Cluster
from support.damage import damage_value
from support.installation import Installation
from support.verified import InBackground, Verified, Writer, wait_for_phase

pytestmark = pytest.mark.matrix(sample=1)

SECRET = "the-mapping's-secret"
SLOW = ("CREATE FUNCTION public.slow(id bigint) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS "
        "$$ BEGIN PERFORM pg_catalog.pg_sleep(0.02); RETURN true; END $$")


def finds_a_planted_row(verified, **options):
    verified.target.execute("UPDATE t SET v = 'x' WHERE id = 7")
    assert verified.verify(**options) == "divergent" and verified.divergences() == [("mismatch", {"id": "7"}, ["v"])]


@pytest.fixture
def verified(pair):
    made = Verified(pair.source, pair.target)
    made.both("CREATE TABLE t (id bigint PRIMARY KEY, v text); INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 300) n")
    made.make_server()
    yield made
    made.source.close()


def test_a_difference_is_recorded_and_told(verified):
    listener = verified.source.connect()
    listener.cursor().execute("LISTEN parity")
    assert verified.verify() == "identical"
    assert verified.part["details"]["replication"] == {"kind": "none"}
    verified.target.execute("UPDATE t SET v = 'x' WHERE id = 7; DELETE FROM t WHERE id = 8")
    assert verified.verify() == "divergent"
    assert verified.divergences() == [("mismatch", {"id": "7"}, ["v"]), ("missing_on_target", {"id": "8"}, None)]
    assert "2 rows differ" in verified.warnings
    deadline = time.monotonic() + 20
    while len(listener.notifies) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
        listener.poll()
    assert ['"status": "identical"' in listener.notifies[0].payload, '"divergent_rows": 2' in listener.notifies[1].payload] == [True, True]
    listener.close()
    verified.make_server('"Odd server"', connect_timeout=5)
    assert verified.verify(server="Odd server") == "divergent"


@pytest.mark.parametrize("ranges", [1, 64])
def test_rows_that_an_index_lacks_do_not_become_equal(verified, ranges):
    verified.both("INSERT INTO t SELECT n, 'v' || n FROM generate_series(301, 20000) n; ANALYZE t")
    for ready in ("false", "true"):
        verified.target.execute(f"UPDATE pg_index SET indisready = {ready} WHERE indexrelid = 't_pkey'::regclass")
        if ready == "false":
            verified.target.close()  # and with it what the session remembers of the index
            verified.target.execute("INSERT INTO t VALUES (777, 'v777'), (50000, 'v')")
    assert verified.target.value("SELECT count(*) FROM t") == 20002
    assert verified.verify(ranges=ranges) == "divergent"
    assert [kind for kind, _, _ in verified.divergences()] == ["missing_on_source"] * 2
    assert verified.part["details"]["without_indexes"] is True


@pytest.mark.parametrize("with_values", [False, True])
def test_without_a_key_rows_are_recorded_only_where_values_are_asked_for(verified, with_values):
    verified.both("ALTER TABLE t DROP CONSTRAINT t_pkey")
    verified.target.execute("DELETE FROM t WHERE id = 7")
    assert verified.verify(with_values=with_values) == "divergent"
    assert verified.divergences() == [("missing_on_target", {"id": "7", "v": "v7"} if with_values else None, None)]


def test_a_table_without_columns_is_counted(verified):
    verified.both("CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES")
    assert verified.verify("nothing") == "identical" and verified.part["source_rows"] == 2
    verified.target.execute("INSERT INTO nothing DEFAULT VALUES")
    assert verified.verify("nothing") == "divergent"
    assert verified.source.query("SELECT kind, key, occurrences FROM parity.divergence") == [("missing_on_source", None, 1)]
    verified.target.execute("ALTER TABLE nothing ADD v int")
    assert verified.verify("nothing") == "failed" and "no column that could be compared" in verified.part["message"]


# Types of keys, and SQL for the value of row n.
KEYS = {
    "int8": "n", "text": "n", "name": "n", "bpchar(9)": "n", "uuid": "md5(n::text)::uuid", "numeric": "n / 4.0", "float8": "n / 7.0", "float4": "n / 10.0",
    "money": "n * 1.07", "boolean": "n % 2 = 0", "timestamptz": "timestamptz 'epoch' + n * interval '1.5 h'", "timetz": "time '00:00' + n * interval '1 s'",
    "interval": "n * interval '-1.5 h'", "inet": "inet '10.0.0.0' + n", "cidr": "inet '10.0.0.0' + n", "macaddr": "('08002b01' || lpad(n::text, 4, '0'))::macaddr",
    "bytea": "convert_to(n::text, 'UTF8')", '"char"': "chr(33 + n % 90)", "bit(12)": "n::bit(12)", "varbit": "n::bit(12)::varbit", "pg_lsn": "('AB/' || n)::pg_lsn",
    "jsonb": "jsonb_build_object('k', n)", "tsvector": "to_tsvector('simple', 'b a' || n)", "text[]": "ARRAY[n::text, NULL, 'a b', 'null']", "interval[]": "ARRAY[n * interval '1 h']",
    "int4range": "int4range(n, n + 5)", "numrange[]": "ARRAY[numrange(n, NULL), 'empty']", "pair": "ROW(n, 'a \"b')::pair",
}


@pytest.mark.matrix(sample=3)
@pytest.mark.parametrize("with_values", [False, True])
@pytest.mark.parametrize("kind", KEYS)
def test_keys_of_many_types_are_recorded_as_the_server_prints_them(pair, kind, with_values):
    made = Verified(pair.source, pair.target)
    made.both(f"CREATE TYPE pair AS (a int, b text); CREATE TABLE t (k {kind}, n int, v text, PRIMARY KEY (k, n));"
              f"INSERT INTO t SELECT ({KEYS[kind]})::{kind}, n, 'v' || n FROM generate_series(1, 500) n")
    made.make_server()
    made.target.execute("UPDATE t SET v = 'x' WHERE n = 70; DELETE FROM t WHERE n = 80")
    made.source.execute("DELETE FROM t WHERE n = 90")
    # Where values are equal whatever is printed, it is printed in one way.
    printed = {"numeric": "trim_scale(k)::text", "bpchar(9)": "k::text", "boolean": "k::text"}.get(kind, "concat(k)")
    shown = {n: database.value(f"SELECT {printed} FROM t WHERE n = {n}") for n, database in ((70, made.source), (80, made.source), (90, made.target))}
    assert made.verify(with_values=with_values) == "divergent"
    assert sorted(made.divergences()) == [("mismatch", {"k": shown[70], "n": "70"}, ["v"]), ("missing_on_source", {"k": shown[90], "n": "90"}, None),
                                          ("missing_on_target", {"k": shown[80], "n": "80"}, None)]
    assert made.part["details"]["looks"] == 2
    made.source.close()


# Types of a key on the source and on the target, forms that are asked for, SQL for the value of row n, and what each side is to print.
TWO_TYPES = {
    "money and numeric": ("money", "numeric", None, "n * 1.5", ("k::text", "k::text")),
    "numeric and money": ("numeric", "money", None, "n * 1.5", ("k::text", "k::text")),
    "integer and bigint": ("int", "bigint", None, "n", ("k::text", "k::text")),
    "times and a zone": ("timestamp", "timestamptz", {"k": "timestamptz@Europe/Berlin"}, "timestamptz '2024-07-01 12:00+00' + n * interval '1 h'", ("k::text", "k::text")),
    "times of a zone on both sides": ("timestamp", "timestamp", {"k": "timestamptz@Europe/Berlin"}, "timestamp '2024-07-01' + n * interval '1 h'", ("k::text", "k::text")),
    "an identifier as a text": ("text", "text", {"k": "uuid"}, "upper(md5(n::text)::uuid::text)", ("k", "k")),
    "a domain over two types": ("d", "d", None, "n * 1.5", ("k::text", "k::text")),
}


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("case", TWO_TYPES)
def test_keys_of_two_types_are_recorded_as_their_side_prints_them(pair, case):
    made = Verified(pair.source, pair.target)
    own, other, forms, value, printed = TWO_TYPES[case]
    for side, kind, base in ((pair.source, own, "money"), (pair.target, other, "numeric")):
        side.execute(f"CREATE DOMAIN d AS {base}; SET timezone = 'Europe/Berlin'; CREATE TABLE t (k {kind} PRIMARY KEY, n int, v text);"
                     f"INSERT INTO t SELECT ({value})::{kind}, n, 'v' || n FROM generate_series(1, 200) n; RESET timezone")
    made.make_server()
    made.target.execute("UPDATE t SET v = 'x' WHERE n = 70; DELETE FROM t WHERE n = 80")
    made.source.execute("DELETE FROM t WHERE n = 90")
    shown = {n: database.value(f"SELECT {text} FROM t WHERE n = {n}") for n, database, text in ((70, made.source, printed[0]), (80, made.source, printed[0]), (90, made.target, printed[1]))}
    options = {"forms": json.dumps(forms)} if forms else {}
    assert made.verify(**options) == "divergent"
    assert sorted(made.divergences()) == [("mismatch", {"k": shown[70]}, ["v"]), ("missing_on_source", {"k": shown[90]}, None), ("missing_on_target", {"k": shown[80]}, None)]
    made.source.close()


@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("wide", [False, True])
def test_keys_are_recorded_in_one_notation_however_many_values_are(pair, wide):
    """Values beyond 8 MB are left out, and the keys of their rows are written as those of the others."""
    made = Verified(pair.source, pair.target)
    made.both("CREATE TABLE t (k money PRIMARY KEY, v text); INSERT INTO t SELECT n * 1.5, 'v' || n FROM generate_series(1, 300) n")
    made.make_server()
    made.target.execute(f"UPDATE t SET v = {'repeat(v, 12000)' if wide else 'v || 1'}")
    assert made.verify(with_values=True) == "divergent"
    assert {key["k"] for _, key, _ in made.divergences()} == {key for key, in made.source.query("SELECT k::text FROM t")}
    lacking = made.source.value("SELECT count(*) FROM parity.divergence WHERE target_values IS NULL")
    assert (lacking > 0) == wide and lacking < 300, lacking
    assert not wide or f"{lacking}" in made.part["message"]
    made.source.close()


def test_long_keys_are_recorded(pair):
    """As many of them as are named: 4 MB."""
    made = Verified(pair.source, pair.target)
    made.both("CREATE TABLE t (k bytea PRIMARY KEY, v int);"
              "INSERT INTO t SELECT (SELECT string_agg(sha256((n || ' ' || i)::bytea), '' ORDER BY i) FROM generate_series(1, 64) i), n FROM generate_series(1, 2000) n")
    made.make_server()
    made.target.execute("UPDATE t SET v = -v")
    for with_values in (False, True):
        assert made.verify(with_values=with_values, max_rows=100_000) == "divergent"
        named = [key["k"] for kind, key, _ in made.divergences() if kind == "mismatch"]
        assert 1900 < len(named) < 2000 and named == [key for key, in made.source.query("SELECT k::text FROM t ORDER BY k LIMIT %s", [len(named)])]
    made.source.close()


@pytest.mark.parametrize("digits, forms", [(20000, '{"k": "decimal"}'), (20, '{"k": "decimal"}'), (20, None)])
def test_numbers_that_print_longer_than_their_frames(verified, digits, forms):
    """The frame of a number has no zeros at its end, its text has them all: keys of many rows are cut, and the verdict stays."""
    verified.both(f"CREATE TABLE n (k numeric PRIMARY KEY, v int); INSERT INTO n SELECT (n || repeat('0', {digits}))::numeric, n FROM generate_series(1, 6000) n")
    assert verified.verify("n", forms=forms, max_rows=6000) == "identical"
    verified.target.execute("UPDATE n SET v = -v")
    assert verified.verify("n", forms=forms, max_rows=6000) == "divergent"
    keys = [key["k"] for kind, key, _ in verified.divergences() if kind == "mismatch"]
    assert len(keys) == 6000
    text = "1" + digits * "0"
    assert keys[0] == (text if digits == 20 else f"{text[:1333]}... ({len(text)} bytes)")


def test_rows_without_a_key_are_recorded_as_the_server_prints_them(verified):
    verified.both("CREATE TABLE odd (m money, r numrange, c \"char\"); INSERT INTO odd VALUES (12.5, '[1.50,)', 'x'), (1, NULL, NULL)")
    verified.target.execute("DELETE FROM odd WHERE m = 12.5::money")
    assert verified.verify("odd", with_values=True) == "divergent"
    assert verified.divergences() == [("missing_on_target", {"m": "$12.50", "r": "[1.50,)", "c": "x"}, None)]


def test_a_role_without_rights_and_its_secret(verified):
    source, target = verified.source, verified.target
    name = f"verifier_{source.name}"
    reader = f"reader_{source.name}"
    source.execute(f"CREATE ROLE {name} LOGIN; GRANT parity_operator TO {name}; GRANT SELECT ON t TO {name}; GRANT USAGE ON FOREIGN SERVER replica TO {name}")
    target.execute(f"CREATE ROLE {reader} LOGIN PASSWORD '{SECRET.replace(chr(39), chr(39) * 2)}'; GRANT SELECT ON t TO {reader}")
    try:
        connection = source.connect(user=name)
        assert verified.verify(connection=connection) == "failed"
        assert verified.part["sqlstate"] == "42704" and f'role "{name}" has no user mapping for server "replica"' in verified.part["message"]
        source.execute(f"CREATE USER MAPPING FOR {name} SERVER replica OPTIONS (user %s)", [reader])
        assert verified.verify(connection=connection) == "failed"
        assert verified.part["sqlstate"] == "2F003" and f'role "{name}" for server "replica" has no password' in verified.part["message"]
        source.execute(f"DROP USER MAPPING FOR {name} SERVER replica")
        verified.make_server("trusting", user=reader, password=SECRET, for_role=name, host=target.cluster.installation.inside(target.cluster.socket_directory))
        source.execute(f"GRANT USAGE ON FOREIGN SERVER trusting TO {name}")
        assert verified.verify(connection=connection, server="trusting") == "failed"
        assert verified.part["sqlstate"] == "2F003" and f'server "trusting" let role "{reader}" in without' in verified.part["message"]
        with connection.cursor() as cursor:
            cursor.execute("SELECT parity.forget('public.t', 'verify', 'trusting')")
            assert cursor.fetchone() == (1,)
        source.execute(f"CREATE USER MAPPING FOR {name} SERVER replica OPTIONS (user %s, password %s)", [reader, SECRET])
        assert verified.verify(connection=connection) == "identical"
        target.execute("DELETE FROM t WHERE id = 5")
        assert verified.verify(connection=connection) == "divergent"
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM parity.status")
            assert cursor.fetchone() == (1,)
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute("INSERT INTO parity.run (kind, source, target, tool) VALUES ('verify', 'x', 'x', 'x')")
            cursor.execute("CALL parity.verify_schema('replica', '{t}', recheck_delay => '10 ms')")
            assert cursor.fetchone()[1] == "divergent"
        told = verified.warnings
        source.execute(f"ALTER USER MAPPING FOR {name} SERVER replica OPTIONS (SET password %s)", [SECRET + "!"])
        assert verified.verify(connection=connection) == "incomplete"
        part = verified.part
        assert part["sqlstate"] == "08001" and "password authentication failed" in part["message"]
        source.execute(f"ALTER USER MAPPING FOR {name} SERVER replica OPTIONS (SET password %s, SET user 'nobody')", [SECRET])
        assert verified.verify(connection=connection) == "incomplete"
        source.execute(f"ALTER USER MAPPING FOR {name} SERVER replica OPTIONS (SET user %s)", [reader])
        source.execute(f"REVOKE SELECT ON t FROM {name}")
        assert verified.verify(connection=connection) == "failed"
        assert verified.part["sqlstate"] == "42501"
        source.execute(f"REVOKE USAGE ON FOREIGN SERVER replica FROM {name}")
        assert verified.verify(connection=connection) == "failed"
        assert verified.part["sqlstate"] == "42501" and verified.part["message"] == "here: permission denied for foreign server replica"
        everything = told + verified.warnings + source.value(
            "SELECT (SELECT string_agg(r::text, '') FROM parity.run r) || (SELECT string_agg(r::text, '') FROM parity.run_table r)")
        assert SECRET not in everything
        assert SECRET not in target.cluster.log()
        connection.close()
    finally:
        source.execute(f"DROP OWNED BY {name}; DROP USER MAPPING IF EXISTS FOR {name} SERVER replica; DROP SERVER IF EXISTS trusting CASCADE; DROP ROLE {name}")
        target.execute(f"DROP OWNED BY {reader}; DROP ROLE {reader}")


def test_nobody_may_verify_unless_told(verified):
    name = f"nobody_{verified.source.name}"
    verified.source.execute(f"CREATE ROLE {name} LOGIN; GRANT SELECT ON t TO {name}")
    connection = verified.source.connect(user=name)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        verified.verify(connection=connection)
    connection.close()
    verified.source.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def is_unlocked(verified):
    return verified.source.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0


@pytest.mark.parametrize("when", ["digesting", "target locked", "delay"])
def test_cancelling_cancels_the_target(verified, when):
    options = {}
    blocker = None
    if when == "digesting":
        verified.both(SLOW)
        options["filter"] = "public.slow(id)"
    elif when == "target locked":
        blocker = verified.target.connect()
        blocker.autocommit = False
        blocker.cursor().execute("LOCK TABLE t")
        options["lock_timeout"] = "1 min"
    else:
        verified.target.execute("DELETE FROM t WHERE id = 3")
        options["recheck_delay"] = "1 min"
    with InBackground(verified, **options) as background:
        if when == "delay":
            verified.source.cluster.wait_for(f"SELECT count(*) > 0 FROM pg_stat_activity WHERE pid = {background.pid} AND wait_event = 'PgSleep'")
            wait_for_phase(verified, "waiting before looking again")
        else:
            verified.wait_for_target("state = 'active' AND query LIKE '%range_digests%'" if when == "digesting" else "wait_event_type = 'Lock'")
            assert verified.source.value("SELECT count(*) FROM parity.run WHERE status = 'running'") == 1  # others see it from its start
        verified.source.execute("SELECT pg_cancel_backend(%s)", [background.pid])
        verified.target_is_left(seconds=2)
        background.join()
        assert background.error.pgcode == "57014"
        with background.connection.cursor() as cursor:
            cursor.execute("SELECT public.dblink_get_connections()")
            assert cursor.fetchone() == (None,)
        assert is_unlocked(verified)
        assert verified.part["status"] == "cancelled" and verified.part["sqlstate"] == "57014"
        assert verified.source.value("SELECT status::text FROM parity.run ORDER BY id DESC LIMIT 1") == "cancelled"
        if when == "delay":
            assert verified.source.query("SELECT kind, state FROM parity.divergence") == [("missing_on_target", "in_flight")]
    if blocker:
        blocker.close()


def test_a_statement_timeout_of_the_session_is_recorded(verified):
    verified.both(SLOW)
    connection = verified.source.connect()
    connection.cursor().execute("SET statement_timeout = '1s'")
    with pytest.raises(psycopg2.errors.QueryCanceled, match="timeout"):
        verified.verify(connection=connection, filter="public.slow(id)")
    verified.target_is_left(seconds=2)
    assert verified.part["status"] == "cancelled" and "timeout" in verified.part["message"]
    connection.close()


def test_a_statement_timeout_of_the_target_is_a_failure(verified):
    verified.both(SLOW)
    verified.source.execute("CREATE OR REPLACE FUNCTION public.slow(id bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'")
    assert verified.verify(filter="public.slow(id)", statement_timeout="500 ms") == "failed"
    assert verified.part["sqlstate"] == "57014" and verified.part["message"].startswith("on the target: ")


@pytest.mark.parametrize("planted", [False, True])
def test_a_cancelled_callback_ends_the_run(verified, planted):
    if planted:
        verified.target.execute("UPDATE t SET v = 'x' WHERE id = 7")
    # It waits for a table only, and longer than any machine takes to cancel it.
    verified.source.execute("CREATE TABLE u (id int PRIMARY KEY); CREATE FUNCTION wait(payload jsonb) RETURNS void LANGUAGE sql AS "
                            "'SELECT pg_advisory_xact_lock_shared(77); SELECT pg_sleep(60) WHERE payload ? ''relation'''")
    verified.target.execute("CREATE TABLE u (id int PRIMARY KEY)")
    with contextlib.closing(verified.source.connect()) as connection:
        def cancel_once_it_waits():
            with contextlib.closing(verified.source.connect()) as other, other.cursor() as cursor:
                deadline = time.monotonic() + 60
                while time.monotonic() < deadline:
                    cursor.execute("SELECT FROM pg_locks WHERE pid = %s AND locktype = 'advisory' AND objid = 77", [connection.info.backend_pid])
                    if cursor.rowcount > 0:
                        # A cancel request of a client would signal the process and its group: the second signal may come later.
                        return cursor.execute("SELECT pg_cancel_backend(%s)", [connection.info.backend_pid])
                    time.sleep(0.02)
        cancel = threading.Thread(target=cancel_once_it_waits)
        cancel.start()
        with pytest.raises(psycopg2.errors.QueryCanceled):
            connection.cursor().execute("CALL parity.verify_schema('replica', '{t,u}', callback => 'wait', recheck_delay => '50 ms')")
        cancel.join()
    assert verified.source.query("SELECT relation, status::text FROM parity.run_table ORDER BY id") == [
        ("public.t", "divergent" if planted else "identical"), ("public.u", "skipped")]
    assert verified.source.value("SELECT status::text FROM parity.run") == "cancelled"


def test_a_session_that_ends_is_found(verified):
    verified.both(SLOW)
    with InBackground(verified, filter="public.slow(id)") as background:
        verified.wait_for_target("state = 'active' AND query LIKE '%range_digests%'")
        verified.source.execute("SELECT pg_terminate_backend(%s)", [background.pid])
        background.join()
        if verified.target.cluster.installation.major >= 14:
            verified.target_is_left(seconds=5)
    assert is_unlocked(verified)
    assert verified.verify() == "identical"
    assert [row[0] for row in verified.source.query("SELECT status::text FROM parity.run ORDER BY id")] == ["died", "identical"]
    assert "died" in verified.warnings
    finds_a_planted_row(verified)


@pytest.mark.in_turn("verify")
@pytest.mark.parametrize("when", ["digesting", "delay"])
def test_a_target_that_goes_away_is_incomplete(verified, when):
    verified.both(SLOW)
    if when == "delay":
        verified.target.execute("DELETE FROM t WHERE id = 3")
    options = {"filter": "public.slow(id)"} if when == "digesting" else {"recheck_delay": "2 s"}
    with InBackground(verified, **options) as background:
        verified.wait_for_target("state = 'active' AND query LIKE '%range_digests%'" if when == "digesting" else "query = 'ROLLBACK' AND state = 'idle'")
        verified.target.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pg_parity'")
        background.join()
        assert background.result == "incomplete"
    assert verified.part["sqlstate"] in ("57P01", "08006") and verified.part["message"].startswith("on the target: ")
    assert "PP003" not in verified.warnings and "incomplete" in verified.warnings
    assert is_unlocked(verified)
    verified.target.execute("INSERT INTO t VALUES (3, 'v3') ON CONFLICT DO NOTHING")
    assert verified.verify() == "identical"
    finds_a_planted_row(verified)


def test_no_target_is_incomplete(verified):
    verified.make_server("gone", port=1)
    assert verified.verify(server="gone") == "incomplete"
    assert verified.part["sqlstate"] == "08001" and PASSWORD not in verified.part["message"] and "\n" not in verified.part["message"]
    with verified.source.connection.cursor() as cursor:
        cursor.execute("CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE w (id int PRIMARY KEY)")
        cursor.execute("CALL parity.verify_schema('gone')")
        assert cursor.fetchone()[1] == "incomplete"
    assert [r[0] for r in verified.source.query("SELECT status::text FROM parity.run_table WHERE run_id = (SELECT max(id) FROM parity.run) ORDER BY id")] \
        == ["incomplete", "skipped", "skipped"]


@pytest.mark.in_turn("verify")
@pytest.mark.parametrize("planted", [False, True])
def test_the_second_of_two_runs_steps_aside(verified, planted):
    verified.both(SLOW)
    if planted:
        verified.target.execute("UPDATE t SET v = 'x' WHERE id = 7")
    with InBackground(verified, filter="public.slow(id)") as background:
        verified.wait_for_target("query LIKE '%range_digests%'")
        assert verified.verify() == "skipped"
        assert re.search(r"another session verifies the relation \(run \d+, pid \d+\)", verified.warnings), verified.warnings
        background.join(60)
        assert background.result == ("divergent" if planted else "identical")


def test_a_table_that_is_truncated_meanwhile_is_looked_at_again(verified):
    """With the snapshot of before it would be empty."""
    verified.target.execute("DELETE FROM t WHERE id = 3")
    blocker = verified.source.connect()
    blocker.autocommit = False
    with InBackground(verified, lock_timeout="1 min", recheck_delay="2 s") as background:
        wait_for_phase(verified, "waiting before looking again")
        blocker.cursor().execute("TRUNCATE t; INSERT INTO t VALUES (3, 'v3')")
        verified.source.cluster.wait_for(f"SELECT count(*) > 0 FROM pg_stat_activity WHERE pid = {background.pid} AND wait_event_type = 'Lock'")
        blocker.commit()
        background.join()
        assert background.result == "divergent"
    assert verified.divergences() == [("missing_on_target", {"id": "3"}, None)] and verified.part["details"]["conflicts"] == 1
    blocker.close()


@pytest.fixture
def wide(verified):
    """Compared and found to differ at row 3 of the target, and then not looked at again for a while."""
    verified.target.execute("UPDATE t SET v = 'x' WHERE id = 3")
    return {"recheck_delay": "3 s"}


@pytest.mark.in_turn("verify")
def test_a_target_that_is_exchanged_meanwhile_is_compared_anew(verified, wide):
    with InBackground(verified, **wide) as background:
        wait_for_phase(verified, "waiting before looking again")
        verified.target.execute("ALTER TABLE t RENAME TO t_old; CREATE TABLE t (id bigint PRIMARY KEY, v text); UPDATE t_old SET v = 'v3' WHERE id = 3")
        background.join(60)
        assert background.result == "divergent"
    assert (verified.part["target_rows"], verified.part["divergent_rows"], verified.part["details"]["conflicts"]) == (0, 300, 1)


@pytest.mark.in_turn("verify")
def test_a_source_that_is_exchanged_meanwhile_is_compared_anew(verified, wide):
    with InBackground(verified, **wide) as background:
        wait_for_phase(verified, "waiting before looking again")
        verified.source.execute("ALTER TABLE t RENAME TO t_old; CREATE TABLE t (id bigint PRIMARY KEY, v text); UPDATE t_old SET v = 'x' WHERE id = 3")
        background.join(60)
        assert background.result == "divergent"
    assert (verified.part["source_rows"], verified.part["divergent_rows"]) == (0, 300)
    assert is_unlocked(verified)


@pytest.mark.in_turn("verify")
@pytest.mark.parametrize("side", ["source", "target"])
def test_columns_that_are_added_meanwhile_are_compared(verified, wide, side):
    with InBackground(verified, **wide) as background:
        wait_for_phase(verified, "waiting before looking again")
        verified.both("ALTER TABLE t ADD w int DEFAULT 1; UPDATE t SET v = 'v3' WHERE id = 3")
        getattr(verified, side).execute("UPDATE t SET w = 2 WHERE id = 4")
        background.join(60)
        assert background.result == "divergent"
    assert verified.divergences() == [("mismatch", {"id": "4"}, ["w"])]


def test_a_target_that_is_dropped_meanwhile_is_a_failure(verified, wide):
    with InBackground(verified, **wide) as background:
        wait_for_phase(verified, "waiting before looking again")
        verified.target.execute("DROP TABLE t")
        background.join(60)
        assert background.result == "failed"
    assert verified.part["sqlstate"] == "42P01"


@contextlib.contextmanager
def frozen_target(verified):
    """Its postmaster, and the sessions of verifications, stand still."""
    with open(os.path.join(verified.target.cluster.data_directory, "postmaster.pid")) as file:
        pids = [int(file.readline())]
    pids += [pid for pid, in verified.target.query("SELECT pid FROM pg_stat_activity WHERE application_name = 'pg_parity'")]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.in_turn("verify")
@pytest.mark.since(14, end="cancel")  # before, a query on the target is cancelled through a connection to it, which has no limit
@pytest.mark.parametrize("end", ["statement timeout", "cancel"])
def test_a_target_that_stands_still_is_left(verified, end):
    verified.both(SLOW)
    verified.source.execute("CREATE OR REPLACE FUNCTION public.slow(id bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'")
    options = {"statement_timeout": "1 s"} if end == "statement timeout" else {}
    with InBackground(verified, filter="public.slow(id)", **options) as background:
        verified.wait_for_target("state = 'active' AND query LIKE '%range_digests%'")
        with frozen_target(verified):
            if end == "cancel":
                time.sleep(0.5)
                verified.source.execute("SELECT pg_cancel_backend(%s)", [background.pid])
            background.join(20)
    assert verified.part["status"] == ("cancelled" if end == "cancel" else "incomplete")
    assert is_unlocked(verified)


@pytest.mark.parametrize("locked", ["parity.divergence", "parity.run_table"])
def test_a_run_that_cannot_be_recorded_ends(verified, locked):
    verified.target.execute("DELETE FROM t WHERE id = 3")
    blocker = verified.source.connect()
    blocker.autocommit = False
    with contextlib.closing(verified.source.connect()) as connection:
        connection.cursor().execute("SET statement_timeout = '5 s'")
        thread = threading.Thread(target=lambda: pytest.raises(psycopg2.errors.QueryCanceled, verified.verify, connection=connection, recheck_delay="3 s"))
        thread.start()
        wait_for_phase(verified, "waiting before looking again")
        blocker.cursor().execute(f"LOCK TABLE {locked} IN ACCESS EXCLUSIVE MODE")
        if locked == "parity.run_table":
            time.sleep(5)  # longer than the timeout; how it ended is waited for a little longer
            blocker.rollback()
        thread.join(30)
        assert not thread.is_alive()
        assert is_unlocked(verified)  # while the session goes on
        blocker.rollback()
        assert verified.part["status"] == "cancelled" and verified.part["finished"]
        assert verified.part["divergent_rows"] + verified.part["in_flight_rows"] == 1
        assert verified.source.value("SELECT count(*) FROM parity.run WHERE finished IS NULL") == 0
        connection.cursor().execute("RESET statement_timeout")
        assert verified.verify(connection=connection) == "divergent"
    blocker.close()


# ---- replication -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def publisher_cluster():
    with Cluster("publisher", settings={"wal_level": "logical"}, installation=Installation.of_major(os.environ.get("PARITY_SOURCE_MAJOR"))) as cluster:
        yield cluster


@pytest.fixture
def logical(publisher_cluster, target_cluster):
    """t and hot are published and subscribed to; both are in step."""
    made = Verified(publisher_cluster.create_database(), target_cluster.create_database())
    made.both("CREATE TABLE t (id bigint PRIMARY KEY, v int, filler text DEFAULT 'x'); CREATE TABLE hot (id int PRIMARY KEY, v int);"
              "CREATE TABLE heap (v int); ALTER TABLE heap REPLICA IDENTITY FULL")
    made.source.execute("INSERT INTO t SELECT n, 0 FROM generate_series(1, 20000) n; INSERT INTO hot SELECT n, 0 FROM generate_series(1, 10) n")
    name = f"sub_{made.source.name}"
    made.source.execute("CREATE PUBLICATION everything FOR TABLE t, hot, heap")
    made.target.execute(f"CREATE SUBSCRIPTION {name} CONNECTION %s PUBLICATION everything", [made.source.tcp_conninfo()])
    made.subscription = name
    deadline = time.monotonic() + 60
    while made.target.value("SELECT count(*) FROM pg_subscription_rel WHERE srsubstate = 'r'") < 3:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    made.make_server()
    yield made
    made.target.execute(f"DROP SUBSCRIPTION {name}")
    target_cluster.drop_database(made.target)
    publisher_cluster.drop_database(made.source)


# How often it is looked at what changes to and fro.
OFTEN = 40 if os.environ.get("PARITY_LONG") else 15

# None of them touches the rows that are planted below: an update would make those good again.
UPDATES = ("UPDATE t SET v = v + 1 WHERE id = (SELECT 1 + (random() * 18999)::int)", "INSERT INTO t SELECT max(id) + 1, 0 FROM t",
           "DELETE FROM t WHERE id = (SELECT min(id) FROM t) AND id < 19000")


@pytest.mark.in_turn("verify")
def test_no_false_alarm_while_the_publisher_writes(logical):
    with Writer(logical.source, *UPDATES) as writer, Writer(logical.source, "UPDATE t SET v = v + 1 WHERE id % 1000 = 500", pause=0.05):
        # How soon all is seen equal at once depends on how busy the machine is.
        results, deadline = [], time.monotonic() + 180
        while len(results) < OFTEN // 4 or ("identical" not in results and time.monotonic() < deadline):
            results.append(logical.verify(rechecks=5))
        assert set(results) <= {"identical", "in_flight"}, logical.source.query("SELECT * FROM parity.run_table")
        assert "identical" in results
        logical.target.execute("SET session_replication_role = replica; UPDATE t SET filler = 'planted' WHERE id = 19001; DELETE FROM t WHERE id = 19002")
        assert logical.verify(rechecks=5) == "divergent"
        assert logical.divergences() == [("mismatch", {"id": "19001"}, ["filler"]), ("missing_on_target", {"id": "19002"}, None)]
        assert writer.rounds > 10
    assert logical.part["details"]["replication"]["kind"] == "logical" and logical.part["details"]["follows"] == "replayed"
    assert logical.source.value("SELECT sum(cleared_rows) FROM parity.run_table") > 0


def plant_in_hot(logical):
    """In a row that nobody writes."""
    logical.target.execute("SET session_replication_role = replica; UPDATE hot SET v = 9 WHERE id = 5")


@pytest.mark.in_turn("verify")
def test_rows_that_change_to_and_fro_are_no_false_alarm(logical):
    with Writer(logical.source, "UPDATE hot SET v = 1 - v WHERE id <= 3"), Writer(logical.source, "DELETE FROM hot WHERE id > 7", "INSERT INTO hot SELECT n, 0 FROM generate_series(8, 10) n"):
        results = [logical.verify("hot", rechecks=4, recheck_delay="5 ms") for _ in range(OFTEN)]
        plant_in_hot(logical)
        assert logical.verify("hot", rechecks=8) == "divergent" and logical.divergences() == [("mismatch", {"id": "5"}, ["v"])]
        logical.target.execute("UPDATE hot SET v = 0 WHERE id = 5")
    assert set(results) <= {"identical", "in_flight"}
    assert logical.verify("hot") == "identical"


@pytest.mark.in_turn("verify")
def test_ranges_that_change_to_and_fro_are_no_false_alarm(logical):
    with Writer(logical.source, "UPDATE hot SET v = 1 - v WHERE id <= 3"), Writer(logical.source, "DELETE FROM hot WHERE id > 7", "INSERT INTO hot SELECT n, 0 FROM generate_series(8, 10) n"):
        results = [logical.verify("hot", max_rows=0, rechecks=4, recheck_delay="5 ms") for _ in range(OFTEN)]
    assert set(results) <= {"identical", "in_flight"}, results
    assert logical.verify("hot", max_rows=0) == "identical"
    plant_in_hot(logical)
    assert logical.verify("hot", max_rows=0) == "divergent" and [kind for kind, _, _ in logical.divergences()] == ["range"]


@pytest.mark.parametrize("writes", ["SELECT", "UPDATE t SET v = v + 1 WHERE id < 9", "UPDATE hot SET v = 0 WHERE id = 7"])
def test_ranges_without_named_rows_are_confirmed(logical, writes):
    """Writers end between the looks; a range that they write to may have to be looked at again and again."""
    for plant, undo in [("UPDATE hot SET v = 9 WHERE id = 2", "UPDATE hot SET v = 0 WHERE id = 2"),
                        ("DELETE FROM hot WHERE id = 2", "INSERT INTO hot VALUES (2, 0)"),
                        ("INSERT INTO hot VALUES (20, 0)", "DELETE FROM hot WHERE id = 20")]:
        logical.target.execute(f"SET session_replication_role = replica; {plant}")
        with Writer(logical.source, writes, pause=0.01):
            assert logical.verify("hot", max_rows=0, rechecks=8, ranges=2) in ("divergent", "in_flight" if "hot" in writes else ""), logical.part["message"]
        assert logical.verify("hot", max_rows=0, rechecks=8, ranges=2) == "divergent"
        assert logical.source.query("SELECT kind, state FROM parity.divergence WHERE run_table_id = (SELECT max(id) FROM parity.run_table)") == [("range", "divergent")]
        logical.target.execute(undo)


@contextlib.contextmanager
def waiting_for_a_standby(verified, statement, shown):
    """A commit that waits for a synchronous standby that does not exist, and that the target shows already."""
    with contextlib.closing(verified.source.connect()) as connection:
        connection.cursor().execute("SET synchronous_commit = on")
        thread = threading.Thread(target=lambda: connection.cursor().execute(statement))
        thread.start()
        verified.source.cluster.wait_for("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        try:
            deadline = time.monotonic() + 20
            while not verified.target.value(shown):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield
        finally:
            connection.cancel()
            thread.join(30)
            assert not thread.is_alive()


@contextlib.contextmanager
def missing_synchronous_standby(verified):
    verified.source.execute("SET synchronous_commit = local")
    verified.source.execute("ALTER SYSTEM SET synchronous_standby_names = 'ghost'")
    verified.source.execute("SELECT pg_reload_conf()")
    verified.source.cluster.wait_for("SELECT current_setting('synchronous_standby_names') = 'ghost'")
    try:
        yield
    finally:
        verified.source.execute("ALTER SYSTEM RESET synchronous_standby_names")
        verified.source.execute("SELECT pg_reload_conf()")


@pytest.mark.in_turn("verify")
@pytest.mark.matrix(sample=2)
@pytest.mark.parametrize("statement, undo", [
    ("UPDATE hot SET v = 77 WHERE id = 9", "UPDATE hot SET v = 0 WHERE id = 9"), ("DELETE FROM hot WHERE id = 9", "INSERT INTO hot VALUES (9, 0)"),
    ("INSERT INTO hot VALUES (11, 0)", "DELETE FROM hot WHERE id = 11"), ("INSERT INTO heap VALUES (5), (5)", "DELETE FROM heap"),
    ("BEGIN; SAVEPOINT s; UPDATE hot SET v = 77 WHERE id = 9; RELEASE s; COMMIT", "UPDATE hot SET v = 0 WHERE id = 9")])
def test_what_waits_for_a_synchronous_standby_is_no_false_alarm(logical, statement, undo):
    shown = "SELECT (SELECT max(id) > 10 OR max(v) > 0 OR count(*) < 10 FROM hot) OR EXISTS (SELECT FROM heap)"
    relation = "heap" if "heap" in statement else "hot"
    with missing_synchronous_standby(logical):
        with waiting_for_a_standby(logical, statement, shown):
            assert logical.verify(relation, rechecks=5) == "in_flight"
            assert logical.verify(relation, rechecks=5, max_rows=0) == "in_flight"
            # What differs besides is confirmed where nobody can have changed it.
            if relation == "hot":
                logical.target.execute("SET session_replication_role = replica; UPDATE hot SET v = 5 WHERE id = 2")
                assert logical.verify(relation) == "divergent"
                assert logical.divergences() == [("mismatch", {"id": "2"}, ["v"])]
                logical.target.execute("UPDATE hot SET v = 0 WHERE id = 2")
        assert logical.verify(relation) == "identical"
        logical.source.execute(undo)
        assert logical.verify(relation) == "identical"


@pytest.mark.parametrize("found", [{}, {"found": {"look": 1, "open": {"1": []}}, "looks": 1, "follows": "at once"}])
def test_the_newest_transaction_that_waits_for_a_standby_is_among_the_writers(logical, found):
    """The steps are taken by hand: nothing else has a number between the writer's and the pass."""
    logical.verify("hot")
    ask = {"wait": 0, "lock_timeout": "10000", "statement_timeout": "0", "allow_same_server": False, "rechecks": 3}
    job = {"ask": ask, "server": "replica", "name": "public.hot", "target": "public.hot", "phase": "comparing",
           "relation": logical.source.value("SELECT 'hot'::regclass::oid"), **found}
    with contextlib.closing(logical.source.connect()) as connection, missing_synchronous_standby(logical), connection.cursor() as cursor:
        cursor.execute("SELECT parity_internal.verify_connect(parity_internal.verify_open(%s))", [json.dumps(job)])
        job = cursor.fetchone()[0]
        with waiting_for_a_standby(logical, "UPDATE hot SET v = 77 WHERE id = 9", "SELECT v = 77 FROM hot WHERE id = 9"):
            writer = logical.source.value("SELECT backend_xid::text FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
            job["phase"] = logical.source.value("SELECT parity_internal.verify_phase(%s)", [json.dumps(job)])
            cursor.execute("SELECT parity_internal.verify_step(%s)", [json.dumps(job)])
            job = cursor.fetchone()[0]
            assert job["step"] == "pass"
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT parity_internal.verify_writers(%s)", [json.dumps(job)])
            assert writer in cursor.fetchone()[0]
            connection.rollback()


@pytest.mark.parametrize("where,result", [("INSERT INTO heap VALUES (1)", "divergent"), ("UPDATE hot SET v = 1 WHERE id = 10", "in_flight")])
def test_a_long_transaction_delays_only_what_it_may_have_written(logical, where, result):
    with contextlib.closing(logical.source.connect()) as writer:
        writer.autocommit = False
        writer.cursor().execute(where)
        logical.target.execute("SET session_replication_role = replica; INSERT INTO hot VALUES (20, 0)")
        assert logical.verify("hot") == result
        logical.target.execute("UPDATE hot SET v = 9 WHERE id = 2")
        assert logical.verify("hot") == "divergent"
        assert ("mismatch", {"id": "2"}, ["v"]) in logical.divergences()
        writer.rollback()
    assert logical.verify("hot") == "divergent"
    assert logical.part["in_flight_rows"] == 0 and logical.part["divergent_rows"] == 2


def test_a_row_that_does_not_follow_is_confirmed_while_it_changes_here(logical):
    logical.target.execute("CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
                           "CREATE TRIGGER skip BEFORE UPDATE ON hot FOR EACH ROW WHEN (OLD.id = 4) EXECUTE FUNCTION skip();"
                           "ALTER TABLE hot ENABLE ALWAYS TRIGGER skip")
    with Writer(logical.source, "UPDATE hot SET v = v + 1 WHERE id = 4", pause=0.01):
        assert any(logical.verify("hot", rechecks=8) == "divergent" for _ in range(3))
    assert logical.divergences() == [("mismatch", {"id": "4"}, ["v"])]


def test_from_the_subscriber_nothing_is_told_for_sure(logical):
    reverse = Verified(logical.target, logical.source)
    reverse.source.execute("CREATE EXTENSION IF NOT EXISTS dblink")
    reverse.make_server("publisher")
    assert reverse.verify("hot", server="publisher") == "identical"
    logical.target.execute("SET session_replication_role = replica; UPDATE hot SET v = 9 WHERE id = 2")
    assert reverse.verify("hot", server="publisher") == "in_flight"
    assert "subscribes" in reverse.part["message"]


@pytest.mark.in_turn("verify")
def test_a_table_without_a_key_that_changes_to_and_fro(logical):
    with Writer(logical.source, "INSERT INTO heap VALUES (1)", "DELETE FROM heap"):
        results = [logical.verify("heap", recheck_delay="5 ms") for _ in range(OFTEN)]
    assert set(results) <= {"identical", "in_flight"}
    logical.target.execute("INSERT INTO heap VALUES (2), (2)")
    assert logical.verify("heap", with_values=True) == "divergent"
    assert logical.divergences() == [("missing_on_source", {"v": "2"}, None)] and logical.part["details"]["looks"] == 2


@pytest.mark.in_turn("verify")
def test_many_rows_in_flight_are_named_when_there_is_room(logical):
    with Writer(logical.source, "UPDATE t SET v = v + 1 WHERE id % 10 = 1", pause=0.3):
        results = [logical.verify(max_rows=50, rechecks=3) for _ in range(4)]
    assert set(results) <= {"identical", "in_flight"}
    assert logical.verify(max_rows=50) == "identical"
    logical.target.execute("SET session_replication_role = replica; UPDATE t SET filler = 'planted' WHERE id = 19002")
    assert logical.verify(max_rows=50) == "divergent" and logical.divergences() == [("mismatch", {"id": "19002"}, ["filler"])]


@pytest.mark.in_turn("verify")
def test_a_target_that_lags_is_in_flight(logical):
    blocker = logical.target.connect()
    blocker.autocommit = False
    blocker.cursor().execute("LOCK TABLE t IN SHARE MODE")
    logical.source.execute("UPDATE t SET v = 77 WHERE id < 5")
    assert logical.verify(replay_timeout="300 ms", rechecks=2) == "in_flight"
    assert "had not replayed" in logical.part["message"] and logical.part["in_flight_rows"] == 4
    assert logical.source.query("SELECT DISTINCT state FROM parity.divergence") == [("in_flight",)]
    with InBackground(logical, replay_timeout="30 s") as background:
        wait_for_phase(logical, "waiting for the target to replay")
        blocker.rollback()
        background.join()
        assert background.result == "identical"
    assert logical.part["cleared_rows"] == 4
    blocker.close()
    logical.target.execute("SET session_replication_role = replica; UPDATE t SET filler = 'planted' WHERE id = 3")
    assert logical.verify(replay_timeout="30 s") == "divergent" and logical.divergences() == [("mismatch", {"id": "3"}, ["filler"])]


def test_a_role_that_may_not_see_replication_gets_by(logical):
    name = f"verifier_{logical.source.name}"
    logical.source.execute(f"CREATE ROLE {name} LOGIN; GRANT parity_operator TO {name}; GRANT SELECT ON t TO {name}; GRANT USAGE ON FOREIGN SERVER replica TO {name}")
    logical.source.execute(f"CREATE USER MAPPING FOR {name} SERVER replica OPTIONS (user 'postgres', password %s)", [PASSWORD])
    connection = logical.source.connect(user=name)
    logical.target.execute("SET session_replication_role = replica; UPDATE t SET filler = 'planted' WHERE id = 101")
    assert logical.verify(connection=connection) == "divergent"
    assert logical.part["details"]["follows"] == "replayed"
    connection.close()
    logical.source.execute(f"DROP USER MAPPING FOR {name} SERVER replica; DROP OWNED BY {name}; DROP ROLE {name}")


def test_a_disabled_subscription_is_no_excuse(logical):
    logical.target.execute(f"ALTER SUBSCRIPTION {logical.subscription} DISABLE")
    deadline = time.monotonic() + 20
    while logical.target.value("SELECT count(pid) FROM pg_stat_subscription"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    logical.source.execute("UPDATE t SET v = 78 WHERE id = 6")
    assert logical.verify() == "divergent"
    assert "is disabled" in logical.part["details"]["replication"]["reason"]
    assert logical.part["message"] == f"subscription {logical.subscription} of the target is disabled, so what differs may be what it has not received"


def test_an_index_of_a_subscriber_that_lacks_rows_under_a_filter(logical):
    """Which versions its rows have is found without the index as well."""
    target, options = logical.target, {"filter": "id BETWEEN 100 AND 131", "recheck_delay": "0 s"}
    target.execute("SET session_replication_role = replica; DELETE FROM t WHERE id BETWEEN 101 AND 130; RESET session_replication_role")
    target.execute("VACUUM ANALYZE t")
    insert_unindexed(target, ", ".join(f"({n}, 0, 'x')" for n in range(101, 131)))
    assert logical.verify(**options) == "identical" and logical.part["target_rows"] == 32
    assert "does not agree with the table on target" in logical.part["message"]
    target.execute("SET enable_indexscan = off; SET enable_bitmapscan = off; UPDATE t SET v = 7 WHERE id IN (110, 131)")
    for rows in (1000, 0):
        assert logical.verify(max_rows=rows, **options) == "divergent", logical.part["message"]
        assert logical.part["details"]["follows"] == "replayed" and logical.part["target_rows"] == 32
        assert logical.part["divergent_rows"] == min(rows, 2)


def wait_until(database, sql, seconds=30):
    deadline = time.monotonic() + seconds
    while not database.value(sql):
        assert time.monotonic() < deadline, sql
        time.sleep(0.05)


@pytest.mark.since(15)  # ALTER SUBSCRIPTION … SKIP
def test_a_transaction_that_a_subscription_skips_is_lost(logical):
    """A conflict stops the subscription, and whoever runs it has the transaction skipped. What else it did never comes."""
    target = logical.target
    lost = [("mismatch", {"id": "10"}, ["v"]), ("mismatch", {"id": "50000"}, ["filler", "v"]), ("missing_on_target", {"id": "50001"}, None)]
    target.execute(f"ALTER SUBSCRIPTION {logical.subscription} SET (disable_on_error = true)")
    assert logical.verify() == "identical"
    target.execute("INSERT INTO t VALUES (50000, 1, 'local')")
    logical.source.execute("BEGIN; INSERT INTO t VALUES (50000, 2, 'published'), (50001, 3, 'published'); UPDATE t SET v = -1 WHERE id = 10; COMMIT")
    wait_until(target, f"SELECT NOT subenabled FROM pg_subscription WHERE subname = '{logical.subscription}'")
    assert logical.verify() == "divergent" and sorted(logical.divergences(), key=str) == lost
    assert logical.part["message"] == f"subscription {logical.subscription} of the target is disabled, so what differs may be what it has not received"
    lsn = re.findall(r'"INSERT" for replication target relation "public.t" in transaction \d+, finished at (\S+)', target.cluster.log())[-1]
    target.execute(f"ALTER SUBSCRIPTION {logical.subscription} SKIP (lsn = '{lsn}')")
    target.execute(f"ALTER SUBSCRIPTION {logical.subscription} ENABLE")
    logical.source.execute("INSERT INTO t VALUES (60000, 0, 'after')")
    wait_until(target, "SELECT count(*) = 1 FROM t WHERE id = 60000")
    assert logical.verify() == "divergent" and sorted(logical.divergences(), key=str) == lost
    assert logical.part["details"]["follows"] == "replayed" and logical.part["message"] is None
    target.execute("UPDATE t SET v = 2, filler = 'published' WHERE id = 50000; INSERT INTO t VALUES (50001, 3, 'published'); UPDATE t SET v = -1 WHERE id = 10")
    assert logical.verify() == "identical"


def test_a_tree_of_inheritance(verified):
    """A parent has its children's rows, and the children are tables of their own."""
    verified.both("DROP TABLE t; CREATE TABLE m (id int PRIMARY KEY, v text); CREATE TABLE c1 () INHERITS (m); CREATE TABLE c2 () INHERITS (m)")

    def nightly():
        result = verified.verify(procedure="verify_schema")
        return result, dict(verified.source.query(
            "SELECT relation, status || ' ' || source_rows FROM parity.run_table WHERE run_id = (SELECT max(id) FROM parity.run)"))
    verified.both("INSERT INTO m VALUES (0, 'v')")
    for side, border in ((verified.source, 100), (verified.target, 150)):
        side.execute(f"INSERT INTO c1 SELECT n, 'v' FROM generate_series(1, {border}) n; INSERT INTO c2 SELECT n, 'v' FROM generate_series({border + 1}, 300) n")
    assert nightly() == ("divergent", {"public.m": "identical 301", "public.c1": "divergent 100", "public.c2": "divergent 200"})
    assert verified.verify(procedure="verify_schema", exclude=["c?"]) == "identical"
    verified.target.execute("UPDATE m SET v = 'x' WHERE id = 7")
    assert verified.verify(procedure="verify_schema", exclude=["c?"]) == "divergent" and verified.divergences() == [("mismatch", {"id": "7"}, ["v"])]


@pytest.mark.in_turn("verify")
def test_a_standby(publisher_cluster):
    source = publisher_cluster.create_database()
    source.execute("CREATE TABLE t (id bigint PRIMARY KEY, v int); INSERT INTO t SELECT n, 0 FROM generate_series(1, 5000) n")
    with Cluster("standby", standby_of=publisher_cluster) as standby:
        standby.catch_up()
        made = Verified(source, standby.database(source.name))
        made.make_server()
        assert made.verify() == "identical"
        assert made.part["details"]["replication"]["kind"] == "physical"
        with Writer(source, "UPDATE t SET v = v + 1 WHERE id % 100 = 7", pause=0.05):
            assert {made.verify(rechecks=5, max_rows=n) for n in (1000, 0, 1000, 0, 10)} <= {"identical", "in_flight"}
        with missing_synchronous_standby(made), waiting_for_a_standby(made, "UPDATE t SET v = -2 WHERE id = 10", "SELECT v = -2 FROM t WHERE id = 10"):
            assert {made.verify(rechecks=5), made.verify(rechecks=5, max_rows=0)} == {"in_flight"}
        standby.catch_up()
        made.target.execute("SELECT pg_wal_replay_pause()")
        source.execute("UPDATE t SET v = -1 WHERE id = 9")
        assert made.verify(replay_timeout="200 ms", rechecks=1) == "in_flight"
        with InBackground(made, replay_timeout="30 s") as background:
            wait_for_phase(made, "waiting for the target to replay")
            made.target.execute("SELECT pg_wal_replay_resume()")
            background.join()
            assert background.result == "identical"
        assert made.part["cleared_rows"] == 1
        source.execute("ALTER TABLE t ADD w text; UPDATE t SET w = 'needle 17' WHERE id = 17")
        made.target.close()
        damage_value(source, standby, "t", "needle 17", "needle 71")
        for n in (1000, 0):
            assert made.verify(max_rows=n) == "divergent"
            assert made.part["details"]["replication"]["kind"] == "physical"
        assert made.verify(max_rows=1000) == "divergent" and made.divergences() == [("mismatch", {"id": "17"}, ["w"])]
        made.target.close()
        source.close()

