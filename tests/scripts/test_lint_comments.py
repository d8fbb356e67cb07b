"""scripts/lint-comments finds a contract that is not behind its label, and finds none in the headers."""

import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
GOOD = """/// The forms of columns by their names.
/// Requires: the names are whole.
/// Returns: as many forms.
/// Throws: Error{kInternal} for a name that is none.
Forms forms_of(const Names& names);

/// Checks a number, which a test throws.
/// Errors: 22023 for any other number.
void check(int number);
int rest;  ///< Throws nobody off
// Throws nothing away
"""


def lint(*files):
    return subprocess.run([TOP / "scripts/lint-comments", *files], capture_output=True, text=True, check=False)


def test_the_headers_state_contracts_behind_labels():
    files = sorted(file for folder in ("driver", "extension") for file in (TOP / folder).rglob("*.h"))
    assert len(files) > 100
    done = lint(*files)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("old,new,told", [
    ("", "", None), ("names.\n/// Requires", "names. Throws Error{kInternal}.\n/// Requires", '1: "Throws" in prose'),
    ("/// Throws: Error", "/// Throws Error", '4: "Throws" in prose'), ("/// Throws: Error", "    /// It does. Throws: Error", '4: "Throws" in prose'),
    ("as many forms.\n", "as many forms. Throws\n", '3: "Throws" in prose'), ("a test throws.", "a test throws. Raises 22023.", '7: "Raises" in prose'),
    ("Returns", "Throws", '4: "Throws:" comes twice'), ("Requires", "Errors", '3: "Returns:" comes twice, or behind a later label'),
    ("Forms forms_of", "/// Returns: nothing.\nForms forms_of", '5: "Returns:" comes twice')])
def test_a_fault_is_found(tmp_path, old, new, told):
    file = tmp_path / "planted.h"
    file.write_text(GOOD.replace(old, new, 1))
    done = lint(file)
    assert done.returncode == (0 if told is None else 1)
    assert done.stderr == "" if told is None else f"planted.h:{told}" in done.stderr


def test_lint_calls_it():
    called = [line for line in (TOP / "scripts/lint").read_text().splitlines() if "scripts/lint-comments" in line and not line.startswith("#")]
    assert len(called) == 1
