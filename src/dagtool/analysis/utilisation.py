"""How well GPUs are used: tokens per second, and FLOPs of the model over what the GPUs could do."""

from __future__ import annotations

from dagtool.analysis.sections.products import conservation
from dagtool.analysis.subject import Priced, Subject

__all__ = ["tokens_per_s", "utilisation"]


def tokens_per_s(subject: Subject, priced: Priced) -> float | None:
    """B*S tokens of a prompt over the makespan; None where the graph does not state them."""
    batch, length = subject.dag.sizes.get("B"), subject.dag.sizes.get("S")
    if not batch or not length or not priced.plan.makespan_s:
        return None
    return batch * length / priced.plan.makespan_s


def utilisation(subject: Subject, priced: Priced) -> float | None:
    """FLOPs, replicas counted once, over makespan, GPUs and dense peak (MFU); None while a size is a symbol."""
    flops = conservation(subject).distinct.number
    peak = priced.cluster.gpu.peak_flops_per_s(priced.dtype) * len(subject.gpus) * priced.plan.makespan_s
    return None if flops is None or not peak else float(flops) / peak
