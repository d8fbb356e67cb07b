"""scripts/check-commits, over small repositories with one planted message."""

import subprocess
from pathlib import Path

import pytest

CHECK = Path(__file__).resolve().parents[2] / "scripts" / "check-commits"
REASON = "Two statements read it, so its rows were hashed twice."


def git(tree, *arguments):
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments], cwd=tree, check=True, capture_output=True)


def commit(tree, *messages):
    """Empty commits with these messages, the last one at the tip."""
    parent = subprocess.run(["git", "rev-parse", "-q", "--verify", "HEAD"], cwd=tree, capture_output=True, text=True).stdout.strip()
    stream = ""
    for number, message in enumerate(messages):
        stream += f"commit refs/heads/main\ncommitter a <a@example.org> {number} +0000\ndata {len(message)}\n{message}\n"
        if number == 0 and parent:
            stream += f"from {parent}\n"
    subprocess.run(["git", "fast-import", "--quiet"], input=stream, text=True, cwd=tree, check=True, capture_output=True)


def check(tree):
    return subprocess.run([CHECK, tree], capture_output=True, text=True)


@pytest.fixture
def tree(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path, f"Stream: read a partition once\n\n{REASON}")
    return tmp_path


def test_a_message_with_a_part_and_a_reason_passes(tree):
    ended = check(tree)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("message, complaint", [
    ("Stream: read a partition once", "the body gives no reason"),
    ("Stream: read a partition once\n\nReviewed-by: Somebody Else and Another One", "the body gives no reason"),
    ("Stream: read a partition once\n\nfix it", "the body gives no reason"),
    (f"Read a partition once\n\n{REASON}", "the subject names no part"),
    (f"Stream: {'read ' * 30 + 'it'}\n\n{REASON}", "more than 120 characters"),
])
@pytest.mark.parametrize("later", [0, 1])
def test_a_message_without_is_named(tree, message, complaint, later):
    commit(tree, message, *[f"Driver: another change\n\n{REASON}"] * later)
    ended = check(tree)
    assert ended.returncode == 1
    assert complaint in ended.stderr and message.splitlines()[0] in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_what_a_tag_holds_is_left_alone(tree):
    commit(tree, "oops")
    assert check(tree).returncode == 1
    git(tree, "tag", "v1")
    assert check(tree).returncode == 0
    commit(tree, "oops again")
    ended = check(tree)
    assert ended.returncode == 1 and "oops again" in ended.stderr


def test_without_tags_the_last_50_count(tree):
    commit(tree, "oops", *(f"Driver: change {number}\n\n{REASON}" for number in range(49)))
    assert check(tree).returncode == 1
    commit(tree, f"Driver: change 50\n\n{REASON}")
    assert check(tree).returncode == 0


def test_a_tree_without_history_has_nothing_to_check(tmp_path):
    ended = check(tmp_path)
    assert ended.returncode == 0 and "no history" in ended.stdout
