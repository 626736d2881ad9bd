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
from dataclasses import dataclass, fields
from itertools import groupby
from math import exp, log
from pathlib import Path
from statistics import median
from textwrap import wrap

from dagtool.accuracy import serving, training
from dagtool.accuracy.constants import ServingFit, TrainingFit
from dagtool.accuracy.measured import Measured, Row, UnpredictableError, read_measured
from dagtool.accuracy.operators import operator_value
from dagtool.accuracy.precision import dtype_of
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
    lines = [part for line in comments for part in wrap(line, 118, initial_indent="# ", subsequent_indent="#   ")]
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
            f"Not fitted, of published peaks: {', '.join(PUBLISHED)}.",
        ],
        {"all": whole.constants, **own, **PUBLISHED},
    )


PUBLISHED = {"mi300x": {"compute": 668 / 1307}}
"""Without rows here: the most that products reach, of peak (stas00/ml-engineering, compute/accelerator/README.md)."""


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
            "in_network_share: not fitted; peak bus bandwidth of an 8-rank all-reduce in aiconfigurator's tables,"
            " 445 GB/s on H100 and 704 on B200 (NVLS).",
            "network_*: not fitted; DeepEP's 43 to 51 GB/s over cards of 50, aiconfigurator's 10 us.",
        ],
        {"all": {**shared(found.constants), **usual}, **own},
    )


def fit_training(measured: Measured) -> str:
    """Training steps: what GPUs sustain, what communication is exposed, what experts cost beyond their products."""
    steps = [row for row in measured.rows if row.text("metric") in training.METRICS]
    start = {name: getattr(TrainingFit(), name) for name in names_of(TrainingFit)} | _TRAINING
    rows = predictable(steps, predict_step, start)
    dense = [row for row in rows if not row.text("experts")]
    routed = [row for row in rows if row.text("experts")]
    routing = ["experts", "expert_host_s"]
    free = [name for name in start if name not in routing and not name.startswith("all.")]
    found = fit(dense, predict_step, start, free)
    means = {f"all.{width}": usual_of(found.constants, width) for width in ("bf16", "fp8")}
    whole = fit(routed, predict_step, found.constants | means, routing)
    out = held_out(by(dense, group_of), predict_step, start, free)
    comments = [
        *provenance(measured, rows),
        f"Mean error on {len(dense)} rows of dense models {found.mean:.1%},"
        f" on {len(routed)} with experts {whole.mean:.1%}.",
        f"Held out, under constants fitted on the other rows: {listed(out)};"
        f" over all rows {weighted(out, by(dense, group_of)):.1%}."
        f" One constant throughput of the other rows, alike as they are: {flat_held_out(by(dense, group_of)):.1%}.",
        "[step]: dagtool.accuracy.constants.TrainingFit. The others: share of kernels' rate that a GPU sustains.",
    ]
    tables: dict[str, dict[str, float]] = {"step": {name: whole.constants[name] for name in names_of(TrainingFit)}}
    for name, value in whole.constants.items():
        if "." in name:
            tables.setdefault(name.partition(".")[0], {})[name.partition(".")[2]] = value
    return toml(comments, tables)


_TRAINING = {
    "passes": 1.5, "attention": 1.2, "casts": 1.5, "tensor_exposed": 0.5, "data_exposed": 0.3, "gather_exposed": 0.2,
    "all.bf16": 0.8, "all.fp8": 0.8, "a100-80.bf16": 0.85, "h100.bf16": 0.75, "h100.fp8": 0.85, "b200.fp8": 0.85,
}  # fmt: skip
"""Where constants start: between a recipe that hides nothing and one that hides all."""


def predict_step(row: Row, held: Constants) -> float:
    """A training row under constants; ``gpu.width`` are what a GPU sustains."""
    table: dict[str, dict[str, float]] = {}
    for name, value in held.items():
        if "." in name:
            table.setdefault(name.partition(".")[0], {})[name.partition(".")[2]] = value
    own = {name: held[name] for name in names_of(TrainingFit)}
    return training.training_value(row, TrainingFit(**own), table)


def usual_of(held: Constants, width: str) -> float:
    """The geometric mean over GPUs of what they sustain."""
    own = [log(value) for name, value in held.items() if name.endswith(f".{width}") and not name.startswith("all.")]
    return exp(sum(own) / len(own))


def names_of(kind: type) -> list[str]:
    """The names of a dataclass's fields."""
    return [one.name for one in fields(kind)]


def group_of(row: Row) -> str:
    """What is held out together: one source's rows on one GPU, in one width."""
    return f"{row.text('source').partition(':')[0].partition(' (')[0].rpartition('/')[2]} {gpu_of(row)} {dtype_of(row)}"


def flat_held_out(groups: Mapping[str, list[Row]]) -> float:
    """The mean error of one constant share of peak, the median of the other groups' rows.

    Of those on the same GPU in the same width; where there are none of the same width, or of any.
    """
    errors = []
    for name, rows in groups.items():
        others = [row for other, held in groups.items() if other != name for row in held]
        wanted = (gpu_of(rows[0]), dtype_of(rows[0]))
        alike = [row for row in others if (gpu_of(row), dtype_of(row)) == wanted]
        alike = alike or [row for row in others if dtype_of(row) == wanted[1]] or others
        share = median(map(share_of_peak, alike))
        errors += [share / share_of_peak(row) - 1 for row in rows]
    return mean(errors)


def share_of_peak(row: Row) -> float:
    """Useful FLOPs per second of a training row over the GPU's peak."""
    step, rate = training.step_of(row), row.required("value")
    if row.text("metric") == "achieved_tflops_per_gpu":
        rate *= 1e12 / training.model_flops(step.arch, step.seq, recompute=step.recompute == "full")
    useful = training.model_flops(step.arch, step.seq, causal=True)
    return rate * useful / step.machine.gpu.peak_flops_per_s(step.machine.dtype)


def weighted(errors: Mapping[str, float], groups: Mapping[str, list[Row]]) -> float:
    """The mean over rows of errors by group."""
    return sum(errors[name] * len(rows) for name, rows in groups.items()) / sum(map(len, groups.values()))


def fit_serving(measured: Measured) -> str:
    """Serving: first what a step takes, on times per token and of whole calls; then what a first token waits for."""

    def predict(row: Row, held: Constants) -> float:
        return serving.serving_value(row, ServingFit(**held))

    start = {name: getattr(ServingFit(), name) for name in names_of(ServingFit)}
    steps = rows_of(measured, ("tpot", "generate_latency"))
    steps, firsts = (predictable(rows, predict, start) for rows in (steps, rows_of(measured, ("ttft",))))
    free, waiting = ["launch_s", "eager_launch_s", "one_shot_s", "host_s", "touched"], ["queue", "first_token_s"]
    found = fit(steps, predict, start, free)
    whole = fit(firsts, predict, found.constants, waiting)
    groups = by(steps, lambda row: row.text("model").rpartition("/")[2])
    out = held_out(groups, predict, start, free)
    tokens = errors_of([row for row in steps if row.text("metric") == "tpot"], predict, whole.constants)
    return toml(
        [
            *provenance(measured, [*steps, *firsts]),
            f"Mean error of times per output token {mean(tokens):.1%} ({len(tokens)} rows), with those of whole calls"
            f" {found.mean:.1%} ({len(steps)}), to the first token {whole.mean:.1%} ({len(firsts)}).",
            f"Held out, a model at a time, under constants fitted on the others: {listed(out)};"
            f" over all rows {weighted(out, groups):.1%}.",
            "dagtool.accuracy.constants.ServingFit says what they are.",
        ],
        {"step": whole.constants},
    )


def rows_of(measured: Measured, metrics: Sequence[str]) -> list[Row]:
    """The rows that measure one of these."""
    return [row for row in measured.rows if row.text("metric") in metrics]


def provenance(measured: Measured, rows: Sequence[Row]) -> list[str]:
    """Where the rows come from."""
    sources = sorted({row.text("source").partition(":")[0].partition(" (")[0] for row in rows})
    return [
        f"Fitted by docs/fit_costs.py on {len(rows)} rows of {Path(measured.path).name}. Sources of the rows:",
        *(f"- {source}" for source in sources),
    ]


def mean(errors: Sequence[float]) -> float:
    """Mean absolute error."""
    return sum(map(abs, errors)) / len(errors)


def listed(groups: Mapping[str, float]) -> str:
    """``a100-80 9.1%, h100 11.0%``."""
    return ", ".join(f"{name} {value:.1%}" for name, value in groups.items())


FITS = {
    "operators": {"cost/fitted/kernels.toml": fit_kernels, "cost/fitted/links.toml": fit_links},
    "end_to_end": {"accuracy/training.toml": fit_training, "accuracy/serving.toml": fit_serving},
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
