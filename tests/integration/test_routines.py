"""Who may call each routine of the extension, and what the planner may do with it, are as tests/data/routines.tsv says. A change that is meant:

    tests/support/cluster.py one -- python3 tests/support/routines.py --write
"""

import pytest

from support.routines import LISTING, STORED, as_text


@pytest.fixture
def database(source_cluster):
    made = source_cluster.create_database()
    yield made
    source_cluster.drop_database(made)


def listing(database):
    return as_text(database.query(LISTING)).splitlines()


def test_each_routine_is_as_it_was(database):
    stored = STORED.read_text().splitlines()
    assert len(stored) > 150
    assert listing(database) == stored


@pytest.mark.parametrize("change", [
    "GRANT EXECUTE ON FUNCTION {forms} TO parity_reader", "REVOKE EXECUTE ON FUNCTION {forms} FROM PUBLIC", "ALTER FUNCTION {forms} VOLATILE",
    "ALTER FUNCTION {forms} PARALLEL SAFE", "ALTER FUNCTION {forms} CALLED ON NULL INPUT", "ALTER FUNCTION {forms} SECURITY DEFINER",
    "ALTER FUNCTION {forms} SET search_path = public", "ALTER FUNCTION {forms} LEAKPROOF", "ALTER FUNCTION {forms} OWNER TO parity_operator"])
def test_what_is_otherwise_is_told(database, change):
    stored = STORED.read_text().splitlines()
    try:
        database.execute(change.format(forms="parity.forms(regclass)"))
        changed = listing(database)
    finally:
        database.execute("ALTER FUNCTION parity.forms(regclass) OWNER TO postgres")
    different = [line for line in changed if line not in stored]
    assert len(changed) == len(stored) and len(different) == 1 and different[0].startswith("forms(")
