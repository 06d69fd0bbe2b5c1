"""A folder that can't be read, also for root, who may read everything."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


def close(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Refuse to list folders of this name."""
    listed = os.scandir

    def refusing(path: str) -> Iterator[os.DirEntry[str]]:
        if Path(path).name == name:
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", refusing)
