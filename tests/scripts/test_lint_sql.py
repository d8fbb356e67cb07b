"""scripts/lint-sql finds each fault of layout, and finds none in the extension's script."""

import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
GOOD = "-- Something.\nSELECT jsonb_build_object('a', f(1, 2),\n    'b', '(,', 'c', 3);  -- 'd', 4\n"


def lint(*files):
    return subprocess.run([TOP / "scripts/lint-sql", *files], capture_output=True, text=True, check=False)


def test_the_script_is_laid_out_well():
    files = sorted((TOP / "extension/sql").glob("*.sql"))
    assert len(files) > 10
    done = lint(*files)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("text,told", [
    (GOOD, None), (GOOD + "-- " + "x" * 117 + "\n", None), (GOOD + "-- " + "x" * 118 + "\n", "4: 121 columns"), (GOOD + "SELECT 1; \n", "4: white space"),
    (GOOD + "\tSELECT 1;\n", "4: white space"), (GOOD.replace("'a', f", "'a',\n    f"), "2: the line ends between a name and its value"),
    (GOOD.replace("f(1, 2),\n", "f(1,\n2),\n"), None), (GOOD.replace("'c', 3", "'c',\n3"), "3: the line ends between a name and its value"),
    (GOOD.replace("-- Something.\n", ""), "1: no comment says")])
def test_a_fault_is_found(tmp_path, text, told):
    file = tmp_path / "planted.sql"
    file.write_text(text)
    done = lint(file)
    assert done.returncode == (0 if told is None else 1)
    assert done.stderr == "" if told is None else f"planted.sql:{told}" in done.stderr


def test_lint_calls_it():
    assert "scripts/lint-sql extension/sql/*.sql" in (TOP / "scripts/lint").read_text()
