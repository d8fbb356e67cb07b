"""Reading pages is told to whoever listens to the executor's checks of rights."""

import psycopg2
import pytest

from support.cluster import Cluster


@pytest.fixture(scope="module")
def audited():
    with Cluster("audited", settings={"shared_preload_libraries": "pgaudit"}) as cluster:
        database = cluster.create_database()
        database.execute("CREATE EXTENSION pgaudit; CREATE TABLE secret (id int PRIMARY KEY, ssn text); INSERT INTO secret VALUES (1, '123-45-6789');"
                         "CREATE TABLE open (id int PRIMARY KEY); CREATE ROLE auditor; GRANT SELECT ON secret TO auditor;"
                         f"ALTER DATABASE {database.name} SET pgaudit.role = 'auditor'")
        database.close()
        yield database
        database.close()


CALLS = ["parity.range_digests('{}', ranges => 1)", "parity.range_totals('{}')", "parity.slice_digests('{}')",
         "parity.row_digests('{}', with_values => true)", "parity.row_records('{}')", "parity.range_digests('{}', path => 'aggregate')",
         "parity.split_keys('{}', 4)", "parity.row_versions('{}', '{{}}')", "parity.fresh_rows('{}', pg_current_xact_id())"]


@pytest.mark.parametrize("call", CALLS)
def test_reading_pages_is_audited(audited, call):
    def records(table):
        before = audited.cluster.log().count("AUDIT: OBJECT")
        audited.query(f"SELECT * FROM {call.format(table)}")
        return audited.cluster.log().count("AUDIT: OBJECT") - before
    assert records("secret") >= 1
    assert records("open") == 0


def test_an_audited_table_is_scanned(audited):
    assert audited.query("SELECT path_taken, row_count FROM parity.range_digests('secret', ranges => 1)") == [("scan", 1)]


def test_the_audit_names_columns_that_may_be_read(audited):
    audited.execute("CREATE ROLE some_columns LOGIN; GRANT SELECT (id) ON secret TO some_columns; GRANT USAGE ON SCHEMA parity TO some_columns;"
                    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA parity TO some_columns; SET ROLE some_columns")
    assert audited.query("SELECT row_count FROM parity.range_digests('secret', ranges => 1, columns => '{}')") == [(1,)]
    with pytest.raises(psycopg2.Error, match='permission denied for column "ssn"'):
        audited.query("SELECT row_count FROM parity.range_digests('secret')")
    audited.execute("RESET ROLE")
