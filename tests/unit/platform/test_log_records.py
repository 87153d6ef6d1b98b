# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest

from mec.common.log_masking import IdentityMask
from submgr.platform.log_formats import JsonFormatter, TextFormatter
from submgr.platform.log_records import Line, Record

FIELDS = {"meid": "gnb_1", "id": "not the program", "detail": "", "ms": 12.5, "peer": "x\x7f\x9b2J\u202e", "n": None}


@pytest.fixture
def made_by_logging() -> Iterator[logging.LogRecord]:
    """What `logging` makes of a text and an `extra` while our records are in force."""
    heard: list[logging.LogRecord] = []
    logger, before = logging.Logger("submgr.a"), logging.getLogRecordFactory()
    logger.addHandler(handler := logging.Handler())
    handler.emit = heard.append  # type: ignore[method-assign]
    logging.setLogRecordFactory(Record)
    try:
        logger.info("subscribe %s", "success", extra=FIELDS)
    finally:
        logging.setLogRecordFactory(before)
    yield heard[0]


def test_a_line_reads_as_one_that_logging_has_made(made_by_logging: logging.LogRecord) -> None:
    line = Line("submgr.a", logging.INFO, "subscribe success", FIELDS)
    line.created, line.msecs = made_by_logging.created, made_by_logging.msecs
    for formatter in (JsonFormatter("submgr"), TextFormatter()):
        assert formatter.format(line) == formatter.format(made_by_logging)
    assert '"meid":"gnb_1","id_":"not the program","detail":""' in JsonFormatter("submgr").format(line)


def test_other_formatters_find_all_they_know(made_by_logging: logging.LogRecord) -> None:
    known = "%(name)s %(pathname)s%(filename)s%(module)s %(lineno)d %(threadName)s %(process)s %(funcName)s %(message)s"
    for record in (made_by_logging, Line("submgr.a", logging.INFO, "subscribe success", FIELDS)):
        text = logging.Formatter(f"%(asctime)s {known}").format(record)
        assert re.fullmatch(r"\S+ \S+,\d{3} submgr\.a  0 None None None subscribe success", text)


def test_what_a_filter_masks_in_a_line_stays_masked() -> None:
    line = Line("submgr.a", logging.INFO, "lost 262011234567890", {"imsi": "262011234567890"})
    assert IdentityMask().filter(line)
    for formatter in (JsonFormatter("submgr"), TextFormatter()):
        assert "262011234567890" not in formatter.format(line)
