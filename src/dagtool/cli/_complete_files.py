"""Names of files where a command has nothing better to complete: click's own scripts would offer nothing at all."""

from __future__ import annotations

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

__all__ = ["complete_files"]


class _OrFiles(ShellComplete):
    """Complete what the command knows, else names of files."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """Leave it to the shell which files there are."""
        found = super().get_completions(args, incomplete)
        if found or not args or incomplete.startswith("-"):
            return found
        return [CompletionItem(incomplete, type="file")]


class _Bash(_OrFiles, BashComplete):
    pass


class _Zsh(_OrFiles, ZshComplete):
    pass


class _Fish(_OrFiles, FishComplete):
    pass


def complete_files() -> None:
    """Let every shell that click knows complete files too."""
    for one in (_Bash, _Zsh, _Fish):
        add_completion_class(one)
