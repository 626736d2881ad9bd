"""What a label of ours says of a node: the shapes of one GPU, and the GPUs."""

from __future__ import annotations

from dagtool.dag.graph import Dag, Kind, Port
from dagtool.model.labels import shape_label
from dagtool.model.mesh import format_gpus

__all__ = ["gpus_label", "ports_label", "ports_text"]


def ports_label(dag: Dag, ports: tuple[Port, ...]) -> str:
    """``[batch_size=8, hidden=512]``; several named ones as ``q=[…], k=[…]``."""
    shown = [(port.name, shape_label(port.type, dag.meshes[port.type.mesh].sizes, dag.sizes)) for port in ports]
    return ", ".join(f"{name}={shape}" if name else shape for name, shape in shown)


def gpus_label(dag: Dag, kind: Kind, devices: int) -> str:
    """``0-3``; where a node moves data between meshes, from where to where: ``0-7 → 8-15``."""
    gpus = dag.device_sets[devices]
    if len(kind.meshes) > 1 and kind.op != "recv":
        inside = [[gpu for gpu in gpus if gpu in dag.meshes[mesh].gpus] for mesh in kind.meshes]
        return " → ".join(map(format_gpus, inside))
    return format_gpus(gpus)


def ports_text(ports: tuple[Port, ...]) -> str:
    """Ports as the attributes ``input`` and ``output`` state them."""
    return "; ".join(f"{port.name}: {port.type}" if port.name else str(port.type) for port in ports)
