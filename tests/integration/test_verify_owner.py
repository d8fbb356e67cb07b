"""What a table's owner writes must not run with the rights of a superuser who verifies, captures or compares: tables that become views, before
a run comes to them and while it is at them, on either side."""

import contextlib
import json
import os
import re

import psycopg2
import pytest

from support.cluster import Cluster
from support.pgparity import DIVERGENT, IDENTICAL
from support.verified import InBackground, Verified, wait_for_phase

pytestmark = pytest.mark.matrix(sample=1)

# Says who it runs for, if that is a superuser.
EVIL = """
CREATE FUNCTION pub.evil(n int) RETURNS boolean LANGUAGE plpgsql {volatility} AS $$
BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE LOG 'ran with the rights of %', current_user;
    END IF;
    RETURN true;
END $$"""
VIEW = "CREATE VIEW pub.zzz AS SELECT 1 AS id, 'x'::text AS v WHERE pub.evil(1)"


class Owned(Verified):
    """Two databases in which an ordinary role owns the tables that a superuser verifies. What is written in one may come to the other by itself."""

    def __init__(self, source, target, target_follows=False):
        super().__init__(source, target)
        self.owner = f"owner_{source.name}"
        self.written = (source,) if target_follows else (source, target)
        self._logs = [source.cluster.log_file, target.cluster.log_file]
        for side in self.written:
            side.execute(f"DROP ROLE IF EXISTS {self.owner}; CREATE ROLE {self.owner} LOGIN; CREATE SCHEMA pub; GRANT ALL ON SCHEMA pub TO {self.owner}")
            self.as_owner(side, EVIL.format(volatility="VOLATILE"))
        self.marks = [self._ran(log) for log in self._logs]

    def as_owner(self, side, sql):
        """In a session of the owner."""
        with contextlib.closing(side.connect(user=self.owner)) as connection, connection.cursor() as cursor:
            cursor.execute(sql)

    def owners(self, sql):
        for side in self.written:
            self.as_owner(side, sql)

    @staticmethod
    def _ran(log):
        with open(log, errors="replace") as file:
            return file.read().count("ran with the rights of")

    def ran(self):
        """How often the owner's function ran with a superuser's rights, on both sides, since the tables were made."""
        return [self._ran(log) - mark for log, mark in zip(self._logs, self.marks)]

    def told(self):
        """What the logs tell of it, for people."""
        found = []
        for log in self._logs:
            with open(log, errors="replace") as file:
                found += re.findall(r"ran with the rights of.*\n(?:.*CONTEXT.*\n(?:\t.*\n)*)?(?:.*STATEMENT.*\n)?", file.read())
        return "\n".join(found[-6:])

    def parts(self):
        return dict(self.source.query("SELECT relation, status::text FROM parity.run_table WHERE run_id = (SELECT max(id) FROM parity.run)"))


@pytest.fixture
def owned(pair):
    made = Owned(pair.source, pair.target)
    made.make_server()
    made.owners("CREATE TABLE pub.zzz (id int PRIMARY KEY, v text)")
    yield made
    for side in (made.source, made.target):
        side.execute(f"DROP OWNED BY {made.owner} CASCADE; DROP ROLE {made.owner}")
        side.close()


def exchange(database, owner, how):
    """The owner makes a view of the table."""
    with contextlib.closing(database.connect(user=owner)) as connection, connection.cursor() as cursor:
        if how == "rule":
            cursor.execute("ALTER TABLE pub.zzz DROP CONSTRAINT zzz_pkey")
            cursor.execute("VACUUM pub.zzz")  # it remembers that it had an index
            cursor.execute("CREATE RULE \"_RETURN\" AS ON SELECT TO pub.zzz DO INSTEAD SELECT 1 AS id, CASE WHEN pub.evil(1) THEN 'x' END AS v")
        else:
            cursor.execute("BEGIN; DROP TABLE pub.zzz; " + VIEW + "; COMMIT")


SIDES = [("source", "rule"), ("target", "rule"), ("target", "exchange")]


@pytest.mark.until(15, how="rule")
@pytest.mark.parametrize("side,how", SIDES)
def test_a_table_that_becomes_a_view_before_its_turn(owned, side, how):
    owned.both("CREATE TABLE pub.aaa (id int PRIMARY KEY, v text); INSERT INTO pub.aaa VALUES (1, 'a')")
    owned.target.execute("UPDATE pub.aaa SET v = 'b'")
    with InBackground(owned, procedure="verify_schema", patterns=["pub.*"], recheck_delay="2 s", rechecks=1) as background:
        wait_for_phase(owned, "waiting before looking again")
        exchange(getattr(owned, side), owned.owner, how)
        background.join(60)
    assert background.result == "divergent"
    assert owned.parts() == {"pub.aaa": "divergent", "pub.zzz": "failed"}
    assert owned.part["sqlstate"] == "42809" and "view" in owned.part["message"], owned.part["message"]
    assert owned.ran() == [0, 0], owned.told()


@pytest.mark.matrix(sample=1)
@pytest.mark.parametrize("named", ["verify", "verify_schema"])
@pytest.mark.until(15, how="rule")  # later, a rule makes no view of a table
@pytest.mark.parametrize("side,how", [("source", "exchange"), ("target", "exchange"), ("target", "rule")])
def test_a_table_that_becomes_a_view_between_two_looks(owned, side, how, named):
    owned.as_owner(owned.source, "INSERT INTO pub.zzz VALUES (1, 'a')")
    with InBackground(owned, procedure=named, recheck_delay="2 s", rechecks=1,
                      **({"relation": "pub.zzz"} if named == "verify" else {"patterns": ["pub.*"]})) as background:
        wait_for_phase(owned, "waiting before looking again")
        exchange(getattr(owned, side), owned.owner, how)
        background.join(60)
    assert background.result == "failed"
    assert owned.part["sqlstate"] == "42809" and "and is a view now" in owned.part["message"], owned.part["message"]
    assert owned.ran() == [0, 0], owned.told()


@pytest.mark.until(15, how="rule")  # later, a rule makes no view of a table
@pytest.mark.parametrize("side,how", [("source", "rule"), ("target", "rule"), ("source", "exchange"), ("target", "exchange")])
def test_a_table_that_becomes_a_view_between_snapshot_and_lock(owned, side, how):
    """The pass has its snapshots, which tell of a table for ever. The steps are taken by hand."""
    ask = {"wait": 0, "lock_timeout": "10000", "statement_timeout": "0", "allow_same_server": False, "rechecks": 3, "max_rows": 10,
           "with_values": False, "recheck_delay": 0}
    job = {"ask": ask, "server": "replica", "name": "pub.zzz", "target": "pub.zzz", "phase": "comparing",
           "relation": owned.source.value("SELECT 'pub.zzz'::regclass::oid")}
    with contextlib.closing(owned.source.connect()) as connection, connection.cursor() as cursor:
        def step(name):
            cursor.execute(f"SELECT parity_internal.verify_{name}(%s)", [json.dumps(job)])
            return cursor.fetchone()[0]
        job = step("open")
        job = step("connect")
        job = step("step")
        assert job["step"] == "pass"
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT")
        exchange(getattr(owned, side), owned.owner, how)
        job = step("pass")
        assert job["step"] == "connect" and "found" not in job
        cursor.execute("ROLLBACK")
        with pytest.raises(psycopg2.errors.WrongObjectType, match="was a table.*and is a view now"):
            job = step("open")
            step("connect")
    assert owned.ran() == [0, 0], owned.told()


def test_a_view_that_is_named_is_read(owned):
    """As any query of a superuser would read it."""
    for side in (owned.source, owned.target):
        exchange(side, owned.owner, "exchange")
    assert owned.verify("pub.zzz") == "identical"
    assert owned.ran()[0] > 0 and owned.ran()[1] > 0
    owned.target.execute("CREATE OR REPLACE VIEW pub.zzz AS SELECT 1 AS id, 'y'::text AS v")
    assert owned.verify("pub.zzz") == "divergent"


@pytest.mark.until(15, how="rule")  # later, a rule makes no view of a table
@pytest.mark.parametrize("how", ["rule", "exchange", "renamed"])
def test_a_captured_table_that_becomes_a_view(owned, how):
    source = owned.source
    if how == "renamed":
        owned.as_owner(source, "INSERT INTO pub.zzz SELECT n, 'x' FROM generate_series(1, 100) n")
    source.execute("SELECT * FROM parity.capture('pub.zzz', 'closed')")
    assert baseline(owned) == "identical"
    if how == "renamed":
        owned.as_owner(source, "UPDATE pub.zzz SET v = 'y' WHERE id = 7")
        assert baseline(owned) == "divergent"
        owned.as_owner(source, "UPDATE pub.zzz SET v = 'x' WHERE id = 7")
        owned.as_owner(source, "BEGIN; ALTER TABLE pub.zzz RENAME TO zzz_0; CREATE VIEW pub.zzz AS SELECT * FROM pub.zzz_0 WHERE id > 1 OR pub.evil(1); COMMIT")
    else:
        exchange(source, owned.owner, how)
    assert baseline(owned) == "failed"
    assert owned.part["sqlstate"] == "42809"
    assert owned.part["message"] == "pub.zzz was a table when it was captured, and is a view now"
    assert owned.ran() == [0, 0], owned.told()


def baseline(owned, relation="pub.zzz"):
    with owned.source.connection.cursor() as cursor:
        cursor.execute("CALL parity.verify_baseline(%s, 'closed')", [relation])
        return cursor.fetchone()[1]


def test_a_baseline_remembers_how_its_rows_were_read(owned):
    """Rows that another table access method keeps are read by a query. Equal or not, that is not what was captured."""
    source = owned.source
    source.execute("CREATE ACCESS METHOD other_heap TYPE TABLE HANDLER heap_tableam_handler")
    owned.as_owner(source, "INSERT INTO pub.zzz SELECT n, 'x' FROM generate_series(1, 100) n")
    source.execute("SELECT * FROM parity.capture('pub.zzz', 'closed')")
    assert source.query("SELECT kind, path FROM parity.baseline") == [("r", "scan")]
    assert baseline(owned) == "identical"
    owned.as_owner(source, "UPDATE pub.zzz SET v = 'y' WHERE id = 7")
    assert baseline(owned) == "divergent"
    owned.as_owner(source, "UPDATE pub.zzz SET v = 'x' WHERE id = 7")
    source.execute("CREATE TABLE pub.kept (LIKE pub.zzz INCLUDING ALL) USING other_heap; INSERT INTO pub.kept SELECT * FROM pub.zzz;"
                   "DROP TABLE pub.zzz; ALTER TABLE pub.kept RENAME TO zzz")
    assert baseline(owned) == "failed"
    assert owned.part["message"] == "pub.zzz was read from its pages when it was captured, and is read by a query now"
    source.execute("SELECT * FROM parity.capture('pub.zzz', 'closed', replace => true)")
    assert baseline(owned) == "identical"
    source.execute("UPDATE pub.zzz SET v = 'y' WHERE id = 7")
    assert baseline(owned) == "divergent"


def test_a_callback_that_was_replaced_is_not_called(owned):
    owned.source.execute("CREATE FUNCTION pub.told(payload jsonb) RETURNS void LANGUAGE sql AS ''")
    owned.as_owner(owned.source, "INSERT INTO pub.zzz VALUES (1, 'a')")
    with InBackground(owned, relation="pub.zzz", callback="pub.told", recheck_delay="2 s", rechecks=1) as background:
        wait_for_phase(owned, "waiting before looking again")
        owned.source.execute("DROP FUNCTION pub.told(jsonb)")
        owned.as_owner(owned.source, "CREATE FUNCTION pub.told(payload jsonb) RETURNS void LANGUAGE sql AS 'SELECT pub.evil(1)'")
        background.join()
    assert background.result == "divergent"
    assert "it is not the function that had this name when the run began" in owned.warnings
    assert owned.ran() == [0, 0], owned.told()
    assert owned.verify("pub.zzz", callback="pub.told") == "divergent"  # whoever names it now means it
    assert owned.ran() == [1, 0]


KEYS_OF_DOMAINS = {"domain": ("pub.d", "n"), "array": ("pub.d[]", "ARRAY[n]::pub.d[]")}


@pytest.mark.parametrize("kind", KEYS_OF_DOMAINS)
def test_checks_of_a_keys_domain_do_not_run(owned, pair, kind):
    """Nothing casts a text to it: not for rows that are looked at again, nor for bounds, nor for what is shown."""
    type_name, value = KEYS_OF_DOMAINS[kind]
    owned.owners("CREATE DOMAIN pub.d AS int CHECK (pub.evil(VALUE)); "
                 f"CREATE TABLE pub.keyed (k {type_name} PRIMARY KEY, v text); INSERT INTO pub.keyed SELECT {value}, 'x' FROM generate_series(1, 500) AS n")
    owned.source.execute("SELECT * FROM parity.capture('pub.keyed', 'closed')")
    runs = [("--engine", engine, "--table", "pub.keyed", "--ranges", "7") for engine in ("extension", "stream")]

    def look(verdict, status):
        assert owned.verify("pub.keyed", recheck_delay="0 s", rechecks=1) == verdict, owned.part
        assert baseline(owned, "pub.keyed") == verdict, owned.part
        for arguments in runs:
            pair.compare(*arguments).expect(status)
        assert owned.ran() == [0, 0], owned.told()
    look("identical", IDENTICAL)
    owned.owners("UPDATE pub.keyed SET v = 'y' WHERE v = 'x' AND ctid = '(0,7)'")
    owned.as_owner(owned.target, "UPDATE pub.keyed SET v = 'z' WHERE v = 'y'; DELETE FROM pub.keyed WHERE ctid = '(0,9)'")
    look("divergent", DIVERGENT)
    owned.source.value("SELECT 5::pub.d")  # it would be seen
    assert owned.ran()[0] == 1


@pytest.fixture
def replicated(source_cluster):
    """The source, and a physical standby of it. Replay checks no domain."""
    source = source_cluster.create_database()
    with Cluster("standby", standby_of=source_cluster) as standby:
        standby.catch_up()
        made = Owned(source, standby.database(source.name), target_follows=True)
        made.make_server()
        yield made
        made.target.close()
    source.execute(f"DROP OWNED BY {made.owner} CASCADE; DROP ROLE {made.owner}")
    source.close()


def put_on_disk(standby, file, old, new):
    """What a disk may do to a row."""
    standby.stop()
    with open(os.path.join(standby.data_directory, file), "r+b") as heap:
        page = heap.read()
        assert page.count(old) == 1
        heap.seek(page.index(old))
        heap.write(new)
    standby.start()


@pytest.mark.parametrize("kind", KEYS_OF_DOMAINS)
def test_checks_of_a_keys_domain_do_not_run_for_the_versions_of_rows(replicated, kind):
    """Which versions a row has is asked for only where the target follows."""
    type_name, value = KEYS_OF_DOMAINS[kind]
    source, target, standby = replicated.source, replicated.target, replicated.target.cluster
    replicated.owners("CREATE DOMAIN pub.d AS int CHECK (pub.evil(VALUE)); "
                      f"CREATE TABLE pub.keyed (k {type_name} PRIMARY KEY, v text); INSERT INTO pub.keyed SELECT {value}, 'x' FROM generate_series(1, 500) AS n;"
                      "UPDATE pub.keyed SET v = 'needle 17' WHERE ctid = '(0,9)'")
    source.execute("CHECKPOINT")

    def look(replay_timeout="10 s", **options):
        result = replicated.verify("pub.keyed", recheck_delay="0 s", rechecks=1, replay_timeout=replay_timeout, **options)
        assert replicated.ran() == [0, 0], replicated.told()
        return result
    standby.catch_up()
    assert look() == "identical"
    target.execute("SELECT pg_wal_replay_pause()")
    replicated.owners("UPDATE pub.keyed SET v = 'y' WHERE ctid = '(0,7)'; DELETE FROM pub.keyed WHERE ctid = '(0,11)'")
    assert (look("300 ms"), replicated.part["in_flight_rows"], replicated.part["details"]["follows"]) == ("in_flight", 2, "late")
    assert (look("300 ms", with_values=True), look("300 ms", max_rows=0), replicated.part["unnamed_ranges"] > 0) == ("in_flight", "in_flight", True)
    target.execute("SELECT pg_wal_replay_resume()")
    standby.catch_up()
    assert look() == "identical"
    target.close()
    put_on_disk(standby, source.value("SELECT pg_relation_filepath('pub.keyed')"), b"needle 17", b"needle 71")
    assert (look(), replicated.part["divergent_rows"], replicated.part["details"]["follows"]) == ("divergent", 1, "replayed")
    assert (look(max_rows=0), replicated.part["unnamed_ranges"]) == ("divergent", 1)
    for side in (source, target):
        side.value("SELECT 5::pub.d")  # it would be seen
    assert replicated.ran() == [1, 1]


# What the planner would run by itself: an expression of an index, its predicate, a CHECK of a child, statistics.
FOLDED = {
    "expression": "CREATE INDEX ON pub.zzz ((CASE WHEN pub.evil(11) THEN id END))",
    "predicate": "CREATE INDEX ON pub.zzz (v) WHERE pub.evil(22)",
    "check": "CREATE TABLE pub.zzz_1 (CHECK (pub.evil(33))) INHERITS (pub.zzz)",
    "statistics": "CREATE STATISTICS pub.s ON (CASE WHEN pub.evil(44) THEN id END), v FROM pub.zzz",
}


@pytest.mark.since(14, kind="statistics")
@pytest.mark.parametrize("kind", FOLDED)
def test_constants_of_the_owner_are_not_folded(owned, kind):
    for side in (owned.source, owned.target):
        owned.as_owner(side, "CREATE OR REPLACE " + EVIL.format(volatility="IMMUTABLE").strip()[len("CREATE "):])
        owned.as_owner(side, f"INSERT INTO pub.zzz SELECT n, 'x' FROM generate_series(1, 3000) n; {FOLDED[kind]}")
    assert owned.verify("pub.zzz") == "identical"
    owned.as_owner(owned.target, "UPDATE pub.zzz SET v = 'q' WHERE id IN (5, 900); DELETE FROM pub.zzz WHERE id = 6")
    assert owned.verify("pub.zzz") == "divergent"
    assert owned.part["divergent_rows"] == 3
    assert owned.verify("pub.zzz", with_values=True, ranges=2) == "divergent"
    assert owned.verify("pub.zzz", max_rows=0) == "divergent"
    owned.source.execute("SELECT * FROM parity.capture('pub.zzz', 'closed')")
    assert baseline(owned) == "identical"
    owned.as_owner(owned.source, "UPDATE pub.zzz SET v = 'q' WHERE id = 7")
    assert baseline(owned) == "divergent"
    with owned.source.connection.cursor() as cursor:
        cursor.execute("CALL parity.verify_baseline('pub.zzz', 'closed', allow_appends => true)")
    assert owned.ran() == [0, 0], owned.told()
