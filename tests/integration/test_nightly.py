"""Databases that verify themselves by schedule: against a logical replica with pg_cron, a physical standby, a restored dump.

pg_cron starts jobs by the minute. What is to be seen of three of its minutes happens in a thread of its own, while the other tests run.
"""

import contextlib
import json
import os
import subprocess
import threading
import time

import pytest

from support.cluster import PASSWORD, Cluster, binary, clean_environment
from support.damage import damage_value

SETTINGS = {
    "wal_level": "logical", "shared_preload_libraries": "pg_cron", "cron.database_name": "shop", "cron.use_background_workers": "on",
    "max_worker_processes": "20", "wal_receiver_status_interval": "1s", "log_min_messages": "warning",
}
TABLES = """
    CREATE TABLE orders (id int PRIMARY KEY, customer int, total numeric(10, 2), placed timestamptz);
    CREATE TABLE stock (shelf text, item int, pieces int, PRIMARY KEY (shelf, item));"""
ROWS = """
    INSERT INTO orders SELECT n, n % 100, n * 1.25, timestamptz '2024-01-01' + n * interval '1 minute' FROM generate_series(1, 20000) n;
    INSERT INTO stock SELECT 'shelf ' || n % 50, n, n FROM generate_series(1, 5000) n; ANALYZE"""
# Writes to all rows but the first 1000 orders, inserts and deletes.
WRITES = """
    \\set id random(1001, 20000)
    \\set item random(1, 5000)
    BEGIN;
    UPDATE orders SET total = total + 1, placed = now() WHERE id = :id;
    UPDATE stock SET pieces = pieces + 1 WHERE shelf = 'shelf ' || :item % 50 AND item = :item;
    INSERT INTO orders VALUES (100000 + nextval('more'), 1, 1, now());
    DELETE FROM orders WHERE id = (SELECT 100000 + currval('more') - 200);
    COMMIT;"""
# A divergence of each kind in the replica, and what makes it good again.
PLANTED = "UPDATE orders SET total = 0 WHERE id = 17; DELETE FROM orders WHERE id = 18; INSERT INTO orders VALUES (-5, 1, 1, now())"
REPAIRED = """
    UPDATE orders SET total = 17 * 1.25 WHERE id = 17; DELETE FROM orders WHERE id = -5;
    INSERT INTO orders SELECT n, n % 100, n * 1.25, timestamptz '2024-01-01' + n * interval '1 minute' FROM generate_series(18, 18) n"""
FOUND = {("mismatch", "17", ("total",)), ("missing_on_target", "18", None), ("missing_on_source", "-5", None)}


def allow_verifying(database, replica_port, replica_database, server="replica"):
    """What the runbook says: an ordinary role that verifies, and where the other side is."""
    database.execute(f"""
        DO $$ BEGIN CREATE ROLE nightly LOGIN PASSWORD '{PASSWORD}'; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        CREATE EXTENSION IF NOT EXISTS dblink;
        GRANT parity_operator, pg_monitor TO nightly; GRANT SELECT ON ALL TABLES IN SCHEMA public TO nightly;
        CREATE SERVER {server} FOREIGN DATA WRAPPER dblink_fdw OPTIONS (host '127.0.0.1', port '{replica_port}', dbname '{replica_database}');
        CREATE USER MAPPING FOR nightly SERVER {server} OPTIONS (user 'nightly', password '{PASSWORD}');
        GRANT USAGE ON FOREIGN SERVER {server} TO nightly""")


def allow_reading(database):
    database.execute(f"""
        DO $$ BEGIN CREATE ROLE nightly LOGIN PASSWORD '{PASSWORD}'; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO nightly""")


def call(database, statement):
    """A CALL as the role that verifies; gives its answer, the status."""
    connection = database.connect(user="nightly")
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[1]
    finally:
        connection.close()


@contextlib.contextmanager
def writing(database):
    """pgbench on the tables, at a pace that leaves the machine to others. It must write until the end."""
    path = os.path.join(database.cluster.directory, f"writes-{database.name}.sql")
    with open(path, "w") as script:
        script.write(WRITES)
    process = subprocess.Popen([binary("pgbench"), "-n", "-f", path, "-c", "2", "-R", "100", "-T", "900", database.conninfo()], env=clean_environment(),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
        assert process.poll() is None, process.stdout.read()
    finally:
        process.terminate()
        process.communicate()


class Night:
    """A publisher with pg_cron, its logical replica, and a load. `watch` goes through three runs of the jobs."""

    def __init__(self, publisher, replica):
        self.publisher = publisher
        self.replica = replica
        self.shop = publisher.create_database("shop", extension=False)
        self.copy = replica.create_database("shop", extension=False)
        self.runs = {}
        self.failure = None
        self.writes = None
        self.over = threading.Event()  # nobody waits for what is still to come

    def prepare(self):
        for database in (self.shop, self.copy):
            database.execute(TABLES + "CREATE EXTENSION pg_parity")
        self.shop.execute("CREATE EXTENSION pg_cron; CREATE SEQUENCE more;" + ROWS)
        self.shop.execute("CREATE PUBLICATION everything FOR TABLE orders, stock")
        self.copy.execute(f"CREATE SUBSCRIPTION everything CONNECTION '{self.shop.tcp_conninfo()}' PUBLICATION everything")
        allow_verifying(self.shop, self.replica.port, "shop")
        allow_reading(self.copy)
        self.shop.execute("GRANT USAGE ON SCHEMA cron TO nightly")
        self.wait(self.copy, "SELECT count(*) = 2 FROM pg_subscription_rel WHERE srsubstate = 'r'")

    @staticmethod
    def wait(database, sql, seconds=60):
        deadline = time.monotonic() + seconds
        while not database.value(sql):
            assert time.monotonic() < deadline, sql
            time.sleep(0.05)

    def schedule(self):
        connection = self.shop.connect(user="nightly")
        with connection.cursor() as cursor:
            cursor.execute("SELECT cron.schedule('verify-orders', '* * * * *', $$CALL parity.verify('orders', server => 'replica', recheck_delay => '1 s')$$)")
            cursor.execute("SELECT cron.schedule('verify-stock', '* * * * *', $$CALL parity.verify('stock', server => 'replica', recheck_delay => '1 s')$$)")
        connection.close()

    def watch(self):
        try:
            self.go_through()
        except BaseException as error:
            self.failure = error

    def go_through(self):
        listener = self.shop.connect()
        with listener.cursor() as cursor:
            cursor.execute("LISTEN parity")
        self.runs["planted"] = self.next_of_each(listener)
        self.replica.stop()
        self.runs["gone"] = self.next_of_each(listener)
        self.replica.start()
        self.copy.close()
        self.copy.execute(REPAIRED)
        self.runs["back"] = self.next_of_each(listener)
        listener.close()
        self.wait(self.shop, "SELECT count(*) >= 6 FROM cron.job_run_details WHERE end_time IS NOT NULL")

    def next_of_each(self, listener):
        """What is told of both tables, once more, by relation; of runs that begin from now on."""
        begin = self.shop.value("SELECT clock_timestamp()")
        told = {}
        deadline = time.monotonic() + 150
        while set(told) != {"public.orders", "public.stock"}:
            assert time.monotonic() < deadline, f"not told of both tables within two minutes and a half: {told}"
            assert self.writes.poll() is None, self.writes.stdout.read()
            assert not self.over.wait(0.1), "the tests have ended"
            with listener.cursor() as cursor:
                cursor.execute("SELECT 1")
            while listener.notifies:
                payload = json.loads(listener.notifies.pop(0).payload)
                began = self.shop.value("SELECT started FROM parity.run WHERE id = %s", (payload["run"],))
                if "relation" in payload and began >= begin:
                    told[payload["relation"]] = payload
        return told


@pytest.fixture(scope="module", autouse=True)
def night():
    with Cluster("publisher", settings=SETTINGS) as publisher, Cluster("replica", settings={"max_worker_processes": "20"}) as replica:
        made = Night(publisher, replica)
        made.prepare()
        made.copy.execute(PLANTED)
        with writing(made.shop) as made.writes:
            made.schedule()
            watcher = threading.Thread(target=made.watch)
            watcher.start()
            made.wait_for_the_end = watcher.join
            yield made
            made.over.set()
            watcher.join()


# ---- while the minutes pass ---------------------------------------------------------------------------------------------


@pytest.fixture
def shop(source_cluster):
    database = source_cluster.create_database()
    database.execute(TABLES + ROWS)
    yield database
    source_cluster.drop_database(database)


def last_table(database, columns):
    return database.query(f"SELECT {columns} FROM parity.run_table ORDER BY id DESC LIMIT 1")[0]


def damage(shop, standby):
    shop.execute("UPDATE stock SET shelf = 'needle 17' WHERE item = 17")
    damage_value(shop, standby, "stock", "needle 17", "needle 71")


@pytest.mark.in_turn("standbys")
def test_against_a_physical_standby(shop, source_cluster):
    """It has the extension, the role and the records from its primary. What it has not replayed yet is no divergence; what its disk has
    made of a row is one."""
    allow_reading(shop)
    with Cluster("standby", standby_of=source_cluster) as standby:
        allow_verifying(shop, standby.port, shop.name, server="standby")
        standby.catch_up()
        shop.execute("CREATE SEQUENCE more")
        with writing(shop):
            assert call(shop, "CALL parity.verify('orders', server => 'standby', recheck_delay => '0.5 s')") == "identical"
        assert last_table(shop, "details -> 'replication' ->> 'kind', source_rows > 0, divergent_rows") == ("physical", True, 0)

        standby.catch_up()
        maintenance = standby.database()
        maintenance.execute("SELECT pg_wal_replay_pause()")
        shop.execute("DELETE FROM orders WHERE id BETWEEN 1 AND 10")
        late = "CALL parity.verify('orders', server => 'standby', recheck_delay => '0 s', replay_timeout => '0.5 s')"
        assert call(shop, late) == "in_flight"
        rows, divergent, message = last_table(shop, "in_flight_rows, divergent_rows, message")
        assert (rows, divergent) == (10, 0) and "had not replayed" in message
        maintenance.execute("SELECT pg_wal_replay_resume()")
        maintenance.close()
        standby.catch_up()
        assert call(shop, late) == "identical"

        damage(shop, standby)
        assert call(shop, "CALL parity.verify('stock', server => 'standby', recheck_delay => '0 s')") == "divergent"
        found = shop.query("SELECT kind, key FROM parity.divergence WHERE state = 'divergent' ORDER BY kind")
        assert found == [("missing_on_source", {"shelf": "needle 71", "item": "17"}), ("missing_on_target", {"shelf": "needle 17", "item": "17"})]


def test_against_a_restored_dump(shop, source_cluster, target_cluster):
    """A dump has the extension, its records, and what is to be compared."""
    dump = subprocess.run([binary("pg_dump"), "-d", shop.conninfo()], capture_output=True, text=True, check=True, env=clean_environment()).stdout
    copy = target_cluster.create_database(extension=False)
    try:
        copy.psql(dump)
        allow_reading(copy)
        allow_verifying(shop, target_cluster.port, copy.name, server="restored")
        everything = "CALL parity.verify_schema('restored', recheck_delay => '0 s')"
        assert call(shop, everything) == "identical"
        assert sorted(shop.query("SELECT relation, status FROM parity.run_table")) == [("public.orders", "identical"), ("public.stock", "identical")]
        copy.execute("UPDATE stock SET pieces = pieces + 1 WHERE item = 4711")
        assert call(shop, everything) == "divergent"
        assert shop.query("SELECT kind, key ->> 'item', columns FROM parity.divergence") == [("mismatch", "4711", ["pieces"])]
    finally:
        target_cluster.drop_database(copy)


def test_a_password_that_is_refused(shop, target_cluster):
    """Loud, and without saying it."""
    copy = target_cluster.create_database()
    try:
        copy.execute(TABLES)
        allow_reading(copy)
        allow_verifying(shop, target_cluster.port, copy.name, server="locked")
        shop.execute("ALTER USER MAPPING FOR nightly SERVER locked OPTIONS (SET password 'another-secret')")
        assert call(shop, "CALL parity.verify('orders', server => 'locked')") == "incomplete"
        status, sqlstate, message = last_table(shop, "status, sqlstate, message")
        assert (status, sqlstate) == ("incomplete", "08001") and "password authentication failed" in message
        assert "another-secret" not in message + shop.cluster.log().replace("SET password 'another-secret'", "")
    finally:
        target_cluster.drop_database(copy)


# ---- what the minutes brought -------------------------------------------------------------------------------------------


@pytest.fixture
def minutes(night):
    night.wait_for_the_end()
    if night.failure:
        raise AssertionError(f"{night.failure!r}; jobs: {night.shop.query('SELECT status, return_message FROM cron.job_run_details')}; runs: "
                             f"{night.shop.query('SELECT * FROM parity.run_table')}") from night.failure
    return night


def recorded(night, told):
    columns = "status, sqlstate, message, divergent_rows, details"
    return night.shop.query(f"SELECT {columns} FROM parity.run_table WHERE run_id = %s AND relation = %s", (told["run"], told["relation"]))[0]


def test_a_planted_divergence_is_found_recorded_and_told(minutes):
    told = minutes.runs["planted"]["public.orders"]
    assert (told["status"], told["kind"], told["target"], told["divergent_rows"]) == ("divergent", "verify", "replica", 3)
    found = minutes.shop.query("SELECT d.kind, d.key ->> 'id', d.columns FROM parity.divergence d JOIN parity.run_table t ON t.id = d.run_table_id "
                               "WHERE t.run_id = %s AND d.state = 'divergent'", (told["run"],))
    assert {(kind, key, columns and tuple(columns)) for kind, key, columns in found} == FOUND
    assert recorded(minutes, told)[4]["replication"]["kind"] == "logical"
    assert "verification of public.orders against replica: divergent, 3 rows differ" in minutes.publisher.log()


def test_no_false_alarm_while_rows_are_written(minutes):
    """Whatever else differed was on its way."""
    alarms = minutes.shop.query("SELECT t.relation, d.key ->> 'id' FROM parity.divergence d JOIN parity.run_table t ON t.id = d.run_table_id WHERE d.state = 'divergent'")
    assert {(relation, key) for relation, key in alarms} <= {("public.orders", key) for _, key, _ in FOUND}
    assert minutes.shop.value("SELECT count(*) FROM parity.run_table WHERE unnamed_ranges > 0") == 0
    assert minutes.runs["planted"]["public.stock"]["status"] in ("identical", "in_flight")
    assert minutes.writes.poll() is None, "pgbench wrote until now"
    assert minutes.shop.value("SELECT last_value > 2000 FROM more")


def test_a_replica_that_is_gone_is_told_of_as_loudly(minutes):
    for told in minutes.runs["gone"].values():
        assert told["status"] == "incomplete" and told["sqlstate"].startswith("08")
        status, sqlstate, message, rows, _ = recorded(minutes, told)
        assert status == "incomplete" and message and rows is None
        assert PASSWORD not in message
        assert f"verification of {told['relation']} against replica: incomplete" in minutes.publisher.log()


def test_the_next_run_recovers(minutes):
    assert minutes.runs["back"]["public.orders"]["status"] in ("identical", "in_flight")
    assert minutes.runs["back"]["public.stock"]["status"] in ("identical", "in_flight")
    status = dict(minutes.shop.query("SELECT relation, result FROM parity.status"))
    assert set(status) == {"public.orders", "public.stock"} and not set(status.values()) & {"divergent", "incomplete", "failed", "died"}


def test_jobs_end_well_and_hold_no_secret(minutes):
    """A CALL that finds something has done its work: pg_cron's own list shows failures only with fail => true."""
    details = minutes.shop.query("SELECT status, return_message FROM cron.job_run_details WHERE end_time IS NOT NULL")
    assert len(details) >= 6 and {status for status, _ in details} == {"succeeded"}, details
    everything = str(details) + str([minutes.shop.query(f"SELECT * FROM parity.{name}") for name in ("run", "run_table", "divergence")])
    assert PASSWORD not in everything + minutes.publisher.log().replace(minutes.shop.tcp_conninfo(), "")


UNLOGGED = "unlogged: its rows are not replicated to the target, which is in recovery"


def warnings(cluster):
    return sum("WARNING:  verification of public.sessions" in line for line in cluster.log().splitlines())


def test_unlogged_tables_are_no_alarm_of_a_standby(shop, source_cluster):
    """It does not have their rows by design. Who asks for just such a table is told."""
    shop.execute("CREATE UNLOGGED TABLE sessions (id int PRIMARY KEY); INSERT INTO sessions VALUES (1)")
    allow_reading(shop)
    with Cluster("standby", standby_of=source_cluster) as standby:
        allow_verifying(shop, standby.port, shop.name, server="standby")
        standby.catch_up()
        everything = "CALL parity.verify_schema('standby', recheck_delay => '0 s', fail => true)"
        listener = shop.connect()
        listener.cursor().execute("LISTEN parity")
        before = warnings(source_cluster)
        assert call(shop, everything) == "identical"
        assert warnings(source_cluster) == before
        assert sorted(shop.query("SELECT relation, status FROM parity.run_table")) == [
            ("public.orders", "identical"), ("public.sessions", "skipped"), ("public.stock", "identical")]
        assert "unlogged" in shop.value("SELECT message FROM parity.run_table WHERE relation = 'public.sessions'")
        assert shop.query("SELECT relation, result, message FROM parity.status") == [
            ("public.orders", "identical", None), ("public.sessions", "left_out", UNLOGGED), ("public.stock", "identical", None)]
        listener.poll()
        told = {payload["relation"]: (payload["status"], payload.get("message")) for payload in (json.loads(n.payload) for n in listener.notifies)}
        listener.close()
        assert told == {"public.orders": ("identical", None), "public.sessions": ("left_out", UNLOGGED), "public.stock": ("identical", None)}
        # the twin: who asks for it is told with a warning
        assert call(shop, "CALL parity.verify('sessions', server => 'standby')") == "incomplete"
        assert "unlogged" in last_table(shop, "message")[0] and warnings(source_cluster) == before + 1
        alone = "CALL parity.verify_schema('standby', patterns => '{public.sessions}', recheck_delay => '0 s')"
        assert call(shop, alone) == "incomplete"
        damage(shop, standby)
        assert call(shop, everything.replace(", fail => true", "")) == "divergent"
        assert sorted(shop.query("SELECT relation, status FROM parity.run_table WHERE run_id = (SELECT max(id) FROM parity.run)")) == [
            ("public.orders", "identical"), ("public.sessions", "skipped"), ("public.stock", "divergent")]
