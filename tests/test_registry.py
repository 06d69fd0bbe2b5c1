"""The contract of the registry folders, checked on every module that is in one."""

import ast
import inspect
from pathlib import Path

import pytest

import emocli
from emocli import architectures, registry
from emocli.errors import EmoError

ROOT = Path(emocli.__path__[0])
ENTRIES = [(folder, name) for folder in registry.FUNCTIONS for name in registry.names(folder)]


def _tree(folder: str, name: str) -> ast.Module:
    return ast.parse((ROOT / folder / f"{name.replace('-', '_')}.py").read_text())


@pytest.mark.parametrize(("folder", "name"), ENTRIES)
def test_an_entry_is_described_without_importing_it(folder: str, name: str) -> None:
    entry = registry.describe(folder, name)
    assert entry.summary and len(entry.summary) <= 120
    assert all(type(default) in (bool, int, float, str) for default in entry.options.values())


@pytest.mark.parametrize(("folder", "name"), ENTRIES)
def test_every_option_of_an_entry_is_documented(folder: str, name: str) -> None:
    entry = registry.describe(folder, name)
    for option in entry.options:
        assert f"    {option}: " in entry.text, f"{folder}/{name} does not say what {option} is"


@pytest.mark.parametrize(("folder", "name"), ENTRIES)
def test_an_entry_has_one_public_function_with_defaults_only(folder: str, name: str) -> None:
    public = [
        node
        for node in _tree(folder, name).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
    ]
    assert [node.name for node in public] == [registry.FUNCTIONS[folder]]
    assert None not in public[0].args.kw_defaults


@pytest.mark.parametrize(("folder", "name"), ENTRIES)
def test_an_entry_can_be_loaded_and_has_the_options_it_states(folder: str, name: str) -> None:
    try:
        function = registry.load(folder, name)
    except ModuleNotFoundError as fault:
        pytest.skip(f"needs {fault.name}")
    parameters = inspect.signature(function).parameters.values()
    keywords = {p.name: p.default for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}
    assert keywords == registry.options(folder, name)


@pytest.mark.parametrize("folder", registry.FUNCTIONS)
def test_entries_do_not_import_other_registry_folders(folder: str) -> None:
    others = [f"emocli.{other}" for other in registry.FUNCTIONS if other != folder]
    for file in (ROOT / folder).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names if name.startswith(tuple(others))], f"{file} imports {names}"


def test_options_get_the_type_of_their_default() -> None:
    assert registry.resolve("features", "pixels", {"size": "64"})["size"] == 64


@pytest.mark.parametrize(
    ("given", "says"),
    [({"sise": "64"}, "did you mean size"), ({"size": "big"}, "not a whole number")],
)
def test_a_wrong_option_is_named_with_what_is_known(given: dict[str, str], says: str) -> None:
    with pytest.raises(EmoError, match=says):
        registry.resolve("features", "pixels", given)


def test_a_name_that_is_not_there_is_answered_with_the_nearest() -> None:
    with pytest.raises(EmoError, match="did you mean pixels"):
        registry.describe("features", "pixel")


def test_pairs_that_are_no_pairs_are_refused() -> None:
    with pytest.raises(EmoError, match="key=value"):
        registry.parse(["size"])


def test_a_number_that_is_none_is_refused_for_every_entry() -> None:
    for given in ({"noise": "nan"}, {"noise": "inf"}, {"noise": float("nan")}):
        with pytest.raises(EmoError, match="is not a number; its default is"):
            registry.resolve("datasets", "synthetic", given)


def test_a_pair_is_refused_under_the_flag_that_gave_it() -> None:
    with pytest.raises(EmoError, match=r"^--detector-param size is not key=value"):
        registry.parse(["size"], "--detector-param")


def test_a_net_that_refuses_without_a_word_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(registry, "load", lambda *_: refusing)
    with pytest.raises(EmoError, match="no mlp can be built: AssertionError"):
        architectures.build("mlp", (4,), 2, {})
