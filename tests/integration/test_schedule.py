"""parity.schedule and unschedule with the real pg_cron, on this machine's PostgreSQL."""

import re

import psycopg2
import pytest

from support.cluster import Cluster
from support.pgparity import TOP

SETTINGS = {"shared_preload_libraries": "pg_cron", "cron.database_name": "postgres", "cron.use_background_workers": "on"}


@pytest.fixture(scope="module")
def cron():
    """The database that pg_cron is in. An operator may schedule: USAGE on the schema cron is all that takes."""
    with Cluster("cron", settings=SETTINGS) as cluster:
        database = cluster.database()
        database.execute("CREATE EXTENSION pg_cron; CREATE EXTENSION pg_parity; CREATE EXTENSION dblink; CREATE SERVER replica FOREIGN DATA WRAPPER dblink_fdw;"
                         "CREATE TABLE ledger (id int PRIMARY KEY, entry text);"
                         "INSERT INTO ledger SELECT g, 'entry ' || g FROM generate_series(1, 1000) g; CREATE ROLE keeper LOGIN IN ROLE parity_operator;"
                         "GRANT SELECT ON ledger TO keeper; GRANT USAGE ON SCHEMA cron TO keeper")
        yield database
        database.close()


def jobs(database):
    return database.query("SELECT jobname, schedule, command, database, username, active FROM cron.job ORDER BY jobid")


def test_a_job_is_scheduled_runs_and_ends(cron):
    keeper = cron.connect(user="keeper")
    cursor = keeper.cursor()
    cursor.execute("SELECT parity.capture('ledger', 'closed')")
    cron.execute("UPDATE ledger SET entry = 'forged' WHERE id = 500")
    cursor.execute("SELECT parity.schedule('ledger', '* * * * *', relation => 'ledger', label => 'closed', options => '{\"allow_appends\": true, \"fail\": true}')")
    number = cursor.fetchone()[0]
    command = "CALL parity.verify_baseline('public.ledger', label => 'closed', allow_appends => 'true', fail => 'true')"
    assert jobs(cron) == [("ledger", "* * * * *", command, "postgres", "keeper", True)]
    cursor.execute("LISTEN parity")
    cron.cluster.wait_for(f"SELECT count(*) > 0 FROM cron.job_run_details WHERE jobid = {number} AND status IN ('succeeded', 'failed')", seconds=90,
                          what="a run of the job")
    assert cron.query("SELECT relation, target, result, divergent_ranges FROM parity.status") == [("public.ledger", "closed", "divergent", 1)]
    assert cron.query("SELECT status, performer FROM parity.run") == [("divergent", "keeper")]
    # That it still ran its CALL would have been seen.
    assert cron.value("SELECT statement_start >= started - interval '1 minute' FROM parity.run")
    keeper.poll()
    assert len(keeper.notifies) == 1 and '"divergent"' in keeper.notifies[0].payload
    # What pg_cron shows: fail made an error of it.
    assert cron.value(f"SELECT status FROM cron.job_run_details WHERE jobid = {number} ORDER BY runid LIMIT 1") == "failed"
    assert "verification of public.ledger against closed: divergent" in cron.value(f"SELECT return_message FROM cron.job_run_details WHERE jobid = {number}")
    cursor.execute("SELECT parity.unschedule('ledger')")
    assert cursor.fetchone() == (True,) and jobs(cron) == []
    keeper.close()


def test_a_job_whose_table_is_gone_is_recorded(cron):
    """What is scheduled names the table, so that the run can say that it is not there."""
    cron.execute("CREATE TABLE shortlived (id int PRIMARY KEY)")
    cron.query("SELECT parity.schedule('gone', '0 3 * * *', relation => 'shortlived', server => 'replica')")
    command = cron.value("SELECT command FROM cron.job WHERE jobname = 'gone'")
    cron.execute("DROP TABLE shortlived")
    with pytest.raises(psycopg2.errors.UndefinedTable, match='relation "public.shortlived" does not exist'):
        cron.execute(command)
    assert cron.query("SELECT result, s.sqlstate, s.message FROM parity.status s JOIN parity.run_table t USING (run_id) WHERE s.relation = 'public.shortlived'") == [
        ("failed", "42P01", 'relation "public.shortlived" does not exist')]
    cron.query("SELECT parity.unschedule('gone')")


def test_a_command_is_scheduled_as_it_is(cron):
    cron.query("SELECT parity.schedule('it''s', '0 3 * * *', 'SELECT ''x''')")
    cron.query("SELECT parity.schedule('it''s', '0 4 * * *', 'SELECT 1')")
    assert jobs(cron) == [("it's", "0 4 * * *", "SELECT 1", "postgres", "postgres", True)]
    cron.query("SELECT parity.unschedule('it''s')")
    with pytest.raises(psycopg2.Error, match="could not find valid entry for job"):
        cron.query("SELECT parity.unschedule('it''s')")
    with pytest.raises(psycopg2.Error, match="invalid schedule"):
        cron.query("SELECT parity.schedule('x', 'every night', 'SELECT 1')")


def test_without_a_right_on_the_schema(cron):
    cron.execute("CREATE ROLE other IN ROLE parity_operator; SET ROLE other")
    try:
        with pytest.raises(psycopg2.Error, match="permission denied for schema cron") as raised:
            cron.query("SELECT parity.schedule('x', '0 3 * * *', 'SELECT 1')")
        assert raised.value.pgcode == "42501"
    finally:
        cron.execute("RESET ROLE; DROP ROLE other")


def test_what_there_is_nothing_to_verify_against_is_not_scheduled(cron):
    for target, message in (("server => 'replcia'", 'server "replcia" does not exist'), ("label => 'open'", 'public.ledger has no baseline "open"')):
        with pytest.raises(psycopg2.errors.UndefinedObject, match=message):
            cron.query(f"SELECT parity.schedule('x', '0 3 * * *', relation => 'ledger', {target})")
    assert jobs(cron) == []


def test_from_another_database_the_hint_does_it(cron):
    other = cron.cluster.create_database()
    try:
        other.execute("CREATE TABLE ledger (id int PRIMARY KEY)")
        other.query("SELECT parity.capture('ledger', 'x')")
        with pytest.raises(psycopg2.Error) as raised:
            other.query("SELECT parity.schedule('theirs', '0 3 * * *', relation => 'ledger', label => 'x')")
        assert raised.value.pgcode == "0A000"
        assert raised.value.diag.message_detail == 'It can only be in the database "postgres" (cron.database_name).'
        assert raised.value.diag.message_hint.startswith("There: ")
        cron.query(raised.value.diag.message_hint[len("There: "):])
        assert jobs(cron) == [("theirs", "0 3 * * *", "CALL parity.verify_baseline('public.ledger', label => 'x')", other.name, "postgres", True)]
        theirs = other.connect(user="keeper")
        with pytest.raises(psycopg2.Error, match="pg_cron is not in this database") as raised:
            theirs.cursor().execute("SELECT parity.unschedule('theirs')")
        assert raised.value.diag.message_detail == "It can only be in one database of the cluster (cron.database_name)."
        theirs.close()
        cron.query(raised.value.diag.message_hint[len("There: "):])
        assert jobs(cron) == []
    finally:
        cron.cluster.drop_database(other)


def test_the_page_shows_what_is_printed(cron):
    """docs/sql.md's example of scheduling, which cannot run where the others do."""
    sql, shown = re.search(r"^```postgresql\n(.*?)^```\n\n```text\n(.*?)^```", (TOP / "docs" / "sql.md").read_text(), re.M | re.S).groups()
    cron.query("SELECT parity.capture('ledger', '2024 closed', replace => true)")
    printed = [line.rstrip() for line in cron.psql(sql).rstrip().splitlines()]
    expected = [line.rstrip() for line in shown.rstrip().splitlines()]
    assert len(printed) == len(expected), printed
    for line, of_page in zip(printed, expected):
        assert re.fullmatch(".*".join(map(re.escape, of_page.split("…"))), line), (line, of_page)
