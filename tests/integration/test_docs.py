"""Runs the worked examples of docs/sql.md and compares what psql prints with what the page shows.

A ```sql block is run in psql. A ```text block right after it is its output, line for line (blanks at line ends do not count).
Where a value is not the same in every run, the page shows `…` (any characters within the line). An ```sql block without a text block is
only run. All blocks of a page run in one psql session, in one database, in order.
"""

import re

import pytest

from support.pgparity import TOP

# The runbook's examples need several servers: test_runbook.py has them.
PAGES = sorted(p.name for p in (TOP / "docs").glob("*.md") if re.search(r"^```sql", p.read_text(), re.M) and p.name != "operations.md")


def blocks(page):
    """(line number, sql, expected output or None) of each example."""
    fences = list(re.finditer(r"^```(\w*)\n(.*?)^```$", page, re.M | re.S))
    for number, fence in enumerate(fences):
        if fence.group(1) != "sql":
            continue
        following = fences[number + 1] if number + 1 < len(fences) else None
        adjacent = following and following.group(1) == "text" and not page[fence.end():following.start()].strip()
        yield page.count("\n", 0, fence.start()) + 1, fence.group(2), following.group(2) if adjacent else None


def pattern(line):
    return ".*".join(re.escape(part) for part in line.rstrip().split("…"))


@pytest.mark.parametrize("name", PAGES)
def test_examples(source_cluster, name):
    database = source_cluster.create_database(extension=False)
    try:
        examples = list(blocks((TOP / "docs" / name).read_text()))
        mark = "-- end of example --"
        script = "".join(f"{sql}\n\\echo '{mark}'\n" for _, sql, _ in examples)
        outputs = database.psql(script).split(mark + "\n")
        for (line, sql, expected), output in zip(examples, outputs):
            if expected is None:
                continue
            shown = [each.rstrip() for each in expected.rstrip().splitlines()]
            printed = [each.rstrip() for each in output.rstrip().splitlines()]
            same = len(shown) == len(printed) and all(re.fullmatch(pattern(s), p) for s, p in zip(shown, printed))
            assert same, f"docs/{name}:{line}\n{sql}\nprinted:\n" + "\n".join(printed) + "\nthe page shows:\n" + "\n".join(shown)
    finally:
        source_cluster.drop_database(database)


def test_the_sql_page_has_examples():
    assert "sql.md" in PAGES
