"""Tries the DOT reader and every rule with damaged texts: nothing may crash or hang, and C Graphviz must agree.

``python tests/fuzz/run.py --count 100000 --seed 1 --jobs 2 [--keep FOLDER] [FOLDER ...]``: status 1 for a fault.
With ``--advice`` the inputs are valid graphs with a known damage, whose fixes and help texts are followed (advice.py).
The folders hold more files to damage. Input ``n`` of a seed is always the same as long as the files are.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
if str(HERE.parent) not in sys.path:
    sys.path.insert(0, str(HERE.parent))

from fuzz.advice import damaged, fault  # noqa: E402
from fuzz.graphviz import CRASHED, Answer, Library, gc_accepts  # noqa: E402
from fuzz.inputs import make, samples  # noqa: E402

from dagtool.cli import main as dagtool  # noqa: E402
from dagtool.dot import DotGraph, DotSyntaxError, parse  # noqa: E402
from dagtool.dot.grammar import Parser  # noqa: E402
from dagtool.dot.reader import decode, without_nul  # noqa: E402
from dagtool.dot.scan import END  # noqa: E402
from dagtool.validators.catalogue import all_rules  # noqa: E402
from dagtool.validators.engine import check_bytes  # noqa: E402

__all__ = ["Failure", "Tally", "own_files", "run", "run_advice"]

LIMIT_S = 10.0
"""How long one input may take."""
THROUGH_COMMAND = 20
"""Each so many inputs are also given to the command itself."""
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that does not go as it must, and why."""

    number: int
    kind: str
    what: str
    data: bytes


@dataclass(slots=True)
class Tally:
    """What was tried, and what was found."""

    kinds: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Take another one's counts in."""
        self.kinds += other.kinds
        self.counts += other.counts
        self.slowest_s = max(self.slowest_s, other.slowest_s)
        self.failures += other.failures


class TooSlowError(Exception):
    """An input took longer than it may."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooSlowError where the body takes longer. Only where there is SIGALRM, and in the main thread."""

    def late(*_: object) -> None:
        raise TooSlowError

    previous = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def first_graph(data: bytes) -> Answer:
    """Our answer to what the C library is asked: it leaves what follows the first graph for its next call."""
    try:
        parser = Parser(without_nul(decode(data)), fast=True)
        parser.scanner.seek(0)
        if parser.scanner.kind == END:
            return None
        graph = parser._graph()
    except DotSyntaxError as error:
        if error.message.startswith("expected the end of the file"):
            raise AssertionError("the first graph has an end") from error
        return None
    return graph.directed, graph.strict, len(graph.node_ids), len(graph.tails)


def whole_file(data: bytes) -> list[DotGraph] | None:
    """Every graph of a text; None if it is rejected."""
    try:
        return parse(data)
    except DotSyntaxError:
        return None


def disagreement(data: bytes, library: Library | None, counts: Counter[str]) -> str:
    """How our reading of a text differs from C Graphviz's; empty where it does not."""
    ours, graphs = first_graph(data), whole_file(data)
    counts["accepted" if graphs else "rejected" if graphs is None else "empty"] += 1
    if ours is None and graphs:
        return "the first graph alone is rejected, the file is not"
    if library is None:
        return ""
    counts["compared with the C library"] += 1
    theirs = library.read(data)
    if theirs != ours:
        counts["asked again, in a new process"] += 1
        theirs = library.read(data, fresh=True)
    if theirs != ours:
        return f"ours {ours}, the C library's {theirs}"
    if ours is None or (graphs is not None and len(graphs) == 1) or (accepts := gc_accepts(data)) is None:
        return ""
    counts["compared with gc, for what follows the first graph"] += 1
    if accepts == (graphs is not None):
        return ""
    if graphs and any(graph.ignored_offset is not None for graph in graphs):
        # Graphviz 2.43 looks one token past the end of a graph, newer ones drop the rest of its line.
        counts["text behind a closing brace, which an old gc rejects"] += 1
        return ""
    return f"ours {'rejects' if graphs is None else f'{len(graphs)} graphs'}, gc {'accepts' if accepts else 'rejects'}"


def attempt(number: int, data: bytes, library: Library | None, tally: Tally) -> str:
    """Everything that is asked of one input; what is wrong, empty where nothing is."""
    begin = time.perf_counter()
    try:
        with time_limit(LIMIT_S):
            report = check_bytes(data, "input.dot", all_rules())
            tally.counts["findings"] += len(report.findings)
    except TooSlowError:
        return f"slower than {LIMIT_S:g} s"
    except Exception as error:  # whatever it is, it is a fault
        return f"{type(error).__name__}: {error}"
    finally:
        tally.slowest_s = max(tally.slowest_s, time.perf_counter() - begin)
    if number % THROUGH_COMMAND == 0 and (fault := command_fault(data, parses=report.parses)):
        return fault
    return disagreement(data, library, tally.counts)


def command_fault(data: bytes, *, parses: bool) -> str:
    """What is wrong with how the command itself takes it: 0 or 1 for what is DOT, 2 for what is not."""
    output, errors = io.StringIO(), io.StringIO()
    with tempfile.NamedTemporaryFile(suffix=".dot") as file:
        file.write(data)
        file.flush()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            status = dagtool(["validate", "--no-config", "--output-format", "concise", file.name])
    if "Traceback" in errors.getvalue() or status not in ((0, 1) if parses else (2,)):
        return f"the command's status is {status}: {errors.getvalue()[-300:]}"
    return ""


def shrunk(data: bytes, fails: Callable[[bytes], bool], seconds: float = 30.0) -> bytes:
    """A smaller input that still fails: pieces are left out, halves first, as long as there is time."""
    end = time.monotonic() + seconds
    size = max(1, len(data) // 2)
    while size:
        place = 0
        while place < len(data) and time.monotonic() < end:
            shorter = data[:place] + data[place + size :]
            if fails(shorter):
                data = shorter
            else:
                place += size
        size //= 2
    return data


def _fails(number: int, library: Library | None, data: bytes) -> bool:
    return bool(attempt(number, data, library, Tally()))


def chunk(seed: int, files: Sequence[bytes], compare: bool, numbers: range) -> Tally:
    """Some inputs, one after the other."""
    tally = Tally()
    library = Library() if compare else None
    for number in numbers:
        kind, data = make(seed, number, files)
        tally.kinds[kind] += 1
        if not (what := attempt(number, data, library, tally)):
            continue
        small = shrunk(data, partial(_fails, number, library))
        tally.failures.append(Failure(number, kind, attempt(number, small, library, Tally()) or what, small))
    if library:
        library.close()
    return tally


def advice_chunk(seed: int, compare: bool, numbers: range) -> Tally:
    """Some damaged graphs, one after the other, with the advice followed."""
    tally = Tally()
    library = Library() if compare else None
    accepts = partial(_accepted, library) if library else None
    for number in numbers:
        given = damaged(seed, number)
        tally.kinds[given.slip] += 1
        begin = time.perf_counter()
        try:
            with time_limit(LIMIT_S):
                what = fault(given, accepts, tally.counts)
        except TooSlowError:
            what = f"slower than {LIMIT_S:g} s"
        except Exception as error:  # whatever it is, it is a fault
            what = f"{type(error).__name__}: {error}"
        tally.slowest_s = max(tally.slowest_s, time.perf_counter() - begin)
        if what:
            tally.failures.append(Failure(number, given.slip, what, given.text.encode()))
    if library:
        library.close()
    return tally


def _accepted(library: Library, data: bytes) -> bool:
    """Whether the C library reads a first graph; asked once more by a new process where it does not."""
    return any(library.read(data, fresh=fresh) not in (None, CRASHED) for fresh in (False, True))


def own_files() -> list[bytes]:
    """The files of this checkout: those of the tests, and the rules' examples."""
    examples = [text.encode() for loaded in all_rules() for text in (loaded.bad, loaded.good)]
    return [*samples([HERE.parent / "golden"]), *examples]


def run(seed: int, count: int, files: Sequence[bytes], *, first: int = 0, jobs: int = 1, compare: bool = True) -> Tally:
    """``count`` inputs from number ``first`` on. Progress goes to the standard error where there are many."""
    return _in_chunks(partial(chunk, seed, files, compare), count, first, jobs)


def run_advice(seed: int, count: int, *, first: int = 0, jobs: int = 1, compare: bool = True) -> Tally:
    """The same for damaged graphs whose advice is followed."""
    return _in_chunks(partial(advice_chunk, seed, compare), count, first, jobs)


def _in_chunks(work: Callable[[range], Tally], count: int, first: int, jobs: int) -> Tally:
    end = first + count
    pieces = [range(start, min(start + CHUNK, end)) for start in range(first, end, CHUNK)]
    total, begin = Tally(), time.monotonic()
    with ProcessPoolExecutor(jobs) if jobs > 1 else contextlib.nullcontext() as pool:
        for done, tally in enumerate(pool.map(work, pieces) if pool else map(work, pieces), 1):
            total.add(tally)
            if count > 10 * CHUNK and done % 10 == 0:
                sys.stderr.write(f"{done * CHUNK:,} of {count:,}, {time.monotonic() - begin:.0f} s\n")
    return total


def main() -> int:
    """Run it, print the counts, keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="more DOT files to damage")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="the number to begin with, to see one input again")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--advice", action="store_true", help="follow the fixes and help texts for damaged graphs")
    parser.add_argument("--keep", type=Path, help="folder for the inputs that fail, made small")
    options = parser.parse_args()
    try:
        import pygraphviz  # noqa: F401
    except ImportError:
        compare = False
        print("pygraphviz is not here: nothing is compared with C Graphviz.")
    else:
        compare = True
    begin = time.monotonic()
    if options.advice:
        total = run_advice(options.seed, options.count, first=options.first, jobs=options.jobs, compare=compare)
        source = "damaged graphs"
    else:
        files = [*own_files(), *samples(options.folders)]
        total = run(options.seed, options.count, files, first=options.first, jobs=options.jobs, compare=compare)
        source = f"inputs from {len(files):,} files"
    print(f"seed {options.seed}: {options.count:,} {source}, {time.monotonic() - begin:.0f} s")
    for title, counts in (("inputs", total.kinds), ("outcomes", total.counts)):
        print(f"{title}: " + ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items())))
    print(f"slowest input: {total.slowest_s:.2f} s; failures: {len(total.failures):,}")
    for failure in total.failures[:50]:
        print(f"  {failure.number} ({failure.kind}): {failure.what}\n    {failure.data[:200]!r}")
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            (options.keep / f"{options.seed}_{failure.number}.dot").write_bytes(failure.data)
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
