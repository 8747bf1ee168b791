"""A guard, and a module without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Guard:
    """Some text of `file`, and what stands in its place once the guard is gone; `test` is to notice."""

    file: str
    text: str
    instead: str
    test: str

    @property
    def tests(self) -> str:
        file = self.test.partition("::")[0]
        folders = ("activitypub", "federation", "coop", "web")
        return next(f"tests/{one}/{self.test}" for one in folders if (ROOT / "tests" / one / file).exists())

    @property
    def is_missing(self) -> bool:
        return (ROOT / self.file).read_text().count(self.text) != 1


class Without(SourceFileLoader):
    """Finds and loads the module of a guard as if it had none."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(guard.file.removesuffix(".py").replace("/", "."), str(ROOT / guard.file))
        self.guard = guard

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        return spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def get_code(self, fullname: str) -> CodeType:
        source = Path(self.path).read_text().replace(self.guard.text, self.guard.instead)
        code: CodeType = compile(source, self.path, "exec", dont_inherit=True)
        return code
