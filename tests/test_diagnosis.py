"""emo doctor: what this machine has, what it lacks, and what to do about it."""

import json
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
    assert diagnosis._ask("import time; time.sleep(60)") == ""
