"""CREATE EXTENSION where the schema parity is there already: only one that nobody else can put functions into is taken."""

import subprocess

import psycopg2
import pytest

from support.cluster import clean_environment


@pytest.fixture
def bare(source_cluster):
    """A database without the extension, and a role that may create schemas in it."""
    database = source_cluster.create_database(extension=False)
    role = f"squatter_{database.name}"
    database.execute(f'CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE "{database.name}" TO {role}')
    yield database, role
    database.execute(f"REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}")
    source_cluster.drop_database(database)


def refused(database):
    with pytest.raises(psycopg2.errors.DuplicateSchema) as raised:
        database.execute("CREATE EXTENSION pg_parity")
    assert raised.value.diag.message_primary == 'schema "parity" is not the extension\'s alone'
    return raised.value.diag.message_detail


def test_a_schema_of_another_role_is_refused(bare):
    """Its owner could put functions there that superusers would call."""
    database, role = bare
    owner = database.connect(user=role)
    owner.cursor().execute("CREATE SCHEMA parity")
    assert refused(database) == f'It belongs to "{role}", who is no superuser.'
    # Nor do operators of theirs decide whether it is.
    owner.cursor().execute("""CREATE FUNCTION parity.no(oid, oid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'called'; END $$;
        CREATE OPERATOR parity.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = parity.no)""")
    owner.close()
    assert refused(database) == f'It belongs to "{role}", who is no superuser.'


def test_a_schema_that_others_may_create_in_is_refused(bare):
    database, role = bare
    database.execute(f"CREATE SCHEMA parity; GRANT CREATE ON SCHEMA parity TO {role}")
    assert refused(database) == "Others may create objects in it."
    database.execute(f"REVOKE CREATE ON SCHEMA parity FROM {role}; GRANT USAGE ON SCHEMA parity TO PUBLIC")
    database.execute("CREATE EXTENSION pg_parity")


@pytest.mark.parametrize("made,detail", [
    ("CREATE FUNCTION parity.verify_begin_table(jsonb, bigint, oid, text) RETURNS jsonb LANGUAGE sql AS 'SELECT $1'",
     "It has function verify_begin_table(jsonb,bigint,oid,text)."),
    ("CREATE TABLE parity.t (id int)", "It has table t."), ("CREATE DOMAIN parity.jsonb AS text", "It has type parity.jsonb.")])
def test_a_schema_with_objects_is_refused(bare, made, detail):
    database, _ = bare
    database.execute(f"CREATE SCHEMA parity; {made}")
    assert refused(database) == detail


def test_a_schema_for_internal_routines_is_refused(bare):
    """Even an empty one of a superuser: CREATE EXTENSION makes its own."""
    database, role = bare
    for statement in ("CREATE SCHEMA parity_internal", f"CREATE SCHEMA parity_internal AUTHORIZATION {role}"):
        database.execute(statement)
        with pytest.raises(psycopg2.errors.DuplicateSchema, match="parity_internal"):
            database.execute("CREATE EXTENSION pg_parity")
        database.execute("DROP SCHEMA parity_internal")


def test_it_comes_again_after_it_was_dropped(bare):
    database, _ = bare
    for _ in range(2):
        database.execute("CREATE EXTENSION pg_parity; DROP EXTENSION pg_parity")
    database.execute("CREATE SCHEMA IF NOT EXISTS parity; CREATE EXTENSION pg_parity")
    assert database.query("SELECT * FROM parity.status") == []


def test_a_dump_without_owners_comes_back(bare, target_cluster):
    """As what the schema's owner was called there may be nobody here."""
    database, _ = bare
    database.execute("CREATE ROLE other_superuser SUPERUSER; SET ROLE other_superuser; CREATE EXTENSION pg_parity; RESET ROLE;"
                     "INSERT INTO parity.run (kind, source, target, tool) VALUES ('verify', 's', 't', 'x')")
    try:
        installation = database.cluster.installation
        dump = subprocess.run(installation.command(installation.binary("pg_dump"), "--no-sync", "--no-owner", "-d", database.tcp_conninfo()),
                              check=True, capture_output=True, env=clean_environment())
        copy = target_cluster.create_database(extension=False)
        try:
            subprocess.run(installation.command(installation.binary("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", copy.tcp_conninfo()),
                           input=dump.stdout, check=True, capture_output=True, env=clean_environment())
            assert copy.query("SELECT kind, source FROM parity.run") == [("verify", "s")]
        finally:
            target_cluster.drop_database(copy)
    finally:
        database.execute("DROP EXTENSION pg_parity CASCADE; DROP SCHEMA parity; DROP ROLE other_superuser")
