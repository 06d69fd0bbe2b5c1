"""What a training step frees is taken again without asking the system for it."""

import subprocess
import sys

import pytest

_FAULTS = """
import resource, sys
import numpy as np
from emocli.training import memory

kept = memory.keep() if sys.argv[1] == "keep" else True
def pages() -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        maps = [np.ones(6_000_000, np.float64) for _ in range(2)]
        del maps
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
pages()
print(int(kept), pages())
"""


def _faults(word: str) -> tuple[int, int]:
    done = subprocess.run([sys.executable, "-c", _FAULTS, word], capture_output=True, text=True, check=True)
    kept, count = map(int, done.stdout.split())
    return kept, count


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_freed_maps_are_taken_again_without_new_pages() -> None:
    kept, faults = _faults("keep")
    if not kept:
        pytest.skip("another C library than glibc")
    assert faults < 1000 < _faults("leave")[1]


def test_another_c_library_keeps_its_own_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    from emocli.training import memory

    monkeypatch.setattr("ctypes.CDLL", lambda name: object())
    assert memory.keep() is False
