"""Rows that a unique index should not let be: dead versions that came back in the table, and an index whose order is another one by now."""

import pytest

from support.pgparity import DIVERGENT, IDENTICAL

pytestmark = pytest.mark.matrix(sample=1)

ENGINES = ["extension", "stream"]
REVIVED = """SELECT count(*) FROM (SELECT heap_force_freeze('acct', ARRAY[('(' || b || ',' || lp || ')')::tid])
    FROM generate_series(0, (pg_relation_size('acct') / 8192)::int - 1) b, LATERAL heap_page_items(get_raw_page('acct', b))
    WHERE t_xmax::text <> '0' AND lp_flags = 1) x"""


@pytest.mark.since(14)  # pg_surgery
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("planted", [False, True])
def test_dead_versions_that_came_back(pair, engine, planted):
    """The index is as it should be: both versions are found through it."""
    pair.both("CREATE EXTENSION pg_surgery; CREATE EXTENSION pageinspect;"
              "CREATE TABLE acct (id int PRIMARY KEY, owner text, bal numeric) WITH (autovacuum_enabled = off);"
              "INSERT INTO acct SELECT i, 'o' || i, i FROM generate_series(1, 3000) i; UPDATE acct SET bal = bal + 100 WHERE id IN (1500, 2900)")
    if planted:
        assert pair.target.value(REVIVED) == 2
    run = pair.compare("--engine", engine, "--table", "acct").expect(DIVERGENT if planted else IDENTICAL)
    table = run.table("public.acct")
    assert table["rows"] == {"source": "3000", "target": "3002" if planted else "3000"}
    assert sorted((d["kind"], d["key"]["id"]) for d in table["divergences"]) == ([("missing_on_source", "1500"), ("missing_on_source", "2900")] if planted else [])
    told = [note for note in table["notes"] if "the key should be unique, but target has duplicates of 2 keys" in note]
    assert len(told) == planted
    assert all("its unique index is corrupt, or the table has versions of rows that should be gone" in note for note in told)


OTHER_ORDER = """UPDATE pg_attribute SET attcollation = '"en-x-icu"'::regcollation WHERE attrelid IN ('members'::regclass, 'members_pkey'::regclass) AND attname = 'uid';
    UPDATE pg_index SET indcollation = (('"en-x-icu"'::regcollation::oid)::text)::oidvector WHERE indexrelid = 'members_pkey'::regclass"""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("planted", [False, True])
def test_an_index_whose_comparator_has_changed(pair, engine, planted):
    """Its order is not the collation's any more, so that it does not find what is there already."""
    pair.both("""CREATE TABLE members (uid text COLLATE "C" PRIMARY KEY, joined int, note text) WITH (autovacuum_enabled = off);
        INSERT INTO members SELECT CASE i % 3 WHEN 0 THEN '@a-' || i WHEN 1 THEN '@A' || i ELSE '@b_' || i END || ':example.org', i, 'n'
        FROM generate_series(1, 3000) i""")
    pair.target.execute(OTHER_ORDER)
    pair.target.close()  # and with it what the session remembers of the order
    doubled = 0
    if planted:
        pair.target.execute("INSERT INTO members SELECT uid, joined, 'again' FROM members WHERE joined % 100 = 7 ON CONFLICT DO NOTHING")
        doubled = pair.target.value("SELECT count(*) FROM members") - 3000
        assert doubled > 0
    run = pair.compare("--engine", engine, "--table", "members").expect(DIVERGENT if planted else IDENTICAL)
    table = run.table("public.members")
    assert [d["kind"] for d in table["divergences"]] == ["missing_on_source"] * doubled
    assert any("the key should be unique, but target has duplicates of" in note for note in table["notes"]) == planted
