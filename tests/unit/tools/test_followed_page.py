# SPDX-License-Identifier: Apache-2.0
"""What a page says to do, and when what was printed is what the page has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.followed_page import CommandFailed, Follower, Step, steps, with_printed

PAGE = """# Page

## First

`a.txt`:

```text
one
two
```

Not a file:

```text
three
```

```console
$ cat a.txt
one
two
$ true
```

## Second

```console
$ echo 3MnxfCOKtBSiR1OrvQPqNjqI2lw 8088
old
```
"""


def test_steps() -> None:
    found = list(steps(PAGE))
    assert [(step.section, step.name, step.command) for step in found] == [
        ("First", "a.txt", ""),
        ("First", "", "cat a.txt"),
        ("First", "", "true"),
        ("Second", "", "echo 3MnxfCOKtBSiR1OrvQPqNjqI2lw 8088"),
    ]
    assert found[0].text == "one\ntwo\n"
    assert found[1].printed == ["one", "two"]
    assert PAGE.splitlines()[found[3].line] == f"$ {found[3].command}"


def test_what_was_printed_is_written_down() -> None:
    last = list(steps(PAGE))[-1]
    page = with_printed(PAGE, {last.line: ["new", "er"]})
    assert page == PAGE.replace("\nold\n", "\nnew\ner\n")


def test_follow_and_compare(tmp_path: Path) -> None:
    with Follower(tmp_path, {"8088": "9999"}, {"WORD": "said"}) as follower:
        file, cat, nothing, _ = steps(PAGE)
        for step in (file, cat, nothing):
            assert follower.differs(step, follower.follow(step)) == ""
        assert follower.follow(Step("", 0, command="echo 8088 18088 $WORD; printf x")) == ["8088 18088 said", "x"]
        assert (tmp_path / "a.txt").read_text() == "one\ntwo\n"
        with pytest.raises(CommandFailed, match="line 8"):
            follower.follow(Step("", 7, command="false"))
        other = Step("", 0, command="echo three", printed=["four"])
        assert "four" in follower.differs(other, follower.follow(other))


def test_ids_differ_but_in_the_same_way(tmp_path: Path) -> None:
    one, two, here, there = ("3Mnx" + letter * 23 for letter in "abcd")
    with Follower(tmp_path, {}, {}) as follower:

        def alike(wanted: str, got: str) -> bool:
            return follower.differs(Step("", 0, command="x", printed=[wanted]), [got]) == ""

        assert alike(f'"{one}" "E2EventInstanceId":1', f'"{here}" "E2EventInstanceId":17')
        assert alike(one, here)
        assert not alike(one, there)
        assert alike(two, there)
        assert not alike('"E2EventInstanceId":1', '"E2EventInstanceId":0')
        follower.begin()
        assert alike(one, there)
