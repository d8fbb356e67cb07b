"""scripts/check-sizes finds what is too long."""

import shutil
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent


def check(tree):
    run = subprocess.run([TOP / "scripts/check-sizes", tree], capture_output=True, text=True)
    assert (run.returncode == 0) == (run.stderr == "")
    return run.stderr


@pytest.fixture
def tree(tmp_path):
    for name in ("driver", "extension", "tests/unit"):
        shutil.copytree(TOP / name, tmp_path / name, ignore=shutil.ignore_patterns("*.o", "*.d", "*.so"))
    return tmp_path


def test_the_tree_is_small_enough(tree):
    assert check(tree) == ""


def test_a_long_function(tree):
    lines = "".join(f"    x += {n};\n" for n in range(60))
    (tree / "driver/text/planted.cpp").write_text(f"int planted(int x) {{\n{lines}    return x;\n}}\n")
    assert "driver/text/planted.cpp:1: planted has 63 lines, more than 60" in check(tree)


def test_a_full_folder(tree):
    for n in range(31):
        (tree / f"driver/text/planted{n}.h").write_text("#pragma once\n")
    assert "driver/text has " in check(tree)
