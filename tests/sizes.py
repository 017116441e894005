"""Function lengths of the house: median, ninth decile, the longest. Fails above the house's bounds.

python tests/sizes.py
"""

from __future__ import annotations

import ast
import statistics
import sys
from pathlib import Path

MEDIAN, NINTH_DECILE, LONGEST, MODULE = 8, 30, 60, 400


def lengths(file: Path) -> list[tuple[int, str]]:
    """Lines of each function's body, its docstring left out."""
    found = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            size = (body[-1].end_lineno or 0) - body[0].lineno + 1
            found.append((size, f"{file}:{node.lineno} {node.name}"))
    return found


def main() -> int:
    files = [f for f in Path("src").rglob("*.py") if not {"tests", "migrations"} & set(f.parts)]
    sizes = sorted(entry for file in files for entry in lengths(file))
    numbers = [size for size, _ in sizes]
    decile = numbers[int(len(numbers) * 0.9)]
    median = statistics.median(numbers)
    print(f"{len(numbers)} functions: median {median:g}, 90% within {decile}, longest {numbers[-1]}")
    tall = [f for f in files if len(f.read_text("utf-8").splitlines()) > MODULE]
    complaints = [f"{name}: {size} lines" for size, name in sizes if size > LONGEST]
    complaints += [f"{file}: more than {MODULE} lines" for file in tall]
    if median > MEDIAN or decile > NINTH_DECILE:
        complaints.append(f"bounds: median {MEDIAN}, 90% within {NINTH_DECILE}")
    print("\n".join(complaints))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
