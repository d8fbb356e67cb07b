"""A job of parity.verify is one JSON object, of which a member that is misspelled would be NULL. So every member that the SQL reads is
written somewhere, and every member of the job itself is in the list at the head of extension/sql/31-verify-target.sql."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
TOKEN = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[A-Za-z_][A-Za-z_0-9]*|->>?|#>>?|#-|\|\||::|\s+|.", re.S)
# Objects whose members are looked at, and what else may have the same names: rows and ranges that differ, and runs over many tables.
READ = {"job", "plan", "ask", "found", "facts", "work", "again", "lean", "rest", "asked"}


def sql():
    return {file.name: file.read_text() for file in sorted((TOP / "extension/sql").glob("*.sql")) if file.name >= "3"}


def tokens(text):
    return [token for token in TOKEN.findall(text) if not token.isspace() and not token.startswith("--")]


def reads(text):
    """(object, member) of `object -> 'member'`, `->>`, `?` and of longer paths."""
    words = tokens(text)
    for place, word in enumerate(words):
        if word in READ and words[place - 1] not in (".", "->", "->>") and place + 2 < len(words):
            at = place + 1
            owner = word
            while at + 1 < len(words) and words[at] in ("->", "->>", "?") and words[at + 1].startswith("'"):
                member = words[at + 1].strip("'")
                yield owner, member
                owner, at = member, at + 2
            if words[at] == "#>>" and words[at + 1].startswith("'{"):
                path = words[at + 1].strip("'{}").split(",")
                yield from zip([owner, *path], path)


def written(text):
    """Names in jsonb_build_object, in JSON literals and in literals that name members."""
    calls, last = [], ""
    for token in tokens(text):
        if token in "([":
            calls.append([last, 0])
        elif token in ")]" and calls:
            calls.pop()
        elif token == "," and calls:
            calls[-1][1] += 1
        elif token.startswith("'"):
            if calls and calls[-1][0] == "jsonb_build_object" and calls[-1][1] % 2 == 0:
                yield token.strip("'")
            yield from re.findall(r'"(\w+)":', token)
            yield from re.findall(r"''(\w+)'', ", token)
        last = token


def unknown(texts):
    known = {name for text in texts.values() for name in written(text)}
    known |= {name for text in texts.values() for name in re.findall(r"AS (\w+)", text)}
    return {(owner, member) for text in texts.values() for owner, member in reads(text) if member not in known}


def documented():
    head = sql()["31-verify-target.sql"].partition("CREATE FUNCTION")[0]
    return {name for line in re.findall(r"^--   ([a-z][a-z_, ]*?)(?:  .*)?$", head, re.M) for name in line.split(", ")}


def test_every_member_that_is_read_is_written():
    assert unknown(sql()) == set()
    assert len({pair for text in sql().values() for pair in reads(text)}) > 100


@pytest.mark.parametrize("old,new", [("job ->> 'followed'", "job ->> 'folowed'"), ("job -> 'plan' ->> 'seed'", "job -> 'plan' ->> 'sead'"),
                                     ("job ? 'without_indexes'", "job ? 'without_index'"), ("ask ->> 'remote_workers'", "ask ->> 'remoteworkers'"),
                                     ("'at_once', at_once + 1", "'atonce', at_once + 1")])
def test_a_misspelled_member_is_found(old, new):
    texts = {name: text.replace(old, new).replace("'at_once', 0", "'atonce', 0") if "atonce" in new else text.replace(old, new)
             for name, text in sql().items()}
    assert texts != sql() and unknown(texts)


def test_members_of_the_job_are_documented():
    members = {member for name, text in sql().items() if name.startswith("3") and name < "37" for owner, member in reads(text) if owner == "job"}
    assert members - documented() == set()
    assert documented() >= {"ask", "plan", "found", "step", "follows"} and not documented() - {name for text in sql().values() for name in written(text)}
