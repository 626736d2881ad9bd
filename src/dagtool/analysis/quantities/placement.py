"""Which GPUs do what: of roles, stages, layers and experts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dagtool.analysis.quantities import NotDerivableError
from dagtool.analysis.subject import Subject
from dagtool.model.mesh import format_gpus

__all__ = [
    "experts_per_gpu",
    "experts_per_gpu_and_layer",
    "gpu_numbers",
    "gpus",
    "gpus_of_stage",
    "group_gpus",
    "groups",
    "layers_of_stage",
    "layers_per_gpu",
]


def gpus(subject: Subject, role: str = "") -> str:
    """How many GPUs there are, or have nodes of a role."""
    return str(len(_gpus(subject, role) if role else subject.gpus))


def gpu_numbers(subject: Subject, role: str = "") -> str:
    """Their numbers, ``0-7``."""
    return format_gpus(_gpus(subject, role) if role else subject.gpus)


def group_gpus(subject: Subject, role: str) -> str:
    """How many GPUs one node of a role has: the size of a collective's group."""
    found = sorted({len(subject.dag.gpus(node)) for node in _nodes(subject, role)})
    return " or ".join(map(str, found))


def groups(subject: Subject, role: str) -> str:
    """In how many groups of GPUs a role runs."""
    return str(len({subject.dag.gpus(node) for node in _nodes(subject, role)}))


def layers_of_stage(subject: Subject, stage: str) -> str:
    """The layers on a pipeline stage."""
    held = set(_stage(subject, stage))
    nodes = range(len(subject.dag.ids))
    return format_gpus(sorted({_layer(subject, one) for one in nodes if held & set(subject.dag.gpus(one))} - {-1}))


def gpus_of_stage(subject: Subject, stage: str) -> str:
    """The GPUs of a pipeline stage."""
    return format_gpus(_stage(subject, stage))


def layers_per_gpu(subject: Subject) -> str:
    """Of how many layers a GPU has nodes."""
    return _alike(_held(subject, ((node, _layer(subject, node)) for node in range(len(subject.dag.ids)))))


def experts_per_gpu(subject: Subject) -> str:
    """Experts on a GPU, those of all layers."""
    return _alike(_held(subject, _experts(subject)))


def experts_per_gpu_and_layer(subject: Subject) -> str:
    """Experts of one layer on a GPU."""
    found = _experts(subject)
    first = min((layer for _, (layer, _) in found), default=-1)
    return _alike(_held(subject, [one for one in found if one[1][0] == first]))


def _nodes(subject: Subject, role: str) -> list[int]:
    kinds = set(subject.kinds_of_role.get(role, ()))
    found = [node for node, kind in enumerate(subject.dag.kind_of) if kind in kinds]
    if not found:
        raise NotDerivableError(f"there is no node of role {role}")
    return found


def _gpus(subject: Subject, role: str) -> list[int]:
    return sorted({gpu for node in _nodes(subject, role) for gpu in subject.dag.gpus(node)})


def _layer(subject: Subject, node: int) -> int:
    """The layer of a node that computes: what joins two stages is on both."""
    kind = subject.dag.kind(node)
    return -1 if kind.role.startswith("pipeline") else subject.dag.layer_of[node]


def _stage(subject: Subject, stage: str) -> tuple[int, ...]:
    mesh = subject.dag.meshes.get(f"s{stage}")
    if mesh is None:
        raise NotDerivableError(f"there is no stage {stage}")
    return mesh.gpus


def _experts(subject: Subject) -> list[tuple[int, tuple[int, int]]]:
    """(node, (layer, expert)) of every node of an expert that computes."""
    dag = subject.dag
    return [
        (node, (dag.layer_of[node], expert))
        for node, expert in enumerate(dag.expert_of)
        if expert >= 0 and dag.kind(node).op == "expert_linear"
    ]


def _held(subject: Subject, things: Iterable[tuple[int, object]]) -> dict[int, set[object]]:
    """What of ``things`` is on each GPU."""
    found: dict[int, set[object]] = {}
    for node, thing in things:
        if thing != -1:
            for gpu in subject.dag.gpus(node):
                found.setdefault(gpu, set()).add(thing)
    return found


def _alike(held: dict[int, set[object]]) -> str:
    counts: Iterator[int] = map(len, held.values())
    return " or ".join(map(str, sorted(set(counts)))) or "0"
