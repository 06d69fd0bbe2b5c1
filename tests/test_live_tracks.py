"""Faces followed from frame to frame and smoothed."""

import pytest

from emocli.live.tracks import FORGET_SECONDS, Tracks, overlap
from emocli.serving.prediction import FaceRecord


def face(left: float, happy: float) -> FaceRecord:
    return {
        "box": [left, 0.0, 10.0, 10.0],
        "score": 1.0,
        "label": "happy" if happy >= 0.5 else "sad",
        "probability": max(happy, 1 - happy),
        "probabilities": {"happy": happy, "sad": 1 - happy},
    }


def test_faces_keep_their_tracks_when_their_order_changes() -> None:
    tracks = Tracks(1.0)
    first = tracks.update(0.0, [face(0, 1.0), face(50, 0.0)])
    second = tracks.update(0.1, [face(52, 0.0), face(1, 1.0)])
    assert [one["track"] for one in first] == [0, 1]
    assert [one["track"] for one in second] == [1, 0]


def test_of_several_that_would_go_on_the_nearest_does_and_no_track_is_of_two_faces() -> None:
    tracks = Tracks(1.0)
    tracks.update(0.0, [face(0, 1.0), face(50, 1.0)])
    assert [one["track"] for one in tracks.update(0.1, [face(53, 0.0), face(51, 1.0)])] == [2, 1]
    assert [one["track"] for one in tracks.update(0.2, [face(52.5, 0.0)])] == [2]


def test_probabilities_follow_with_the_time_constant() -> None:
    tracks = Tracks(0.5)
    tracks.update(0.0, [face(0, 0.0)])
    (after,) = tracks.update(0.5, [face(0, 1.0)])
    assert after["probabilities"]["happy"] == pytest.approx(1 - 1 / 2.71828, abs=1e-4)
    assert after["label"] == "happy"
    assert sum(after["probabilities"].values()) == pytest.approx(1, abs=1e-4)


def test_one_odd_frame_does_not_change_the_label() -> None:
    tracks = Tracks(0.5)
    for frame in range(5):
        tracks.update(frame / 25, [face(0, 1.0)])
    (odd,) = tracks.update(5 / 25, [face(0, 0.0)])
    assert odd["label"] == "happy"
    assert odd["probability"] == odd["probabilities"]["happy"]


def test_dropped_frames_change_nothing() -> None:
    every, few = Tracks(0.5), Tracks(0.5)
    every.update(0.0, [face(0, 0.0)])
    few.update(0.0, [face(0, 0.0)])
    for frame in range(1, 9):
        (smooth,) = every.update(frame / 25, [face(0, 1.0)])
    (jumped,) = few.update(8 / 25, [face(0, 1.0)])
    assert smooth["probability"] == pytest.approx(jumped["probability"], abs=1e-4)


def test_a_face_that_left_is_forgotten_and_a_new_one_is_not_its_heir() -> None:
    tracks = Tracks(1.0)
    tracks.update(0.0, [face(0, 1.0)])
    (new,) = tracks.update(0.1, [face(30, 0.0)])
    (back,) = tracks.update(0.1 + FORGET_SECONDS * 2, [face(0, 0.0)])
    assert (new["track"], back["track"]) == (1, 2)
    assert back["probabilities"] == {"happy": 0.0, "sad": 1.0}


def test_overlap_is_intersection_over_union() -> None:
    assert overlap([0, 0, 10, 10], [5, 0, 10, 10]) == pytest.approx(50 / 150)
    assert overlap([0, 1, 10, 20], [5, 11, 20, 11]) == pytest.approx(50 / 370)
    assert overlap([0, 0, 10, 10], [10, 0, 10, 10]) == overlap([0, 0, 10, 10], [0, 10, 10, 10]) == 0
    assert overlap([0, 0, 0, 0], [0, 0, 0, 0]) == 0
