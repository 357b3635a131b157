"""The rules of `checks`, first on planted violations, then on the real tree."""

from __future__ import annotations

from pathlib import Path

import checks
import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("module", "source"),
    [
        pytest.param("rnncast.data.read", "from rnncast.model import config\n", id="from-package"),
        pytest.param("rnncast.data.read", "import rnncast.core.kernels\n", id="plain-import"),
        pytest.param("rnncast.model.network", "from rnncast import training\n", id="layer-by-name"),
        pytest.param("rnncast.training.trainer", "from ..forecasting.result import Forecast\n", id="relative"),
        pytest.param("rnncast.training.__init__", "from ..cli import main\n", id="relative-in-init"),
        pytest.param("rnncast.errors", "def f():\n    import rnncast.data.panel\n", id="inside-function"),
        pytest.param(
            "rnncast.evaluation.scores",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from rnncast.report import tables\n",
            id="type-checking",
        ),
        pytest.param(
            "rnncast.model.model",
            'import importlib\nimportlib.import_module("rnncast.training.trainer")\n',
            id="by-string",
        ),
        pytest.param("rnncast.core.twin", "from rnncast.errors import DataError\n", id="core-imports-errors"),
        pytest.param("rnncast.cli.main", "import rnncast.plugins\n", id="unknown-layer"),
        pytest.param("rnncast.plugins", "import rnncast.data.panel\n", id="module-outside-layers"),
    ],
)
def test_layer_violation_is_found(module: str, source: str) -> None:
    assert len(checks.layer_violations({module: source})) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        pytest.param("rnncast.cli.main", "from rnncast.evaluation import scores\n", id="downward"),
        pytest.param(
            "rnncast.core.forward", "from rnncast.core import layout\nfrom . import cells\n", id="core-in-core"
        ),
        pytest.param("rnncast.core.cache", "from rnncast import __version__\n", id="version"),
        pytest.param("rnncast.__main__", "from rnncast.cli.main import main\n", id="entry"),
        pytest.param("rnncast.data.read", "import numpy\nfrom rnncast.errors import DataError\n", id="foreign"),
    ],
)
def test_permitted_import_passes(module: str, source: str) -> None:
    assert checks.layer_violations({module: source}) == []


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("print(1)\n", id="print"),
        pytest.param("import sys\ndef f():\n    sys.stderr.write('x')\n", id="stderr"),
        pytest.param("from sys import stdout\n", id="from-sys"),
        pytest.param("import sys as system\nsystem.stdout\n", id="renamed-sys"),
        pytest.param("import typer\ntyper.echo('x')\n", id="echo"),
        pytest.param("import rich\nrich.print('x')\n", id="rich-print"),
    ],
)
def test_output_outside_the_writer_is_found(source: str) -> None:
    assert len(checks.output_violations({"rnncast.report.tables": source})) == 1
    assert checks.output_violations({"rnncast.cli.output": source}) == []


def test_output_rule_ignores_other_uses() -> None:
    source = "import sys\nsys.stdin\nsys.exit(0)\nprocess.stdout\ncanvas.print('x')\n"
    assert checks.output_violations({"rnncast.report.tables": source}) == []


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("def f():\n    pass\n", id="module"),
        pytest.param('"""Doc."""\ndef f():\n    pass\n', id="function"),
        pytest.param('"""Doc."""\ndef f():\n    """ """\n', id="blank"),
        pytest.param('"""Doc."""\nclass C:\n    pass\n', id="class"),
        pytest.param('"""Doc."""\nclass C:\n    """Doc."""\n    def f(self):\n        pass\n', id="method"),
        pytest.param('"""Doc."""\nasync def f():\n    pass\n', id="async"),
        pytest.param('"""Doc."""\nif True:\n    def f():\n        pass\n', id="under-condition"),
    ],
)
def test_missing_docstring_is_found(source: str) -> None:
    assert checks.missing_docstrings({"rnncast.data.read": source}) != []


def test_private_and_special_names_need_no_docstring() -> None:
    source = (
        '"""Doc."""\nclass C:\n    """Doc."""\n    def __init__(self):\n        pass\n    def _f(self):\n        pass\n'
        'def g():\n    """Doc."""\n    def inner():\n        pass\nclass _D:\n    def f(self):\n        pass\n'
    )
    assert checks.missing_docstrings({"rnncast.data.read": source}) == []


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("def test_a():\n    f()\n", id="call-only"),
        pytest.param("def test_a():\n    assert True\n", id="constant"),
        pytest.param("class TestA:\n    def test_a(self):\n        f()\n", id="method"),
        pytest.param("def check_a():\n    f()\ndef test_a():\n    check_a()\n", id="helper-asserts-nothing"),
        pytest.param("def check_a():\n    check_a()\ndef test_a():\n    check_a()\n", id="helper-recursive"),
        pytest.param("from elsewhere import assert_a\ndef test_a():\n    assert_a()\n", id="helper-unknown"),
        pytest.param("def test_a(obj):\n    obj.assert_everything()\n", id="foreign-method"),
    ],
)
def test_test_without_assertion_is_found(source: str) -> None:
    assert len(checks.tests_without_assertion({"tests.test_a": source})) == 1


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("def test_a():\n    assert f() == 1\n", id="assert"),
        pytest.param("import pytest\ndef test_a():\n    with pytest.raises(ValueError):\n        f()\n", id="raises"),
        pytest.param("import numpy as np\ndef test_a():\n    np.testing.assert_allclose(1, 1)\n", id="numpy-testing"),
        pytest.param(
            "from numpy.testing import assert_allclose\ndef test_a():\n    assert_allclose(1, 1)\n", id="name"
        ),
        pytest.param("def check_a():\n    assert f()\ndef test_a():\n    check_a()\n", id="helper"),
        pytest.param("from helpers import check_b\ndef test_a():\n    check_b()\n", id="helper-imported"),
        pytest.param("def helper():\n    f()\n", id="no-test"),
    ],
)
def test_test_with_assertion_passes(source: str) -> None:
    helpers = "def check_b():\n    assert f()\n"
    assert checks.tests_without_assertion({"tests.test_a": source, "tests.helpers": helpers}) == []


def test_real_tree_keeps_the_layers() -> None:
    sources = checks.read_tree(ROOT / "rnncast")
    assert {name.split(".")[1] for name in sources} >= set(checks.LAYERS)
    assert checks.layer_violations(sources) == []


def test_real_tree_writes_in_one_place() -> None:
    assert checks.output_violations(checks.read_tree(ROOT / "rnncast")) == []


def test_real_tree_is_documented() -> None:
    assert checks.missing_docstrings(checks.read_tree(ROOT / "rnncast")) == []


def test_real_tests_assert() -> None:
    sources = checks.read_tree(ROOT / "tests")
    assert "tests.test_project_checks" in sources
    assert checks.tests_without_assertion(sources) == []
