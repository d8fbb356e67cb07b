"""parity.verify under logical replication with keys that are shown otherwise than they are written: which versions of a row there are is told
of that row, and of no other one whose key is written so."""

import os
import time

import pytest

from support.cluster import Cluster
from support.installation import Installation
from support.verified import InBackground, Verified, Writer, wait_for_phase

pytestmark = pytest.mark.matrix(sample=1)

# For each kind of key: its type, the keys of rows, the hot row's condition, what is done to it again and again, and what makes another row differ.
# The hot row is shown as the key of another one is written, where that is possible.
BUMP = "v = v + 1"
KEYS = {
    "money": ("money", "(n::text)::money", "k = '1'::money", BUMP, "k = '700'::money"),
    "char": ('"char"', "chr((n % 120 + 1)::int)::\"char\"", "k = 'a'", BUMP, "k = 'b'"),
    "varbit": ("varbit", "n::bit(12)::varbit", "k = n_as_bits(1)", BUMP, "k = n_as_bits(700)"),
    "blind": ("text COLLATE blind", "'a' || n", "k COLLATE \"C\" IN ('a1', 'A1')",
              "k = CASE WHEN k COLLATE \"C\" = 'a1' THEN 'A1' ELSE 'a1' END", "k = 'a700'"),
    "domain": ("small", "n", "k = 1", BUMP, "k = 700"),
    "float": ("float8", "CASE n WHEN 1 THEN 'NaN' WHEN 2 THEN '-0' ELSE n / 7.0 END", "k = 'NaN'", BUMP, "k = 700 / 7.0"),
    "date": ("date", "CASE n WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' ELSE date '2000-01-01' + n END", "k = 'infinity'", BUMP,
             "k = date '2000-01-01' + 700"),
    "range": ("int4range", "CASE n WHEN 1 THEN 'empty' ELSE int4range(n, n + 1) END", "k = 'empty'", BUMP, "k = int4range(700, 701)"),
    "array": ("text[]", "CASE n WHEN 1 THEN '{NULL}' WHEN 2 THEN '{\"NULL\"}' ELSE ARRAY[n::text] END", "k = '{NULL}'", BUMP, "k = ARRAY['700']"),
    "enum": ("mood", "CASE n WHEN 1 THEN 'sad' WHEN 2 THEN 'ok' ELSE 'happy' END::mood", "k = 'sad'", BUMP, "k = 'happy'"),
    "record": ("twofold", "ROW(n, CASE n WHEN 1 THEN NULL ELSE '' END)::twofold", "k = ROW(1, NULL)::twofold", BUMP, "k = ROW(700, '')::twofold"),
    "interval": ("interval", "n * interval '1 hour'", "k = '1 hour'", BUMP, "k = 700 * interval '1 hour'"),
}
SHORT = ["money", "blind"]


@pytest.fixture(scope="module")
def publisher():
    with Cluster("publisher", settings={"wal_level": "logical"}, installation=Installation.of_major(os.environ.get("PARITY_SOURCE_MAJOR"))) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def published(publisher, target_cluster):
    """A table for each kind of key, published and in step. The lock on `gate` lets nothing that comes after a row of that table through."""
    made = Verified(publisher.create_database(), target_cluster.create_database())
    made.both("CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
              "CREATE DOMAIN small AS int CHECK (VALUE > 0); CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE TYPE twofold AS (a int, b text);"
              "CREATE FUNCTION n_as_bits(n int) RETURNS varbit LANGUAGE sql IMMUTABLE AS 'SELECT $1::bit(12)::varbit';"
              "CREATE TABLE gate (n int PRIMARY KEY)")
    for name, (kind, key, *_) in KEYS.items():
        made.both(f"CREATE TABLE \"{name}\" (k {kind} PRIMARY KEY, v bigint)")
        made.source.execute(f"INSERT INTO \"{name}\" SELECT ({key})::{kind.split(' COLLATE')[0]}, 0 FROM generate_series(1, 1000) n ON CONFLICT DO NOTHING")
    subscription = f"sub_{made.source.name}"
    made.source.execute("CREATE PUBLICATION everything FOR TABLE gate, " + ", ".join(f'"{name}"' for name in KEYS))
    made.target.execute(f"CREATE SUBSCRIPTION {subscription} CONNECTION %s PUBLICATION everything", [made.source.tcp_conninfo()])
    made.slot = subscription
    deadline = time.monotonic() + 60
    while made.target.value("SELECT count(*) FROM pg_subscription_rel WHERE srsubstate = 'r'") < len(KEYS) + 1:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    made.make_server()
    yield made
    made.target.execute(f"DROP SUBSCRIPTION {subscription}")
    target_cluster.drop_database(made.target)
    publisher.drop_database(made.source)


class Gate:
    """While it is shut, what is written here does not show on the target."""

    def __init__(self, made):
        self._made = made
        self._lock = made.target.connect()
        self._lock.autocommit = False

    def shut(self):
        self._lock.cursor().execute("LOCK TABLE gate IN SHARE MODE")
        self._made.source.execute("INSERT INTO gate SELECT count(*) FROM gate")

    def open(self):
        """Waits until the target has replayed all, and has said so."""
        self._lock.rollback()
        lsn = self._made.source.value("SELECT pg_current_wal_insert_lsn()")
        self._made.source.cluster.wait_for(
            f"SELECT coalesce(bool_and(greatest(w.replay_lsn, s.confirmed_flush_lsn) >= '{lsn}'), false) FROM pg_replication_slots s "
            f"LEFT JOIN pg_stat_replication w ON w.pid = s.active_pid WHERE s.slot_name = '{self._made.slot}'")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self._lock.close()


@pytest.mark.in_turn("verify")
@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in SHORT else pytest.mark.long) for name in KEYS])
def test_a_row_that_is_always_on_its_way_is_no_divergence(published, name):
    """At each look the target lacks the last change of the row, and has all that the look before saw. Another row that differs is confirmed."""
    _, _, hot, change, other = KEYS[name]
    write = f"UPDATE \"{name}\" SET {change} WHERE {hot}"
    assert published.source.value(f"SELECT count(*) FROM \"{name}\" WHERE {hot}") == 1
    for planted in (False, True):
        if planted:
            published.target.execute(f"SET session_replication_role = replica; UPDATE \"{name}\" SET v = -1 WHERE {other}; RESET session_replication_role")
        with Gate(published) as gate:
            gate.shut()
            published.source.execute(write)
            with InBackground(published, relation=f'"{name}"', recheck_delay="3 s", rechecks=1) as background:
                wait_for_phase(published, "waiting before looking again")
                gate.open()
                gate.shut()
                published.source.execute(write)
                background.join()
            gate.open()
        part = published.part
        assert (background.result, part["divergent_rows"], part["cleared_rows"]) == (("divergent", 1, 0) if planted else ("in_flight", 0, 0)), part
        assert part["in_flight_rows"] == (2 if name == "blind" else 1) and part["details"]["follows"] == "replayed"
    kept = published.source.value(f"SELECT v FROM \"{name}\" WHERE {other}")
    published.target.execute(f"SET session_replication_role = replica; UPDATE \"{name}\" SET v = {kept} WHERE {other}; RESET session_replication_role")


@pytest.mark.long
@pytest.mark.parametrize("name", KEYS)
def test_no_false_alarm_under_load(published, name):
    _, _, hot, change, other = KEYS[name]
    with Writer(published.source, f"UPDATE \"{name}\" SET {change} WHERE {hot}", pause=0.004):
        results = [published.verify(f'"{name}"', recheck_delay="200 ms", rechecks=3) for _ in range(4)]
    assert set(results) <= {"identical", "in_flight"}, results
    published.target.execute(f"SET session_replication_role = replica; UPDATE \"{name}\" SET v = -2 WHERE {other}; RESET session_replication_role")
    assert published.verify(f'"{name}"') == "divergent"
    assert published.part["divergent_rows"] == 1 and published.part["in_flight_rows"] == 0
