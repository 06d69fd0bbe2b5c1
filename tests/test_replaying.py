"""The pipeline that a header tells of: what the pipe brings, what stands beside it, and nothing that runs by itself."""

from emocli import replaying
from emocli.artifact import Header


def test_replay_names_the_features_that_the_pipe_would_not_bring() -> None:
    mine, other = (f"sha256:{number:064}" for number in (1, 2))
    train = {"command": "train", "name": "mlp", "input": mine, "data": mine}
    distill = {"command": "distill", "name": "student", "input": f"sha256:{3:064}", "data": other}
    same = {"command": "quantize", "input": f"sha256:{4:064}", "data": other}
    lines = replaying.pipeline(Header("model", ("happy",), (train, distill, same))).splitlines()
    assert lines[0].startswith(f"# {other} are the features that emo distill took")
    assert [line.rstrip(" |").strip() for line in lines[1:]] == [
        "emo train --arch mlp",
        "emo distill --arch student --data FEATURES",
        "emo quantize",
    ]


def test_a_source_of_two_imports_is_told_once() -> None:
    mine = {"command": "dataset", "name": "ferplus", "input": "sha256:6d2c"}
    header = Header("model", ("happy",), (mine, {"command": "train", "name": "mlp"}, mine))
    text = replaying.pipeline(header)
    assert text.count("# ferplus here is the source with sha256:6d2c") == 1


def test_what_replay_prints_of_a_strange_header_is_no_command_of_its_own() -> None:
    step = {"command": "dataset", "name": "folder", "input": "sha256:x\ntouch PWNED #"}
    lines = replaying.pipeline(Header("dataset", ("happy",), (step,))).splitlines()
    assert len(lines) == 2 and lines[0].startswith("# ") and lines[1].startswith("emo dataset folder")


def test_what_replay_prints_moves_no_cursor() -> None:
    step = {"command": "dataset", "name": "folder", "params": {"a": "\x1b]0;mine\x07\x1b[2J"}}
    text = replaying.pipeline(Header("dataset", ("happy",), (step,)))
    assert "\x1b" not in text and r"\x1b[2J" in text


def test_replay_tells_how_the_features_were_made_that_only_the_student_saw() -> None:
    mine, other = (f"sha256:{number:064}" for number in (1, 2))
    pixels = {"command": "features", "name": "pixels", "detector": "none"}
    train = {"command": "train", "name": "mlp", "data": mine}
    found = {**pixels, "detector": "yunet"}
    distill = {"command": "distill", "name": "student", "data": other}
    lines = replaying.pipeline(Header("model", ("happy",), (pixels, train, found, distill))).splitlines()
    assert lines[0] == (
        f"# {other} are the features that emo distill took, made by emo features --extractor pixels --detector yunet; "
        "name their file for FEATURES"
    )
    assert [line.rstrip(" |").strip() for line in lines[1:]] == [
        "emo features --extractor pixels",
        "emo train --arch mlp",
        "emo distill --arch student --data FEATURES",
    ]
