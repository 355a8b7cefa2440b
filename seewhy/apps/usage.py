"""What is wrong with the words on a command line, in the three parts of all errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from seewhy.apps.terminal import tell
from seewhy.errors import InputError, SeeWhyError, UnknownNameError, did_you_mean

PAIR = "--versus"


class Commands(TyperGroup):
    """The commands, with Typer's own errors put in our words."""

    def make_context(self, *words: Any, **more: Any) -> Any:
        with self._told():
            return super().make_context(*words, **more)

    def invoke(self, ctx: Any) -> Any:
        with self._told():
            return super().invoke(ctx)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            # By name, as newer versions of Typer bring their own copy of click.
            if not hasattr(error, "format_message") or type(error).__name__ == "NoArgsIsHelpError":
                raise
            tell(f"error: {self._misused(error)}")
            raise typer.Exit(2) from None

    def _misused(self, error: Any) -> SeeWhyError:
        said, context = error.format_message().splitlines()[0].rstrip("."), error.ctx
        command, name = context.command if context else self, getattr(error, "option_name", None)
        option = getattr(error, "param", None)
        if option is None and name:
            parameters = command.params if context else [one for c in self.commands.values() for one in c.params]
            option = next((one for one in parameters if name in one.opts), None)
        path = context.command_path if context else "seewhy"
        if option is not None:
            expected = f"{option.opts[0]} {option.metavar or ''}".rstrip() + f": {option.help}"
            return InputError(said, expected, "mend it, or leave it out")
        if name:
            near = [spelled for one in command.params for spelled in one.opts]
            return UnknownNameError(
                f"no option {name}", f"an option of `{path}`", did_you_mean(name, near, f"`{path} -h` lists them")
            )
        if said.startswith("No such command"):
            wrong = said.split("'")[1]
            return UnknownNameError(
                f"no command {wrong!r}",
                f"one of {', '.join(self.commands)}",
                did_you_mean(wrong, self.commands, f"`{path} -h` lists them"),
            )
        return InputError(said, f"what `{path} -h` shows", "mend it, or leave it out")


class Explain(TyperCommand):
    """Takes `--versus A B` any number of times, which Typer does not know how to."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        words = list(args)
        for place in range(len(words) - 3, -1, -1):  # --versus A B becomes --versus A --versus B
            if words[place] == PAIR and "--" not in words[:place] and not words[place + 2].startswith("--"):
                words.insert(place + 2, PAIR)
        return super().parse_args(ctx, words)


def pairs(words: Sequence[str]) -> list[tuple[str, str]]:
    """(A, B) of each `--versus A B`.

    Raises:
        InputError: a class has no other.
    """
    if len(words) % 2:
        raise InputError(f"{PAIR} {words[-1]}", f"two classes: {PAIR} A B", "name the other class, too")
    return list(zip(words[::2], words[1::2], strict=True))
