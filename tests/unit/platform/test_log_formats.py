# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
import re
import sys

from submgr.platform.log_formats import TextFormatter


def line(message: str, level: int = logging.WARNING, **extra: object) -> str:
    known = {"msg": message, "levelno": level, "levelname": logging.getLevelName(level)}
    return TextFormatter().format(logging.makeLogRecord({**known, **extra}))


def test_a_line_for_people_has_time_level_words_and_what_it_is_about() -> None:
    text = line("subscribe refused", meid="gnb_1", xapp="", subscription_id=None, ms=12.5, detail="no such function")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} WARNING subscribe refused meid=gnb_1 ms=12.5"
        r' detail="no such function"',
        text,
    )


def test_nobody_writes_a_line_of_his_own() -> None:
    text = line("lost a\nb", peer="x\n2026-01-01 ERROR y", colour="\x1b[31m", url="redis://me:secret@host/1")
    assert "\n" not in text and "\x1b" not in text and "secret" not in text
    assert "lost a\\nb" in text


def test_a_long_line_is_cut_and_a_traceback_follows() -> None:
    assert len(line("x" * 100_000)) < 20_000
    try:
        raise ZeroDivisionError("a bug")
    except ZeroDivisionError:
        text = line("failed", logging.ERROR, exc_info=sys.exc_info())
    assert text.splitlines()[0].endswith(" ERROR   failed")
    assert text.splitlines()[-1] == "ZeroDivisionError: a bug"
