"""The table "Errors" of docs/sql.md has every SQLSTATE that the extension's script raises, and every one that the page names elsewhere."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
PAGE = (TOP / "docs/sql.md").read_text()
# For what must not happen: a job without a step, a pass outside a snapshot, an answer that nobody asked for.
INTERNAL = {"XX000", "25001"}


def raised():
    """The SQLSTATEs of the script, of CASE expressions too."""
    script = "".join(file.read_text() for file in sorted((TOP / "extension/sql").glob("*.sql")))
    values = re.findall(r"ERRCODE = ((?:'\w{5}'|[^;,'])(?:'\w+'|[^;,'])*)", script)
    return {code for value in values for code in re.findall(r"'([0-9A-Z]{5})'", value)}


def missing(codes, page):
    """Those of the codes that have no row in the table, by themselves or by their class."""
    section = page.split("\n### Errors\n")[1].split("\n#")[0]
    told = {word for row in re.findall(r"^\| ([^|]*) \|", section, re.M) for word in re.findall(r"\b[0-9A-Z]{2}(?:[0-9A-Z]{3})?\b", row)}
    return {code for code in codes if code not in told and code[:2] not in told}


def test_what_the_script_raises_is_documented():
    assert {"22023", "42P01", "57014", "PP002", "PP003"} <= raised()
    assert missing(raised() - INTERNAL, PAGE) == set()


def test_what_the_page_names_is_in_its_table():
    named = {code for group in re.findall(r"\(((?:[0-9A-Z]{5}(?:, )?)+)\)", PAGE) for code in group.split(", ")}
    assert {"2D000", "55000", "42501"} <= named
    assert missing(named, PAGE) == set()


@pytest.mark.parametrize("code", ["42P01", "55006", "PP002"])
def test_a_row_that_is_not_there_is_noticed(code):
    assert missing(raised() - INTERNAL, re.sub(rf"^\| {code}.*\n", "", PAGE, flags=re.M)) >= {code}
