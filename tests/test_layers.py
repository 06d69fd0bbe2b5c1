"""Imports point one way, and what starts up first imports next to nothing."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import emocli

ROOT = Path(emocli.__path__[0])
FILES = sorted(path for path in ROOT.rglob("*.py") if path.name != "__init__.py")
REGISTRIES = ("datasets", "features", "detectors", "effects", "models", "engines", "devices")
UPPER = {
    **dict.fromkeys(REGISTRIES, 1),
    **dict.fromkeys(("benching", "benchmark", "compress", "live", "previewing", "training", "tuning"), 2),
    "commands": 3,
    "main": 4,
    "__main__": 5,
}
LAZY = {
    *("main", "registry", "artifact", "store", "errors", "labels", "extras", "pipes", "outputs", "streams"),
    *("kept", "replaying", "telling"),
    *("shipped", "ranks", "teachers"),
    *("architectures", "commands"),
}
LIGHT = {*sys.stdlib_module_names, "typer", "click"}


def _room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def _imports(nodes: list[ast.stmt]) -> list[str]:
    names = []
    for node in nodes:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "emocli":
            names += [f"emocli.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    level = UPPER.get(_room(path), 0)
    statements = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.stmt)]
    for name in _imports(statements):
        if name.startswith("emocli."):
            room = name.split(".")[1]
            assert UPPER.get(room, 0) <= level, f"{path.name} is below {name} and imports it"


def test_no_two_rooms_need_each_other() -> None:
    needs: dict[str, set[str]] = {_room(path): set() for path in FILES}
    for path in FILES:
        nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.stmt)]
        inside = (name.split(".")[1] for name in _imports(nodes) if name.startswith("emocli."))
        needs[_room(path)] |= set(inside) - {_room(path)}
    try:
        tuple(TopologicalSorter(needs).static_order())
    except CycleError as error:
        pytest.fail(f"a circle of rooms: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize(
    "path",
    [p for p in FILES if _room(p) in LAZY or p.name == "recipe.py"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_what_starts_first_imports_the_standard_library_and_typer_only(path: Path) -> None:
    for name in _imports(ast.parse(path.read_text()).body):
        top = name.split(".")[0]
        room = name.split(".")[1] if top == "emocli" else ""
        assert top in LIGHT or room in LAZY | {"version"} or name == "emocli.training.recipe", (
            f"{path.name} imports {name} at its top"
        )


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["list", "models"], ["list", "weights"], ["train", "--help"]]
)
def test_answers_about_emo_load_no_heavy_library(arguments: list[str]) -> None:
    program = (
        "import sys; from emocli.main import main\n"
        f"sys.argv = ['emo', *{arguments!r}]\n"
        "try: main()\n"
        "except SystemExit as end: status = end.code\n"
        "heavy = {'numpy', 'h5py', 'torch', 'cv2', 'onnx', 'onnxruntime', 'scipy', 'sklearn', 'pydantic'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not status and not heavy, (status, heavy)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_init_files_are_empty() -> None:
    assert not [path for path in ROOT.rglob("__init__.py") if path.read_text()]


def test_every_module_says_what_it_is_for_in_its_first_line() -> None:
    missing = [path.name for path in FILES if not (ast.get_docstring(ast.parse(path.read_text())) or "").strip()]
    assert not missing


def test_nothing_is_pickled() -> None:
    forbidden = ("import pickle", "torch.load(", "allow_pickle=True", "joblib.load")
    assert not [(path.name, word) for path in FILES for word in forbidden if word in path.read_text()]
