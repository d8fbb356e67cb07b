"""The links of the documentation lead to files, and to headings of them."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
PAGES = sorted(str(path.relative_to(TOP)) for folder in (".", "docs", "bench", "tests/vectors") for path in (TOP / folder).glob("*.md"))


def text_of(page):
    """Without what stands in code blocks."""
    return re.sub(r"^( *)```.*?^\1```$", "", page.read_text(), flags=re.M | re.S)


def anchors(page):
    """Of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text_of(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_links(name):
    page = TOP / name
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if target.startswith(("http:", "https:")):
            continue
        file, _, anchor = target.partition("#")
        other = (page.parent / file).resolve() if file else page
        if not other.exists() or anchor and anchor not in anchors(other):
            wrong.append(target)
    assert wrong == []


def test_pages_link_to_each_other():
    """So that no page is out of the reader's way."""
    linked = {target for name in PAGES for target in re.findall(r"\]\((?:\.\./)?(?:docs/)?([\w-]+\.md)", (TOP / name).read_text())}
    assert {Path(name).name for name in PAGES if name.startswith("docs/")} <= linked
