"""scripts/check-layers finds each border that is crossed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
ROWS = {}
for line in (TOP / "scripts/layers").read_text().splitlines():
    if line and not line.startswith(("#", "knot ")):
        ROWS[line.partition(":")[0]] = line.partition(":")[2].split()


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    copy = tmp_path_factory.mktemp("tree")
    for name in ("driver", "extension"):
        shutil.copytree(TOP / name, copy / name, ignore=lambda folder, names: [n for n in names if re.search(r"\.(o|d|so|bc)$", n)])
    (copy / "scripts").mkdir()
    shutil.copy(TOP / "scripts/layers", copy / "scripts")
    shutil.copy(TOP / "Makefile", copy)
    return copy


@pytest.fixture
def plant(tree):
    """Writes files for one test."""
    made = []

    def write(name, text):
        file = tree / name
        if file.exists():
            made.append((file, file.read_text()))
        else:
            made.extend((folder, None) for folder in reversed([p for p in file.parents if not p.exists()]))
            made.append((file, None))
            file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    yield write
    for file, text in reversed(made):
        if text is not None:
            file.write_text(text)
        elif file.is_dir():
            file.rmdir()
        else:
            file.unlink()


def check(tree):
    done = subprocess.run([TOP / "scripts/check-layers", tree], capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == bool(done.stderr.strip())
    return done.stderr


def spelled(room):
    return room.removeprefix("extension/")


def test_the_tree_is_clean(tree):
    assert check(tree) == ""


@pytest.mark.parametrize("room", [room for room, allowed in ROWS.items() if "*" not in allowed])
def test_an_include_that_the_row_does_not_allow(tree, plant, room):
    others = ROWS.keys() - {room, "extension/core", *ROWS[room]}
    for other in others:
        plant(f"{other}/planted.h", "#pragma once\n")
    plant(f"{room}/planting.cpp", "".join(f'#include "{spelled(other)}/planted.h"\n' for other in others))
    told = check(tree)
    assert others and all(f"{room} may not include {other} " in told for other in others)


def test_a_header_that_is_not_there(tree, plant):
    plant("driver/planted.cpp", '#include "driver/nowhere.h"\n')
    assert "driver/nowhere.h is not there" in check(tree)


def test_a_room_without_a_row(tree, plant):
    plant("driver/attic/planted.cpp", "\n")
    assert "driver/attic is no room" in check(tree)


def test_headers_in_a_circle(tree, plant):
    plant("driver/one.h", '#include "driver/two.h"\n')
    plant("driver/two.h", '#include "driver/one.h"\n')
    assert "a circle of includes: driver/one.h -> driver/two.h -> driver/one.h" in check(tree)


@pytest.mark.parametrize("name, line, told", [
    ("extension/core/planted.h", "#include <cstdio>", "the core includes a server"),
    ("extension/core/planted.h", "std::vector<int> v;", "the core throws, catches or allocates"),
    ("extension/backend/planted.cpp", "throw 1;", "the backend throws"),
    ("extension/backend/planted.cpp", "#if PG_VERSION_NUM >= 160000", "PG_VERSION_NUM outside"),
    ("driver/planted.h", '#include "postgres.h"', "the driver includes a server header"),
    ("driver/planted.h", 'const char* version = "1.0";', "the version is written out"),
])
def test_a_forbidden_line(tree, plant, name, line, told):
    plant(name, line + "\n")
    assert told in check(tree)


def test_a_knot_that_is_open(tree, plant):
    plant("scripts/layers", (TOP / "scripts/layers").read_text() + "knot driver/main.cpp driver/process.h\n")
    assert "the knot driver/main.cpp driver/process.h is open" in check(tree)
