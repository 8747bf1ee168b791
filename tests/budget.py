"""Holds the code to its size: files, functions, tests to source. `make check` prints what is over."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).parent.parent
SOURCES = ("activitypub", "federation", "coop", "web", "boxroom")
TESTS = ("tests", "benchmarks")

FILE_MEDIAN, FILE_MAX = 120, 400  # lines
FUNCTION_MEDIAN, FUNCTION_P95, FUNCTION_MAX = 8, 35, 60  # lines, decorators not counted
TESTS_TO_SOURCE = 0.8


def files(*folders: str) -> list[Path]:
    """Every Python file of the folders but migrations, which are made by a tool and never edited."""
    found = (file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    return sorted(file for file in found if "migrations/versions" not in file.as_posix())


def lines(file: Path) -> int:
    return len(file.read_text().splitlines())


def functions(file: Path) -> dict[str, int]:
    """Name and line of each function, with its length from ``def`` to its last line."""
    return {
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def findings() -> list[str]:
    """What is over its budget, each in a sentence."""
    sizes = {file: lines(file) for file in files(*SOURCES) if lines(file)}
    lengths = {name: length for file in sizes for name, length in functions(file).items()}
    tests = sum(lines(file) for file in files(*TESTS))
    ratio, p95 = tests / sum(sizes.values()), quantiles(lengths.values(), n=20)[-1]
    print(
        f"{len(sizes)} files, {sum(sizes.values()):,} lines, median {median(sizes.values()):.0f}, "
        f"largest {max(sizes.values())}; {len(lengths)} functions, median {median(lengths.values()):.0f}, "
        f"p95 {p95:.0f}, longest {max(lengths.values())}; tests to source {ratio:.2f}"
    )
    over = [
        f"{file.relative_to(ROOT)} has {size} lines, not {FILE_MAX}" for file, size in sizes.items() if size > FILE_MAX
    ]
    over += [
        f"{name} has {length} lines, not {FUNCTION_MAX}" for name, length in lengths.items() if length > FUNCTION_MAX
    ]
    limits = {
        f"the median file has more than {FILE_MEDIAN} lines": median(sizes.values()) > FILE_MEDIAN,
        f"the median function has more than {FUNCTION_MEDIAN} lines": median(lengths.values()) > FUNCTION_MEDIAN,
        f"one function in twenty has more than {FUNCTION_P95} lines": p95 > FUNCTION_P95,
        f"tests are less than {TESTS_TO_SOURCE} of the source": ratio < TESTS_TO_SOURCE,
    }
    return over + [sentence for sentence, broken in limits.items() if broken]


if __name__ == "__main__":
    found = findings()
    print("\n".join(found))
    sys.exit(1 if found else 0)
