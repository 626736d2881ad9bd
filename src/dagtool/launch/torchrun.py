"""``torchrun``: how many ranks a launcher starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dagtool.errors import DagtoolError
from dagtool.launch.flags import read_table
from dagtool.launch.line import read_line

__all__ = ["count_ranks"]


def count_ranks(words: Sequence[str], variables: Mapping[str, str], gpus: int | None) -> int | None:
    """Return the ranks that the words in front of a program start, None where nothing says it.

    ``gpus`` comes from outside the line. Raises DagtoolError where both say it and differ.
    """
    launcher = next((at for at, word in enumerate(words) if word.rpartition("/")[2] in ("torchrun", "torchx")), None)
    module = next((at for at, word in enumerate(words) if word.startswith("torch.distributed.")), None)
    start = launcher if launcher is not None else module
    found: int | None = None
    if start is not None:
        flags = [word for word in words[start + 1 :] if word != "-m"]
        line = read_line("torchrun", flags, read_table("torchrun"), str, most=len(flags))
        each, hosts = line.text("--nproc_per_node", "1"), line.text("--nnodes", "1").partition(":")[0]
        given = line.has("--nproc_per_node") or line.has("--nnodes")
        if given and each.isdigit() and hosts.isdigit():
            found = int(each) * int(hosts)
    for name in ("WORLD_SIZE", "NGPU"):
        if found is None and variables.get(name, "").isdigit():
            found = int(variables[name]) * (int(variables.get("NNODES", "1")) if name == "NGPU" else 1)
    if gpus is not None and found is not None and gpus != found:
        raise DagtoolError(f"--gpus {gpus}, but the line starts {found} ranks", "leave --gpus out")
    return found if found is not None else gpus
