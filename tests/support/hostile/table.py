# SPDX-License-Identifier: Apache-2.0
"""The table of attacks: port, sequence, bounds. docs/security.md has a row for each of them, with figures of a run."""

from __future__ import annotations

from functools import partial

from support.hostile import access, files, http_in, http_out, redis, rmr, s1ap
from support.hostile.ordeal import Attack

PATH = http_in.SUBSCRIPTIONS
CONTEXTS = "/dev_app/v1/app_contexts"

HTTP_IN = (
    Attack(name="endless-trailers", port="8088", sequence="a chunked body whose trailer never ends",
           run=http_in.endless_trailers),
    Attack(name="one-byte-chunks", port="8088", sequence="a body in chunks of one octet", run=http_in.one_byte_chunks),
    Attack(name="chunk-extensions", port="8088", sequence="chunks of one octet, each with 1 kB of extension",
           run=http_in.chunk_extensions),
    Attack(name="endless-extension", port="8088", sequence="the line of a chunk never ends",
           run=http_in.one_endless_extension),
    Attack(name="endless-head", port="8088", sequence="10 connections, again and again: header fields without an end",
           run=partial(http_in.endless_head, octets=b"X-Field: 1\r\n" * 4096)),
    Attack(name="endless-line", port="8088", sequence="10 connections, again and again: a header line without an end",
           run=partial(http_in.endless_head, octets=b"x" * 65536)),
    Attack(name="empty-lines", port="8088", sequence="10 connections, again and again: carriage returns for ever",
           run=partial(http_in.endless_head, octets=b"\r" * 65536)),
    Attack(name="pipelined-metrics", port="8080", sequence="50 connections, 200 `GET /metrics` each, unread",
           run=partial(http_in.metrics, port="platform", times=200, connections=50)),
    Attack(name="pipelined-metrics-mec", port="8000", sequence="50 connections, 200 `GET /metrics` each, unread",
           run=partial(http_in.metrics, port="mec", times=200, connections=50)),
    Attack(name="pipelined-symptomdata", port="8080", sequence="20 connections, 20 `GET symptomdata` each, unread",
           run=partial(http_in.pipelined, port="platform", request=http_in.head("GET /ric/v1/symptomdata"), times=20,
                       connections=20)),
    Attack(name="pipelined-refusals", port="8088", sequence="4 connections, `DELETE` of an unknown id for ever, read",
           run=partial(http_in.pipelined_and_read, port="xapp", request=http_in.head(f"DELETE {PATH}/x"))),
    Attack(name="unfinished-bodies", port="8088", sequence="40 bodies of 16 MB without their last octet",
           run=partial(http_in.unfinished_bodies, port="xapp", path=PATH, size=16_000_000, connections=40)),
    Attack(name="unfinished-small-bodies", port="8088", sequence="400 bodies of 1 MB without their last octet",
           run=partial(http_in.unfinished_bodies, port="xapp", path=PATH, size=1_000_000, connections=400),
           memory=2.0, lost=3),
    Attack(name="unfinished-bodies-mec", port="8000", sequence="40 bodies of 16 MB without their last octet",
           run=partial(http_in.unfinished_bodies, port="mec", path=CONTEXTS, size=16_000_000, connections=40)),
    Attack(name="unfinished-bodies-platform", port="8080", sequence="40 bodies of 16 MB without their last octet",
           run=partial(http_in.unfinished_bodies, port="platform", path="/ric/v1/test/x", size=16_000_000,
                       connections=40)),
    Attack(name="large-bodies", port="8088", sequence="100 bodies of 4 MB at once",
           run=partial(http_in.large_bodies, port="xapp", path=PATH, size=4_000_000, connections=100)),
    Attack(name="large-allowed-bodies", port="8088", sequence="100 bodies of 1,000,000 octets at once",
           run=partial(http_in.large_bodies, port="xapp", path=PATH, size=1_000_000, connections=100), memory=1.75),
    Attack(name="large-bodies-mec", port="8000", sequence="50 bodies of 4 MB at once",
           run=partial(http_in.large_bodies, port="mec", path=CONTEXTS, size=4_000_000, connections=50)),
    Attack(name="deaf-readers", port="8088", sequence="200 clients ask for the list and never read it",
           run=partial(http_in.deaf_readers, port="xapp", path=PATH, connections=200)),
    Attack(name="deaf-readers-platform", port="8080", sequence="200 clients ask for restsubscriptions, never read",
           run=partial(http_in.deaf_readers, port="platform", path="/ric/v1/restsubscriptions", connections=200)),
    Attack(name="slow-readers", port="8088", sequence="100 clients read an octet of the list now and then",
           run=partial(http_in.slow_readers, port="xapp", path=PATH, connections=100)),
    Attack(name="lingering", port="8088", sequence="3,000 connections that stay after they were refused",
           run=partial(http_in.lingering, port="xapp", connections=3000), seconds=1.2, lost=3),
    Attack(name="half-heads", port="8088", sequence="1,000 heads that never end, a line now and then",
           run=partial(http_in.half_heads, port="xapp", connections=1000), seconds=1.2, lost=3),
    Attack(name="half-heads-platform", port="8080", sequence="1,000 heads that never end, a line now and then",
           run=partial(http_in.half_heads, port="platform", connections=1000), seconds=1.2, lost=3),
    Attack(name="half-heads-of-many", port="8088", sequence="the same from 1,000 addresses",
           run=partial(http_in.half_heads, port="xapp", connections=1000, addresses=1000), seconds=1.2, lost=3),
    Attack(name="resets", port="8080", sequence="connections that are reset as soon as they are open",
           run=partial(http_in.connections_that_come_and_go, port="platform")),
    Attack(name="many-keys", port="8088", sequence="JSON of 300,000 keys, 4 MB",
           run=partial(http_in.many_keys, port="xapp", path=PATH, keys=300_000),
           check=http_in.refused(400, 413)),
    Attack(name="many-keys-mec", port="8000", sequence="JSON of 1,000,000 keys, 15 MB",
           run=partial(http_in.many_keys, port="mec", path=CONTEXTS, keys=1_000_000),
           check=http_in.refused(400, 413)),
    Attack(name="json-shapes", port="8088", sequence="1 MB of lists, depth, digits, escapes, equal keys, triggers",
           run=partial(http_in.json_shapes, port="xapp", path=PATH, size=1_000_000),
           check=http_in.refused(400, 413), memory=1.75),
    Attack(name="json-shapes-mec", port="8000", sequence="1 MB of lists, depth, digits, escapes, equal keys",
           run=partial(http_in.json_shapes, port="mec", path=CONTEXTS, size=1_000_000),
           check=http_in.refused(400, 404, 413), memory=1.75),
    Attack(name="smuggling", port="8088", sequence="20 heads that two readers understand differently",
           run=http_in.smuggling, check=http_in.refused_once),
    Attack(name="hosts", port="8088", sequence="no Host, two Hosts, HTTP/1.0 with Transfer-Encoding",
           run=http_in.hosts, check=http_in.refused_once),
)  # fmt: skip

_OUT = {
    "continue": "`100 Continue` for ever",
    "early-hints": "`103 Early Hints` for ever",
    "trailers": "a trailer that never ends",
    "extensions": "chunks of one octet, each with 1 kB of extension",
    "one-byte-chunks": "chunks of one octet for ever",
    "head": "a head that never ends",
    "status-line": "a status line that never ends",
    "body": "a body of 100 GB",
    "body-without-end": "a body without an end",
    "answers": "answers that nobody asked for",
}
_FEW = ("continue", "trailers", "extensions")

HTTP_OUT = (
    *(Attack(name=f"xapp-{name}", port="out: xApp", sequence=text, run=partial(http_out.xapp, answer=name), seconds=0.4)
      for name, text in _OUT.items()),
    *(Attack(name=f"rtmgr-{name}", port="out: Routing Manager", sequence=_OUT[name],
             run=partial(http_out.routing_manager, answer=name), seconds=0.4) for name in _FEW),
    *(Attack(name=f"proxy-{name}", port="out: MEC proxy", sequence=_OUT[name],
             run=partial(http_out.proxy, answer=name), seconds=0.4) for name in (*_FEW, "body")),
)  # fmt: skip

RMR = (
    *(Attack(name=f"garbage-{mtype}", port="4560", sequence=f"messages of type {mtype} that are no E2AP, for ever",
             run=partial(rmr.garbage_answers, mtype=mtype)) for mtype in (12011, 12010)),
    Attack(name="undecodable", port="4560", sequence="E2AP with another bit wrong each time",
           run=rmr.undecodable_kinds),
    Attack(name="unknown-types", port="4560", sequence="the smallest frames, of unknown types, for ever",
           run=rmr.unknown_types),
    Attack(name="broken-frames", port="4560", sequence="one connection after the other, a broken frame on each",
           run=rmr.broken_frames),
    Attack(name="unfinished-frames", port="4560", sequence="300 connections, a frame of 1 MiB without its end on each",
           run=rmr.unfinished_frames, memory=2.0),
    Attack(name="idle-connections", port="4560", sequence="2,000 connections that say nothing",
           run=rmr.idle_connections, descriptors=2100, memory=2.5),
    Attack(name="deaf-peer", port="4560", sequence="health checks for ever, no answer is read", run=rmr.deaf_peer,
           memory=2.5),
    Attack(name="large-table", port="4561", sequence="a route table of 100,000 entries", run=rmr.large_table,
           memory=2.5, check=rmr.acknowledged),
    Attack(name="one-line-updates", port="4561", sequence="updates of one line each to it, one after the other",
           run=rmr.one_line_updates, memory=2.5, check=rmr.acknowledged),
    Attack(name="many-updates", port="4561", sequence="300 such updates without waiting for an answer",
           run=rmr.many_updates, memory=2.5),
    Attack(name="meid-maps", port="4561", sequence="a map of 50,000 Meids, and a change of one", run=rmr.meid_maps,
           memory=2.5, check=rmr.acknowledged),
    Attack(name="odd-lines", port="4561", sequence="records of 60,000 octets among those of a small table",
           run=rmr.small_table, memory=2.5, check=rmr.acknowledged),
    Attack(name="many-sources", port="4560", sequence="20,000 delete requests of 20,000 addresses",
           run=rmr.many_sources, seconds=2.0, memory=3.0, descriptors=2200),
    Attack(name="many-names", port="4560", sequence="4,000 delete requests of 4,000 unknown names",
           run=rmr.many_names, memory=3.0, descriptors=2200),
)  # fmt: skip

REDIS = (
    Attack(name="events", port="redis", sequence="R-NIB's channel: events of a connected node for ever",
           run=redis.events),
    Attack(name="events-of-many", port="redis", sequence="R-NIB's channel: events of unknown nodes, ten in a payload",
           run=redis.events_of_many),
    Attack(name="garbage-events", port="redis", sequence="R-NIB's channel: payloads that mean nothing",
           run=redis.garbage_events),
    Attack(name="many-nodes", port="redis", sequence="2,000 nodes in R-NIB, read anew three times",
           run=redis.many_nodes, fails=("8088 subscribe",)),
    Attack(name="large-records", port="redis", sequence="an entry and a member of R-NIB of 20 MB", memory=3.0,
           run=redis.large_records, fails=("8088 subscribe",)),
    Attack(name="spoiled-answers", port="redis", sequence="malformed answers (`$abc` and ten other kinds)",
           run=redis.spoiled_answers, fails=("8088 subscribe",)),
    Attack(name="endless-answer", port="redis", sequence="an answer of 512 MB that does not end", memory=3.0,
           run=redis.endless_answer, fails=("8088 subscribe",)),
)  # fmt: skip

S1AP = (
    Attack(name="s1ap-idle", port="9001", sequence="1,200 connections that say nothing", run=s1ap.idle_connections,
           seconds=2.0, check=s1ap.got_in),
    Attack(name="s1ap-unfinished", port="9001", sequence="200 PDUs of 16 kB without their last octet",
           run=s1ap.unfinished_pdus),
    Attack(name="s1ap-garbage", port="9001", sequence="PDUs with a correct header that do not decode, for ever",
           run=s1ap.garbage),
    Attack(name="s1ap-broken", port="9001", sequence="one connection after the other, an impossible header on each",
           run=s1ap.broken_heads),
    Attack(name="s1ap-wrong-bits", port="9001", sequence="attaches with ten wrong bits each, for ever",
           run=s1ap.wrong_bits),
    Attack(name="s1ap-attaches", port="9001", sequence="40 UEs attach again and again", run=s1ap.attaches),
)  # fmt: skip

FILES = tuple(
    Attack(name=f"file-{number}", port="file", sequence=f"the configuration file is {what}",
           run=partial(files.content, text=text), check=files.was_refused)
    for number, (what, text) in enumerate(files.CONTENTS.items())
)  # fmt: skip

ACCESS = (
    Attack(name="web-pages", port="8088, 8080, 8000", sequence="DNS rebinding; requests of pages of another origin",
           run=access.web_pages, check=access.all_forbidden),
    Attack(name="own-doors", port="8000, 8088", sequence="callbacks to the daemon's own `/test/emptydb`, by six names",
           run=access.own_doors, check=access.nothing),
    Attack(name="odd-names", port="8088", sequence="Meids and hosts with control characters",
           run=access.odd_names, check=access.nothing),
    Attack(name="token-guesses", port="8080", sequence="10 connections guess the debug token",
           run=access.token_guesses, check=access.slowed_down),
)  # fmt: skip

ALL = (*HTTP_IN, *HTTP_OUT, *RMR, *REDIS, *S1AP, *FILES, *ACCESS)
