"""The README is true: every command and registry entry is in it, and its examples run as they stand."""

import re
from dataclasses import asdict
from pathlib import Path

import pytest
from conftest import Run

import emocli
from emocli import registry, shipped
from emocli.training.recipe import AUGMENTATION, Recipe

README = (Path(__file__).parents[1] / "README.md").read_text()
COMMANDS = sorted(path.stem for path in (Path(emocli.__path__[0]) / "commands").glob("[!_]*.py"))
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example(name: str) -> None:
    assert re.search(rf"\bemo {name}\b", README)


@pytest.mark.parametrize(("folder", "name"), [(f, n) for f in registry.FUNCTIONS for n in registry.names(f)])
def test_every_registry_entry_is_named(folder: str, name: str) -> None:
    assert f"`{name}`" in README, f"{folder}: {name}"


@pytest.mark.parametrize("name", shipped.names())
def test_every_shipped_model_is_named(name: str) -> None:
    assert f"`{name}`" in README


def test_the_defaults_of_augmentation_are_those_of_the_recipe() -> None:
    table = README.split("**Augmentation")[1].split("`--augment light`")[0]
    said: dict[str, float] = {}
    for flags, values in re.findall(r"^\| (`--.+?`) \|.*\| (.+?) \|$", table, re.MULTILINE):
        names = [name.replace("-", "_") for name in re.findall(r"--([a-z-]+)", flags)]
        given = [0.0 if value == "off" else float(value) for value in values.split(", ")]
        said |= dict(zip(names, given if len(given) > 1 else given * len(names), strict=True))
    assert said == {name: asdict(Recipe())[name] for name in said}
    assert set(AUGMENTATION) - {"augment"} <= set(said)


def test_every_exit_status_is_explained() -> None:
    assert all(f"| {status} |" in README for status in (0, 1, 2, 3, 129, 130, 141, 143))


def test_the_examples_run_as_they_stand(shell: Run) -> None:
    assert len(BLOCKS) == 2
    done = shell("\n".join(BLOCKS))
    assert done.returncode == 0, done.stderr.decode()[-2000:]
