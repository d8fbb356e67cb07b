"""Tables with as many columns as there can be: a select list ends at 1664."""

import pytest

from support.pgparity import DIVERGENT, IDENTICAL, findings

pytestmark = pytest.mark.matrix(sample=1)


def create_wide(columns, key="id int PRIMARY KEY"):
    return (f"DO $$ BEGIN EXECUTE 'CREATE TABLE w ({key}, ' || (SELECT string_agg(format('c%s %s', i, (ARRAY['int', 'text', 'numeric'])[1 + i % 3]), ', ')"
            f" FROM generate_series(1, {columns}) i) || ')'; END $$")


@pytest.mark.parametrize("engine", ["extension", "stream"])
@pytest.mark.parametrize("columns", [831, 832, 1599])
def test_values_of_many_columns(pair, engine, columns):
    pair.both(create_wide(columns) + "; INSERT INTO w (id) SELECT generate_series(1, 5)")
    pair.compare("--engine", engine).expect(IDENTICAL)
    last = columns - columns % 3  # an integer
    pair.target.execute(f"UPDATE w SET c{last} = 7, c700 = 'a', c701 = 1.5 WHERE id = 3; DELETE FROM w WHERE id = 4")
    table = pair.compare("--engine", engine).expect(DIVERGENT).table()
    changed, = [d for d in table["divergences"] if d["kind"] == "mismatch"]
    assert changed["key"] == {"id": "3"}
    assert changed["source"] == {f"c{last}": None, "c700": None, "c701": None}
    assert changed["target"] == {f"c{last}": "7", "c700": "a", "c701": "1.5"}
    assert not table["incomplete"] and len(findings(table)) == 2


@pytest.mark.parametrize("engine", ["extension", "stream"])
def test_many_columns_of_forms_that_are_cast(pair, engine):
    """A key of several columns, and expressions in the place of columns: of money compared as numbers."""
    pair.source.execute("DO $$ BEGIN EXECUTE 'CREATE TABLE w (a int, b text, PRIMARY KEY (a, b), ' || (SELECT string_agg('c' || i || ' money', ', ')"
                        " FROM generate_series(1, 1500) i) || ')'; END $$")
    pair.target.execute("DO $$ BEGIN EXECUTE 'CREATE TABLE w (a int, b text, PRIMARY KEY (a, b), ' || (SELECT string_agg('c' || i || ' numeric', ', ')"
                        " FROM generate_series(1, 1500) i) || ')'; END $$")
    pair.both("INSERT INTO w (a, b, c1, c1500) SELECT n, 'k' || n, n::numeric, n::numeric FROM generate_series(1, 5) n")
    pair.compare("--engine", engine).expect(IDENTICAL)
    pair.target.execute("UPDATE w SET c1500 = 70 WHERE a = 3")
    changed, = pair.compare("--engine", engine).expect(DIVERGENT).table()["divergences"]
    assert changed["key"] == {"a": "3", "b": "k3"} and changed["columns"] == ["c1500"] and changed["target"] == {"c1500": "70"}
