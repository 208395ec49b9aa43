"""Runs the fenced blocks of a documentation page, in their order, in a folder of the page's own.

What a block is, its language says:

- ``console``, ``sh``: commands; each block is one shell script that must end with 0;
- ``text`` right after one: its output, line by line, figures and names of runs not compared;
- ``python``: a program that must end with 0; ``pycon``: a session whose answers must come;
- any language with ``title="name"``: a file, written under that name;
- ``yaml``, ``toml``, ``json``, ``ini``, ``xml`` without one: must be well-formed.

What else is to know stands in a comment before the block, which no reader sees:
``<!-- test: exit 99 -->``, ``<!-- test: background until "words" -->``,
``<!-- test: with "10000" as "40" -->``, ``<!-- test: skip why -->``.
"""

import doctest
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML

from simulator.delivery.brokers.embedded import PREFERRED_PORTS
from simulator.delivery.brokers.ports import pick_ports
from simulator.delivery.brokers.started import WEBSOCKET_PORT

ROOT: Final = Path(__file__).resolve().parents[2]
FENCE: Final = re.compile(
    r"^(?P<notes>(?:<!-- test: .*? -->\n+)*)(?P<indent> *)"
    r"```(?P<head>\w[^\n]*)\n(?P<body>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
COMMANDS: Final = frozenset({"console", "sh"})
SHOWN_ONLY: Final = frozenset({"text", "html", "js", "javascript", "promql", "http", "css"})
PORTS_SAID: Final = ("1883", "8883", "8083", "8080")
"""Ports that pages name and that a test takes free ones for."""
WITHIN_S: Final = 200.0
_VARYING: Final = re.compile(r"\d{8}t\d{6}-\w{4}|[-+\u2212]?\d[\d,.:]*")


class PageError(AssertionError):
    """A page says something that is not so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block with what stands before it."""

    language: str
    title: str
    body: str
    notes: tuple[str, ...]

    def note(self, word: str) -> str | None:
        """What the comment that begins with this word goes on to say."""
        for note in self.notes:
            if note.partition(" ")[0] == word:
                return note.partition(" ")[2]
        return None


def blocks_of(text: str) -> list[Block]:
    """All blocks of a page; an opening fence that this does not see is an error."""
    found = [_block(match) for match in FENCE.finditer(text)]
    fences = len(re.findall(r"^ *```", text, re.MULTILINE))
    if fences != 2 * len(found):
        raise PageError(f"{fences} fences, {len(found)} blocks: a block has no language or no end")
    return found


def _block(match: re.Match[str]) -> Block:
    head = match["head"]
    title = re.search(r'title="([^"]+)"', head)
    body = re.sub(f"^{match['indent']}", "", match["body"], flags=re.MULTILINE)
    return Block(
        language=head.split()[0],
        title=title[1] if title else "",
        body=body,
        notes=tuple(re.findall(r"<!-- test: (.*?) -->", match["notes"])),
    )


@dataclass(slots=True, kw_only=True)
class Page:
    """A page at work."""

    folder: Path
    said: str = ""
    background: list[tuple[subprocess.Popen[str], Path, bool]] = field(default_factory=list)
    ports: dict[str, str] = field(default_factory=dict)
    commands: int = 0

    def play(self, text: str) -> None:
        """Run the page's blocks, then wait for what still runs, or end it."""
        named = [port for port in PORTS_SAID if re.search(rf"\b{port}\b", text)]
        if named:
            free = pick_ports((0,) * len(named), given=False)
            self.ports = {name: str(port) for name, port in zip(named, free, strict=True)}
        try:
            for block in blocks_of(text):
                self._do(block)
            # Those that end by themselves first: they may need those that stay.
            for process, output, stays in sorted(self.background, key=lambda each: each[2]):
                if stays:
                    process.send_signal(signal.SIGTERM)
                try:
                    code = process.wait(WITHIN_S)
                except subprocess.TimeoutExpired:
                    raise PageError(f"did not end:\n{output.read_text()}") from None
                if code and not stays:
                    raise PageError(f"ended with {code}:\n{output.read_text()}")
        finally:
            for process, _, _ in self.background:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait(10)

    def _do(self, block: Block) -> None:
        if block.note("skip") is not None:
            return
        body = self._localised(block)
        if block.title:
            path = self.folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".conf" and os.geteuid() == 0:
                body = f"user root\n{body}"  # mosquitto leaves root, and then may read nothing here
            path.write_text(body, encoding="utf-8")
        elif block.language in COMMANDS:
            self._commands(block, body)
        elif block.language == "python":
            self._run([sys.executable, "-c", body], "0", body)
        elif block.language == "pycon":
            self._session(body)
        elif block.language == "text" and block.note("sample") is None:
            self._expect(body)
        elif block.language not in SHOWN_ONLY:
            parse(block.language, body)

    def _localised(self, block: Block) -> str:
        """With free ports for those that the page names, and in small where it says so."""
        body = block.body
        changed = block.note("with")
        if changed is not None:
            for old, new in re.findall(r'"([^"]*)" as "([^"]*)"', changed):
                if old not in body:
                    raise PageError(f"{old!r} is not in:\n{body}")
                body = body.replace(old, new)
        for name, port in self.ports.items():
            body = re.sub(rf"\b{name}\b", port, body)
        if block.language in COMMANDS:
            body = body.replace("curl -s ", "curl -s --fail-with-body ")
        if block.language in COMMANDS and "alertsim serve" in body:
            port = self.ports.setdefault("8080", str(pick_ports((0,), given=False)[0]))
            body = body.replace("alertsim serve", f"alertsim serve --port {port}")
        if str(WEBSOCKET_PORT) in body and block.language in COMMANDS:
            asked = f"http://127.0.0.1:{self.ports['8080']}/api/v1/service"
            with urllib.request.urlopen(asked, timeout=10) as answer:  # ours
                told = json.load(answer)["websocket"]
            body = body.replace(f"ws://127.0.0.1:{WEBSOCKET_PORT}/mqtt", told)
        if any(str(port) in body for port in PREFERRED_PORTS) and block.language in COMMANDS:
            for preferred, actual in zip(PREFERRED_PORTS, self._broker_ports(), strict=True):
                body = body.replace(str(preferred), str(actual))
        return body

    def _broker_ports(self) -> list[int]:
        """Where the page's newest broker listens, for MQTT 3.1.1 and for 5."""
        entries = [
            json.loads(path.read_text(encoding="utf-8"))
            for path in self._runtime().glob("*/*.broker.json")
        ]
        newest = max(entries, key=lambda entry: int(entry["started_ns"]))
        return [newest["ports"]["3.1.1"], newest["ports"]["5"]]

    def _runtime(self) -> Path:
        """A folder for runtime files: the page finds its own brokers, not those of other tests."""
        folder = self.folder / ".runtime"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def _commands(self, block: Block, body: str) -> None:
        self.commands += 1
        until = block.note("background")
        if until is None:
            self._run(["/bin/sh", "-e", "-c", body], block.note("exit") or "0", body)
            return
        words = re.findall(r'"([^"]*)"', until)
        output = self.folder / f".background-{len(self.background)}.txt"
        process = self._start(["/bin/sh", "-c", f"exec {body.strip()}"], output)
        self.background.append((process, output, until.endswith("stays")))
        deadline = time.monotonic() + WITHIN_S
        while True:
            self.said = output.read_text(encoding="utf-8")
            if words[0] in self.said:
                return
            if process.poll() is not None or time.monotonic() > deadline:
                raise PageError(f"{body}did not say {words[0]!r}:\n{self.said}")
            time.sleep(0.05)

    def _start(self, command: list[str], output: Path) -> "subprocess.Popen[str]":
        with output.open("w", encoding="utf-8") as target:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=target,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

    def _run(self, command: list[str], expected: str, shown: str) -> None:
        output = self.folder / ".output.txt"
        process = self._start(command, output)
        try:
            code = process.wait(WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise PageError(f"{shown}was not over in {WITHIN_S} s") from None
        self.said = output.read_text(encoding="utf-8", errors="replace")
        if str(code) not in expected.split():
            raise PageError(f"{shown}ended with {code}, not {expected}:\n{self.said}")

    def _environment(self) -> dict[str, str]:
        programs = str(Path(sys.executable).parent)
        return os.environ | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "100",
            "ALERTSIM_GAP": "200ms",  # between playings nothing happens that a page speaks of
            "HOME": str(self.folder),
            "XDG_RUNTIME_DIR": str(self._runtime()),
        }

    def _session(self, body: str) -> None:
        test = doctest.DocTestParser().get_doctest(body, {}, "page", None, 0)
        told = io.StringIO()
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            runner.run(test, out=told.write)
        finally:
            os.chdir(before)
        if runner.failures:
            raise PageError(told.getvalue())

    def _expect(self, sample: str) -> None:
        """Every line of a sample stands in the last output, in the same order."""
        lines = iter([_masked(line) for line in self.said.splitlines()])
        for line in sample.splitlines():
            if not line.strip() or line.strip() == "…":
                continue
            wanted = _masked(line)
            if not any(wanted == each for each in lines):
                raise PageError(f"not (or not there) in the output: {line!r}\n{self.said}")


def _masked(line: str) -> str:
    """Without what differs from run to run: figures, names of runs, widths of columns, units."""
    bare = _VARYING.sub("#", line)
    bare = re.sub(r"\b(ns|µs|us|ms|s)\b", "t", bare)
    bare = re.sub(r"-{4,}", "----", bare)
    return " ".join(bare.split())


def parse(language: str, body: str) -> None:
    """Read a piece of data, which must be whole.

    Raises:
        PageError: if it is not, or if the language is not known here.
    """
    readers: dict[str, Callable[[str], object]] = {
        "yaml": YAML(typ="safe").load,
        "toml": tomllib.loads,
        "json": json.loads,
        "xml": ET.fromstring,
        "ini": str,
    }
    if language not in readers:
        raise PageError(f"a block of a language that nobody checks: {language}")
    try:
        readers[language](body)
    except Exception as error:
        raise PageError(f"no {language}: {error}\n{body}") from error


def skipped(text: str) -> Iterator[str]:
    """Why blocks of a page are not run."""
    for block in blocks_of(text):
        why = block.note("skip")
        if why is not None:
            yield why
