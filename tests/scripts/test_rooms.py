"""The documentation leads to rooms and files that exist, and to every room."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
HEADINGS = {"driver": "### The rooms of the driver", "extension/backend": "### The rooms of the backend"}


@pytest.mark.parametrize("folder", HEADINGS)
def test_architecture_lists_the_rooms(folder):
    """docs/architecture.md has a line for each room that has files, and none for others."""
    section = (TOP / "docs/architecture.md").read_text().split(HEADINGS[folder])[1].split("\n#")[0]
    told = re.findall(r"^\| `([\w/]+)/` \|", section, re.M)
    rooms = {str(path.parent.relative_to(TOP / folder)) for path in (TOP / folder).rglob("*") if path.suffix in (".h", ".cpp")} - {"."}
    assert sorted(told) == sorted(rooms)


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_paths_exist(page):
    paths = re.findall(r"`((?:driver|extension|tests|scripts|bench|docs)/[\w./-]*)`", (TOP / page).read_text())
    assert len(paths) > 10
    assert [path for path in paths if not (TOP / path).exists()] == []
