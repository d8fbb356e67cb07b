"""Who may call each routine of the extension, and what the planner may do with it, are as tests/data/routines.tsv says. A change that is meant:

    tests/support/cluster.py one -- python3 tests/support/routines.py --write
"""

import re
from pathlib import Path

import pytest

from support.routines import LISTING, STORED, as_text


SQL = Path(__file__).resolve().parents[2] / "extension" / "sql"


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


def for_everybody(lines):
    """The names of the routines of a listing that PUBLIC may execute."""
    execute = lines[0].split("\t").index("execute")
    rows = [line.split("\t") for line in lines[1:]]
    return {row[0].partition("(")[0] for row in rows if "public" in row[execute].replace("*", "").split(",")}


def declared(topic):
    """The names of the routines that the files of a topic, which is the first digit of their names, declare."""
    script = "".join(file.read_text() for file in sorted(SQL.glob(f"{topic}*.sql")))
    return set(re.findall(r"^CREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE|AGGREGATE) parity(?:_internal)?\.(\w+)\(", script, re.M))


def test_only_what_digests_is_for_everybody():
    """The other topics take their routines from PUBLIC by lists and patterns. A routine that none of these covers would be everybody's, and --write
    would take it into the listing."""
    assert len(declared(1)) > 30
    assert for_everybody(STORED.read_text().splitlines()) == declared(1)


@pytest.mark.parametrize("name, grantees", [("verify_judge", "owner,parity_operator"), ("record_tell", "owner")])
def test_what_everybody_may_execute_is_told(name, grantees):
    stored = STORED.read_text().splitlines()
    changed = [line.replace(f"\t{grantees}\t", "\towner,public\t") if line.startswith(f"{name}(") else line for line in stored]
    assert for_everybody(changed) - declared(1) == {name}


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
