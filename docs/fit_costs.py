"""Fit the constants of the cost models to measured rows, and write them with what they were fitted on.

    python3 docs/fit_costs.py operators.csv            # cost/fitted/kernels.toml and links.toml
    python3 docs/fit_costs.py end_to_end.csv           # accuracy/training.toml and serving.toml
    python3 docs/fit_costs.py operators.csv --dry-run  # only report

What is minimised is the mean absolute logarithm of predicted over measured, plus a small pull of every constant towards
where it started: a constant that the rows say nothing about stays. Reported beside the error on the rows fitted is the
one on rows that were held out, a group at a time.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import exp, log
from pathlib import Path

from dagtool.accuracy.measured import Measured, Row, UnpredictableError, read_measured
from dagtool.accuracy.operators import operator_value
from dagtool.cost.fitted import KernelFit, LinkFit
from dagtool.errors import DagtoolError
from dagtool.model.cluster import find_gpu

PACKAGE = Path(__file__).parents[1] / "src" / "dagtool"
PULL = 0.003
"""Of one unit of a constant's logarithm: 0.3 % of error."""
ENOUGH = 10
"""Rows from which a GPU gets constants of its own."""

Constants = Mapping[str, float]
Predict = Callable[[Row, Constants], float]


@dataclass(frozen=True)
class Fit:
    """Constants and the errors they leave."""

    constants: dict[str, float]
    errors: list[float]

    @property
    def mean(self) -> float:
        """Mean absolute error."""
        return sum(map(abs, self.errors)) / len(self.errors)


def errors_of(rows: Sequence[Row], predict: Predict, constants: Constants) -> list[float]:
    """Predicted over measured, less one."""
    return [predict(row, constants) / row.required("value") - 1 for row in rows]


def fit(rows: Sequence[Row], predict: Predict, start: Constants, free: Sequence[str]) -> Fit:
    """Constants in ``free`` fitted, the others as they start."""

    def constants(point: Sequence[float]) -> dict[str, float]:
        return {**start, **{name: start[name] * exp(x) for name, x in zip(free, point, strict=True)}}

    def loss(point: Sequence[float]) -> float:
        if any(abs(x) > 3 for x in point):
            return 1e9
        held = constants(point)
        off = [abs(log(max(predict(row, held) / row.required("value"), 1e-9))) for row in rows]
        return sum(off) / len(off) + PULL * sum(x * x for x in point)

    found = constants(minimum(loss, len(free)))
    return Fit(found, errors_of(rows, predict, found))


def minimum(loss: Callable[[Sequence[float]], float], count: int, *, step: float = 0.25) -> list[float]:
    """Where ``loss`` is least: one coordinate after another, steps halved when none helps. No randomness."""
    point, best = [0.0] * count, loss([0.0] * count)
    while step > 0.002:
        before = best
        for index in range(count):
            for sign in (1, -1):
                while True:
                    tried = [*point]
                    tried[index] += sign * step
                    value = loss(tried)
                    if value >= best - 1e-7:
                        break
                    point, best = tried, value
        if before - best < 1e-5:
            step /= 2
    return point


def predictable(rows: Sequence[Row], predict: Predict, constants: Constants) -> list[Row]:
    """The rows that can be predicted at all."""
    found = []
    for row in rows:
        try:
            predict(row, constants)
        except (UnpredictableError, DagtoolError):
            continue
        found.append(row)
    return found


def by(rows: Sequence[Row], key: Callable[[Row], str]) -> dict[str, list[Row]]:
    """Rows in groups."""
    return {name: list(held) for name, held in groupby(sorted(rows, key=key), key=key)}


def held_out(
    groups: Mapping[str, list[Row]], predict: Predict, start: Constants, free: Sequence[str]
) -> dict[str, float]:
    """For each group the mean error under constants fitted on all the others."""
    found = {}
    for name, rows in groups.items():
        others = [row for other, held in groups.items() if other != name for row in held]
        left = fit(others, predict, start, free)
        errors = errors_of(rows, predict, left.constants)
        found[name] = sum(map(abs, errors)) / len(errors)
    return found


def toml(comments: Sequence[str], tables: Mapping[str, Constants]) -> str:
    """A data file."""
    lines = [f"# {line}" for line in comments]
    for name, constants in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {value:.4g}" for key, value in constants.items())]
    return "\n".join(lines) + "\n"


def gpu_of(row: Row) -> str:
    """The short name of a row's GPU."""
    return find_gpu(row.text("gpu")).short


def fit_kernels(measured: Measured) -> str:
    """Matrix products: constants over all GPUs, and own ones where a GPU has enough rows."""

    def predict(row: Row, held: Constants) -> float:
        return operator_value(row, kernels=KernelFit(**held))

    start = {"compute": 0.8, "memory": 0.8, "launch_s": 5e-6, "fp8": 0.9}
    rows = predictable([row for row in measured.rows if row.text("kind") == "gemm"], predict, start)
    groups = by(rows, gpu_of)
    whole = fit(rows, predict, start, list(start))
    own, errors = {}, []
    for gpu, held in groups.items():
        if len(held) < ENOUGH:
            errors += errors_of(held, predict, whole.constants)
            continue
        one = fit(held, predict, whole.constants, ["compute", "memory", "launch_s"])
        own[gpu] = {name: one.constants[name] for name in ("compute", "memory", "launch_s")}
        errors += one.errors
    out = held_out(groups, predict, start, list(start))
    return toml(
        [
            *provenance(measured, rows),
            f"Mean error {mean(errors):.1%}; with [all] alone {whole.mean:.1%}.",
            f"Each GPU's rows under constants fitted on the other GPUs: {listed(out)}.",
        ],
        {"all": whole.constants, **own},
    )


def fit_links(measured: Measured) -> str:
    """Collectives: shares and protocols over all GPUs, the two latencies for each."""

    def predict(row: Row, held: Constants) -> float:
        own = {name: held[f"{gpu_of(row)}.{name}"] for name in latencies if f"{gpu_of(row)}.{name}" in held}
        return operator_value(row, links=LinkFit(**{**shared(held), **own}))

    def shared(held: Constants) -> dict[str, float]:
        return {name: value for name, value in held.items() if "." not in name}

    latencies = ("start_s", "hop_s")
    start: dict[str, float] = {
        "start_s": 7e-6, "hop_s": 1e-6, "share": 0.75, "small_share": 0.4, "large_start_s": 2e-5,
        "all_to_all_hop": 0.5, "all_to_all_share": 0.9, "in_network_share": 0.57,
        "network_share": 0.9, "network_start_s": 1e-5,
    }  # fmt: skip
    rows = predictable([row for row in measured.rows if row.text("kind") == "collective"], predict, start)
    groups = by(rows, gpu_of)
    for gpu in groups:
        start |= {f"{gpu}.{name}": start[name] for name in latencies}
    free = ["share", "small_share", "large_start_s", "all_to_all_hop", "all_to_all_share"]
    found = fit(rows, predict, start, [*free, *(name for name in start if "." in name)])
    own = {gpu: {name: found.constants[f"{gpu}.{name}"] for name in latencies} for gpu in groups}
    usual = {name: exp(sum(log(one[name]) for one in own.values()) / len(own)) for name in latencies}
    out = held_out(groups, predict, {**shared(start), **usual}, free)
    return toml(
        [
            *provenance(measured, rows),
            f"Mean error {found.mean:.1%}.",
            f"Each GPU's rows under constants fitted on the other GPUs: {listed(out)}.",
            "in_network_share: not fitted; peak bus bandwidth of an 8-rank all-reduce in aiconfigurator's tables,",
            "  445 GB/s on H100 and 704 on B200 (NVLS).",
            "network_*: not fitted; DeepEP's 43 to 51 GB/s over cards of 50, aiconfigurator's 10 us.",
        ],
        {"all": {**shared(found.constants), **usual}, **own},
    )


def provenance(measured: Measured, rows: Sequence[Row]) -> list[str]:
    """Where the rows come from."""
    sources = sorted({row.text("source").partition(":")[0].partition(" (")[0] for row in rows})
    return [
        f"Fitted by docs/fit_costs.py on {len(rows)} rows of {Path(measured.path).name}. Sources of the rows:",
        *(f"  {source}" for source in sources),
    ]


def mean(errors: Sequence[float]) -> float:
    """Mean absolute error."""
    return sum(map(abs, errors)) / len(errors)


def listed(groups: Mapping[str, float]) -> str:
    """``a100-80 9.1%, h100 11.0%``."""
    return ", ".join(f"{name} {value:.1%}" for name, value in groups.items())


FITS = {
    "operators": {"cost/fitted/kernels.toml": fit_kernels, "cost/fitted/links.toml": fit_links},
}


def main(arguments: Sequence[str]) -> None:
    """Fit what a file has rows for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file")
    parser.add_argument("--dry-run", action="store_true", help="report, write nothing")
    options = parser.parse_args(arguments)
    measured = read_measured(options.file)
    for place, run in FITS[measured.kind].items():
        text = run(measured)
        sys.stdout.write(f"{place}\n{text}\n")
        if not options.dry_run:
            (PACKAGE / place).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
