"""What shells and man know of the command line, as they themselves see it."""

import subprocess

import pytest

from support.pgparity import PGPARITY, pgparity


BASH = """source <("$1" completion bash); shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pgparity; printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(*words):
    """What bash offers for the last word."""
    done = subprocess.run(["bash", "-c", BASH, "bash", PGPARITY, *words], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_bash_completes_commands_options_and_choices(tmp_path, monkeypatch):
    assert completed("pgparity", "") == {"compare", "resume", "report", "dead-letters", "completion", "help", "--help", "--version"}
    assert completed("pgparity", "compare", "--exclude") == {"--exclude-table", "--exclude-columns"}
    assert completed("pgparity", "compare", "--format", "j") == completed("pgparity", "report", "-F", "j") == {"json", "junit"}
    assert completed("pgparity", "help", "comp") == {"compare", "completion"}
    (tmp_path / "kept.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert completed("pgparity", "report", "--from", "ke") == {"kept.json"}
    known = completed("pgparity", "compare", "--")
    assert {"--source", "--config", "--dry-run"} <= known and "--from" not in known


def test_zsh_takes_the_completion():
    script = pgparity("completion", "zsh").expect(0).stdout
    assert script.startswith("#compdef pgparity\n") and "--exclude-table[tables not to compare]" in script
    assert "[auto, extension or stream\\: where digests" in script and ":(text json ndjson csv markdown junit)" in script
    subprocess.run(["zsh", "-n"], input=script, check=True, text=True)


def test_the_page_for_man():
    page = pgparity("completion", "man").expect(0).stdout
    shown = subprocess.run(["man", "-l", "-"], input=page, check=True, capture_output=True, text=True, env={"MANWIDTH": "80", "PATH": "/usr/bin:/bin"})
    assert not shown.stderr
    text = shown.stdout
    for part in ("pgparity - find out whether two databases", "-t, --table PATTERN", "pgparity compare [option]... SOURCE TARGET", "Exit status:",
                 "--max-divergences N", "PGPARITY report", "--against FILE"):
        assert part in text, part


@pytest.mark.parametrize("shell, message", [("fish", 'no completion for "fish"'), (None, "the name of a shell is missing")])
def test_a_shell_that_is_not_known(shell, message):
    run = pgparity("completion", *([shell] if shell else []))
    assert run.status == 2 and message in run.stderr and "bash, zsh or man" in run.stderr
