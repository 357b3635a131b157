"""Rules that the whole source tree keeps, each a plain function that returns the places where it is broken.

Every function takes source text, so that the rules themselves are tested on planted violations.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

LAYERS = (
    *("records", "errors", "data", "core", "baselines", "model"),
    *("training", "forecasting", "evaluation", "report", "cli"),
)
"""Low to high: a layer imports itself and what stands before it."""

PACKAGE = "rnncast"
WRITER = "rnncast.cli.output"

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def read_tree(folder: Path) -> dict[str, str]:
    """Module name -> source text of every Python file below `folder`, named from its parent."""
    sources = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        sources[".".join(parts)] = path.read_text(encoding="utf-8")  # a package keeps its "__init__"
    return sources


def imported_modules(module: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything imported anywhere in a module, under `TYPE_CHECKING` and by name too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:  # relative: "." is the package that holds the module
                package = module.split(".")[: -node.level]
                base = ".".join([*package, base] if base else package)
            # "from rnncast import data" names a layer only together with the imported name
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and _call_name(node) in {"import_module", "__import__"} and node.args:
            name = node.args[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield node.lineno, name.value


def layer_violations(sources: Mapping[str, str]) -> list[str]:
    """Imports of a higher layer from a lower one, and of anything but core from core."""
    found = []
    for module, source in sources.items():
        own = module.split(".")[1]
        if own == "__main__":  # above every layer
            continue
        for line, name in imported_modules(module, ast.parse(source)):
            parts = name.split(".")
            if parts[0] != PACKAGE or name == f"{PACKAGE}.__version__":
                continue
            other = parts[1] if len(parts) > 1 else ""
            if other not in LAYERS or own not in LAYERS:
                found.append(f"{module}:{line}: {name}: neither side may stand outside the layers {', '.join(LAYERS)}")
            elif own == "core" and other != "core":
                found.append(f"{module}:{line}: core imports {name}, and may import nothing of {PACKAGE} but core")
            elif LAYERS.index(other) > LAYERS.index(own):
                found.append(f"{module}:{line}: {own} imports {name} of the higher layer {other}")
    return found


def output_violations(sources: Mapping[str, str]) -> list[str]:
    """Uses of print, of the standard streams or of Typer's echo anywhere but in the one module that writes."""
    found = []
    for module, source in sources.items():
        if module == WRITER:
            continue
        for node in ast.walk(ast.parse(source)):
            use = _stream_use(node)
            if use:
                found.append(f"{module}:{getattr(node, 'lineno', 0)}: {use} belongs into {WRITER} alone")
    return found


def missing_docstrings(sources: Mapping[str, str]) -> list[str]:
    """Modules, and public classes, functions and methods, without a docstring."""
    found = []
    for module, source in sources.items():
        tree = ast.parse(source)
        if not ast.get_docstring(tree):
            found.append(f"{module}:1: the module has no docstring")
        for name, node in _public_definitions(tree.body, module):
            if not ast.get_docstring(node):
                found.append(f"{module}:{node.lineno}: {name} has no docstring")
    return found


def tests_without_assertion(sources: Mapping[str, str]) -> list[str]:
    """Test functions in which nothing can fail: no assert, no expected error or warning, no asserting helper.

    A helper counts if its name starts with ``assert_`` or ``check_`` and it asserts itself; it is looked up in the same
    file, in the files it is imported from, and in `numpy.testing`.
    """
    trees = {module.rsplit(".", 1)[-1]: ast.parse(source) for module, source in sources.items()}
    found = []
    for module, tree in trees.items():
        if not module.startswith("test_"):
            continue
        for node in ast.walk(tree):
            if (
                isinstance(node, FunctionNode)
                and node.name.startswith("test")
                and not _asserts(node, module, trees, ())
            ):
                found.append(f"{module}:{node.lineno}: {node.name} asserts nothing")
    return found


def _public_definitions(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, FunctionNode | ast.ClassDef]]:
    for node in body:
        if isinstance(node, ast.If | ast.Try | ast.With):  # definitions under a condition
            inner = [*node.body, *getattr(node, "orelse", []), *getattr(node, "finalbody", [])]
            yield from _public_definitions(inner, prefix)
        if not isinstance(node, FunctionNode | ast.ClassDef) or node.name.startswith("_"):
            continue
        if any(_last_name(d) in {"overload", "setter", "deleter"} for d in node.decorator_list):
            continue
        name = f"{prefix}.{node.name}"
        yield name, node
        if isinstance(node, ast.ClassDef):
            yield from _public_definitions(node.body, name)


def _stream_use(node: ast.AST) -> str | None:
    streams = {"stdout", "stderr", "__stdout__", "__stderr__"}
    if isinstance(node, ast.Call):
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        name = _call_name(node)
        if (name == "print" and (owner is None or _last_name(owner) == "rich")) or (
            name in {"echo", "secho"} and (owner is None or _last_name(owner) in {"typer", "click"})
        ):
            return f"{name}()"
    if isinstance(node, ast.Attribute) and node.attr in streams and isinstance(node.value, ast.Name):
        if node.value.id in {"sys", "_sys"}:
            return f"sys.{node.attr}"
    if isinstance(node, ast.ImportFrom) and node.module == "sys":
        names = streams & {alias.name for alias in node.names}
        return f"sys.{min(names)}" if names else None
    if isinstance(node, ast.Import) and any(a.name == "sys" and a.asname not in {None, "_sys"} for a in node.names):
        return "sys under another name (it hides the streams from this check)"
    return None


def _asserts(node: FunctionNode, module: str, trees: Mapping[str, ast.Module], seen: tuple[str, ...]) -> bool:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assert) and not isinstance(inner.test, ast.Constant):
            return True
        if not isinstance(inner, ast.Call):
            continue
        name = _call_name(inner)
        if name in {"raises", "warns", "fail"} and _owner_is(inner, "pytest"):
            return True
        if name.startswith("assert_") and (
            _owner_is(inner, "testing") or _origin(module, name, trees) == "numpy.testing"
        ):
            return True
        if name.startswith(("assert_", "check_")) and f"{module}.{name}" not in seen:
            if _helper_asserts(name, module, trees, (*seen, f"{module}.{name}")):
                return True
    return False


def _helper_asserts(name: str, module: str, trees: Mapping[str, ast.Module], seen: tuple[str, ...]) -> bool:
    origin = _origin(module, name, trees)
    home = origin.rsplit(".", 1)[-1] if origin else module
    tree = trees.get(home)
    if tree is None:
        return False
    helpers = [node for node in ast.walk(tree) if isinstance(node, FunctionNode) and node.name == name]
    return any(_asserts(helper, home, trees, seen) for helper in helpers)


def _origin(module: str, name: str, trees: Mapping[str, ast.Module]) -> str | None:
    """Module that a file imports a name from, or None if it does not import it."""
    for node in ast.walk(trees[module]):
        if isinstance(node, ast.ImportFrom) and any((a.asname or a.name) == name for a in node.names):
            return node.module
    return None


def _owner_is(call: ast.Call, name: str) -> bool:
    return isinstance(call.func, ast.Attribute) and _last_name(call.func.value) == name


def _call_name(call: ast.Call) -> str:
    return _last_name(call.func)


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    return node.id if isinstance(node, ast.Name) else ""
