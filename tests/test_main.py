"""The command itself: help, exit statuses, one line for what a user can mend."""

from pathlib import Path

import pytest
from conftest import Run

import emocli

COMMANDS = sorted(path.stem for path in (Path(emocli.__path__[0]) / "commands").glob("[!_]*.py"))


def test_the_help_names_every_command(emo: Run) -> None:
    text = emo("--help").stdout.decode()
    assert not [name for name in COMMANDS if f" {name} " not in text]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_its_flags(emo: Run, name: str) -> None:
    done = emo(name, "--help")
    assert done.returncode == 0 and b"Usage: " in done.stdout


def test_a_wrong_flag_is_a_usage_error_in_one_line(emo: Run) -> None:
    done = emo("info", "--bogus")
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1 and b"--help" in done.stderr


def test_a_wrong_command_is_answered_with_the_nearest(emo: Run) -> None:
    done = emo("trian")
    assert done.returncode == 2 and b"did you mean train?" in done.stderr


def test_the_version_is_printed(emo: Run) -> None:
    assert emo("--version").stdout.startswith(b"emo ")


def test_a_dataset_that_is_not_kept_says_how_to_get_it(emo: Run) -> None:
    done = emo("features", "fer2013")
    assert done.returncode == 1 and b"emo dataset fer2013 PATH --save" in done.stderr
