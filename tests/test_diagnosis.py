"""emo doctor: what this machine has, what it lacks, and what to do about it."""

import json
import os
from pathlib import Path

import pytest
from conftest import Run

from emocli import diagnosis, download
from emocli.detectors import yunet


def test_every_check_has_a_status_and_what_is_amiss_says_what_to_do(emo: Run) -> None:
    done = emo("doctor")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {row["status"] for row in found} <= {"ok", "absent", "problem"}
    assert all(row["do"] for row in found if row["status"] == "problem")
    assert {"python", "store", "detector yunet", "detector silero"} <= {row["check"] for row in found}


def test_a_detector_that_was_not_downloaded_is_named_with_its_place_and_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMO_HOME", str(tmp_path))
    absent = diagnosis.detector("yunet")
    place = download.place(yunet.SHA256)
    assert absent["status"] == "absent" and str(place) in absent["detail"] and yunet.URL in absent["do"]
    place.parent.mkdir()
    place.touch()
    assert diagnosis.detector("yunet")["status"] == "ok"


def test_a_library_that_hangs_is_absent_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "_PATIENCE_SECONDS", 0.5)
    assert diagnosis._ask("import time; time.sleep(60)") == ("", "no answer within 0.5 seconds")


def test_a_library_that_can_t_be_loaded_is_a_row_among_the_others(emo: Run, tmp_path: Path) -> None:
    lacks = "libGL.so.1: cannot open shared object file"
    (tmp_path / "cv2.py").write_text(f"raise ImportError({lacks!r}, name='cv2')")
    (tmp_path / "torch.py").write_text("raise ImportError('undefined symbol: x')")
    done = emo("doctor", env=os.environ | {"PYTHONPATH": str(tmp_path)})
    found = {row["check"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert found["library cv2"]["status"] == "problem" and lacks in found["library cv2"]["detail"]
    assert "apt install libgl1" in found["library cv2"]["do"]
    assert found["detectors"]["status"] == "problem" and "store" in found
    assert done.returncode == 1 and b"library cv2" in done.stderr
    if "torch cuda" in found:
        assert found["torch cuda"]["status"] == "problem" and "undefined symbol: x" in found["torch cuda"]["detail"]
