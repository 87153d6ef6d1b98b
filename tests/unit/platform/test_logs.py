# SPDX-License-Identifier: Apache-2.0
import json
import logging
import os
from collections import Counter
from collections.abc import Iterator

import gevent
import pytest
from gevent.socket import wait_read
from hypothesis import given
from hypothesis import strategies as st

from submgr.platform.logs import JsonFormatter, LogOutput, Logs


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    os.set_blocking(read, False)
    yield read, write
    for end in (read, write):
        os.close(end)


def lines_of(descriptor: int) -> list[dict]:
    data = b""
    while True:
        try:
            more = os.read(descriptor, 1 << 20)
        except BlockingIOError:
            break
        if not more:
            break
        data += more
    return [json.loads(line) for line in data.splitlines()]


@pytest.fixture
def logger(pipe) -> Iterator[logging.Logger]:
    logger = logging.Logger("area", logging.DEBUG)
    output = LogOutput(pipe[1], recent=5)
    output.setFormatter(JsonFormatter("submgr"))
    logger.addHandler(output)
    return logger


def test_a_record_is_one_line_with_its_fields(logger, pipe):
    logger.warning("lost %s\nand found", "x", extra={"meid": "gnb_1", "count": 3, "what": {1, 2}.__class__})
    (line,) = lines_of(pipe[0])
    assert line.pop("ts") > 1_600_000_000_000
    assert line == {
        "crit": "WARNING", "id": "submgr", "logger": "area", "msg": "lost x\nand found", "meid": "gnb_1", "count": 3,
        "what": "<class 'set'>",
    }  # fmt: skip


def test_tracebacks_stay_in_their_line_and_bad_text_does_no_harm(logger, pipe):
    try:
        raise RuntimeError("broken \udcff")
    except RuntimeError:
        logger.exception("oh", extra={"id": "not the program", "nan": float("nan"), "big": 1 << 70})
    (line,) = lines_of(pipe[0])
    assert "RuntimeError" in line["trace"]
    assert (line["id"], line["id_"]) == ("submgr", "not the program")


def test_long_records_are_shortened_and_still_json(logger, pipe):
    logger.info("m" * 100_000, extra={"data": "d" * 100_000, "small": 1})
    (line,) = lines_of(pipe[0])
    assert line["small"] == 1
    assert line["data"].endswith("... (100000 characters)")


def test_a_reader_that_does_not_read_blocks_nobody_and_gets_whole_lines_later(logger, pipe):
    for n in range(2000):
        logger.info("line", extra={"n": n, "pad": "x" * 5000})
    (output,) = logger.handlers
    assert output.dropped > 0
    assert output.backlog > 0
    first = lines_with_partial_end(pipe[0])
    while output.backlog:
        output.write_out()
        first += lines_with_partial_end(pipe[0])
    numbers = [json.loads(line)["n"] for line in first.splitlines()]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) + output.dropped == 2000
    assert len(output.recent()) == 5
    assert json.loads(output.recent()[-1])["n"] == 1999


def lines_with_partial_end(descriptor: int) -> bytes:
    data = b""
    while True:
        try:
            data += os.read(descriptor, 1 << 20)
        except BlockingIOError:
            return data


def test_a_closed_descriptor_is_no_error():
    read, write = os.pipe()
    output = LogOutput(write)
    os.close(read)
    output.emit(logging.makeLogRecord({"msg": "nobody hears"}))
    assert output.backlog == 0
    os.close(write)


def test_logs_take_over_and_give_back_the_root_logger(pipe):
    root = logging.getLogger()
    before = root.handlers[:]
    logs = Logs("submgr", pipe[1])
    logs.start(3)
    logging.getLogger("a").debug("not shown")
    logging.getLogger("a").info("shown")
    logs.set_level(4)
    logging.getLogger("a").debug("now shown")
    logs.set_level(1)
    logging.getLogger("a").warning("not shown")
    gevent.spawn(lambda: 1 / 0).join()
    logs.stop()
    logging.getLogger("a").error("elsewhere")
    lines = lines_of(pipe[0])
    assert [line["msg"] for line in lines] == ["shown", "now shown", "greenlet failed"]
    assert "ZeroDivisionError" in lines[-1]["trace"]
    assert root.handlers == before


def test_logs_stop_writes_what_waits_but_not_for_ever(pipe):
    logs = Logs("submgr", pipe[1])
    logs.start(3)
    for _ in range(200):
        logging.getLogger("submgr.a").info("x" * 1000)
    read: list[bytes] = []

    def late_reader() -> None:
        while True:
            wait_read(pipe[0])
            read.append(lines_with_partial_end(pipe[0]))

    reader = gevent.spawn(late_reader)
    logs.stop(10)
    reader.kill()
    rest = b"".join(read) + lines_with_partial_end(pipe[0])
    assert len([json.loads(line) for line in rest.splitlines()]) == 200
    logs.start(3)
    for _ in range(200):
        logging.getLogger("submgr.a").info("x" * 1000)
    with gevent.Timeout(5):
        logs.stop(0.1)


def test_a_flood_of_one_logger_pushes_no_other_lines_out_of_the_recent_ones(pipe):
    output = LogOutput(pipe[1], recent=100)
    output.setFormatter(JsonFormatter("submgr"))
    for number in range(30):
        output.emit(logging.makeLogRecord({"name": "quiet", "levelno": logging.INFO, "msg": f"line {number}"}))
    for _ in range(1000):
        output.emit(logging.makeLogRecord({"name": "flood", "levelno": logging.WARNING, "msg": "again"}))
    names = [json.loads(line)["logger"] for line in output.recent()]
    assert names == ["quiet"] * 30 + ["flood"] * 70


@given(st.lists(st.sampled_from("abcd"), max_size=60))
def test_of_the_recent_lines_it_is_always_one_of_the_largest_kinds_that_loses_its_oldest(kinds: list[str]) -> None:
    output, before = LogOutput(1, recent=8), Counter[str]()
    output.write_out = lambda: None  # type: ignore[method-assign]
    for number, kind in enumerate(kinds):
        output.emit(logging.makeLogRecord({"name": kind, "levelno": logging.INFO, "msg": f"{kind} {number}"}))
        before[kind] += 1
        now = Counter(line[0] for line in output.recent())
        lost = before - now
        assert lost.total() == (number >= 8)
        assert all(before[each] == max(before.values()) for each in lost)
        for each in "abcd":
            latest = [f"{each} {index}" for index in range(number + 1) if kinds[index] == each]
            assert [line for line in output.recent() if line[0] == each] == latest[len(latest) - now[each] :]
        before = now


def test_characters_that_a_terminal_obeys_and_passwords_reach_no_log(logger, pipe):
    logger.warning("lost http://u:p4ss@proxy/x", extra={"meid": "gnb\x9b2J", "url": "https://u:p4ss@h"})
    raw = os.read(pipe[0], 65536).decode()
    assert "\x9b" not in raw
    assert "p4ss" not in raw
    assert json.loads(raw)["meid"] == "gnb\x9b2J"


def test_json_unless_it_is_a_terminal_or_the_settings_say_otherwise(pipe):
    ours, terminal = os.openpty()
    try:
        for descriptor, form, is_json in (
            (pipe[1], "auto", True), (pipe[1], "text", False), (terminal, "auto", False), (terminal, "json", True)
        ):  # fmt: skip
            logs = Logs("submgr", descriptor)
            logs.start(3)
            logs.adjust(3, form)
            logging.getLogger("submgr.a").info("said", extra={"meid": "gnb_1"})
            (line,) = logs.recent()
            logs.stop()
            assert line.startswith("{") is is_json, (form, line)
            assert "said" in line and "gnb_1" in line
    finally:
        os.close(ours)
        os.close(terminal)
