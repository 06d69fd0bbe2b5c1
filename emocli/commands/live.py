"""Classify faces from a camera or a video, or voices from a microphone or a sound, as they come."""

import sys
from functools import partial
from pathlib import Path
from threading import Event
from typing import Annotated, Any

import typer

from emocli.commands import _flags
from emocli.commands._show import for_people, note
from emocli.errors import INTERRUPTED, EmoError

Options = dict[str, Any]
_RATE = 16_000
_PIECES = 3.0, 0.5


def run(
    model: _flags.Model = None,
    camera: Annotated[int | None, typer.Option(help="Camera number; 0 for a model of faces without --source.")] = None,
    mic: Annotated[bool, typer.Option("--mic", help="Listen to the microphone, as a model of speech does.")] = False,
    mic_device: Annotated[
        str, typer.Option(help="Its number or name as its recorder knows it; the system's own if absent.")
    ] = "",
    source: Annotated[
        str, typer.Option(help="Video, picture, folder, glob or sound file; - is raw 16 bit mono sound on stdin.")
    ] = "",
    rate: Annotated[int, typer.Option(help="Samples a second of the raw sound on stdin.")] = _RATE,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Play a file at its own pace, dropping what comes too late.")
    ] = False,
    detector: Annotated[str, typer.Option(help="What finds faces or speech; none takes all there is.")] = "auto",
    length: Annotated[float, typer.Option(help="Seconds of sound that an answer is about, 0.4 to 60.")] = _PIECES[0],
    hop: Annotated[float, typer.Option(help="Seconds from one answer about a voice to the next.")] = _PIECES[1],
    smooth: Annotated[float, typer.Option(help="Seconds to average answers over, to 3600; 0 is none.")] = 0.0,
    flip: _flags.Flip = False,
    views: _flags.Views = 1,
    window: Annotated[bool, typer.Option(help="Show a window with the faces where there is a display.")] = True,
    save_video: Annotated[str, typer.Option(help="Write the frames with what was found to this video file.")] = "",
    engine: _flags.Engine = "onnxruntime",
    threads: _flags.Threads = 1,
    force: _flags.Force = False,
    as_json: _flags.Json = None,
) -> None:
    """Run until q, Ctrl-C or the end of the file."""
    if source == model == "-":
        raise EmoError("model and sound can't both come from stdin; name the model's file")
    if rate != _RATE and source != "-":
        raise EmoError("--rate is of raw sound on stdin, --source -; a file says its own")
    artifact = _flags.model_of(model, _asked_for(mic or bool(mic_device), source))
    from emocli.extracting import extraction
    from emocli.live import interrupt, smoothing
    from emocli.scores.views import Views

    smoothing.check(smooth)
    seen = Views(views, flip)
    kind = extraction.modality(artifact.header)
    if kind not in ("face", "speech"):
        raise EmoError(f"{artifact.source} is a model of {kind}, and live is for faces and voices; use emo predict")
    speech = kind == "speech"
    _check(
        artifact.source,
        speech=speech,
        camera=camera is not None,
        mic=mic or bool(mic_device),
        source=source,
        for_faces=bool(save_video) or flip,
        in_windows=(length, hop) != _PIECES,
    )
    how = {"detector": detector, "engine": engine, "threads": threads, "seen": seen, "note": note}
    if speech:
        place = {"source": source, "rate_hz": rate, "device": mic_device, "realtime": realtime}
        pieces = {"length": length, "hop": hop, "smooth_seconds": smooth}
        session = partial(_hear, artifact.path, how, place, pieces, people=for_people(as_json))
    else:
        place = {"source": source, "number": camera or 0, "realtime": realtime}
        film = _film(save_video, source)
        outputs = {"save_video": film, "force": force, "smooth_seconds": smooth, "people": for_people(as_json)}
        shown = window and sys.stdout.isatty() and not as_json
        session = partial(_watch, artifact.path, how, place, outputs, window=shown)
    stop = Event()
    with interrupt.ended_by_interrupt(stop) as interrupted:
        try:
            told = session(stop=stop)
        except EmoError as fault:
            if not interrupted.is_set():
                raise
            told = str(fault)  # such as that no frame came yet that could be saved
    note(told)
    if interrupted.is_set():
        raise typer.Exit(INTERRUPTED)


def _film(name: str, source: str) -> Path | None:
    """Return the file that frames are saved to, None for none; raises EmoError for the film that is watched."""
    film = Path(name) if name else None
    if film and film.exists() and Path(source).exists() and film.samefile(source):
        raise EmoError(f"--save-video {film} is the film that is watched; give it another name")
    return film


def _asked_for(mic: bool, source: str) -> str:
    """Return what is looked for where no model says it: speech in what is only sound, else a face."""
    if mic or source in ("", "-"):
        return "speech" if mic or source else "face"
    from emocli.serving import either

    return "speech" if either.kind(Path(source)) == "sound" else "face"


def _hear(model: Path, how: Options, place: Options, pieces: Options, *, people: bool, stop: Event) -> str:
    """Run a session with a voice; returns how it went."""
    from emocli.live import hearing, lines, microphones, windows
    from emocli.serving import listening

    windows.check(pieces["length"], pieces["hop"])
    sound = microphones.opened(**place, note=note)
    listen = listening.listener(model, **how, carry=True)
    write = (lines.text_lines if people else lines.json_lines)(sys.stdout)
    return hearing.hear(sound, listen, write, **pieces, stop=stop, note=note).told(listen.provider)


def _watch(model: Path, how: Options, place: Options, outputs: Options, *, window: bool, stop: Event) -> str:
    """Run a session with faces; returns how it went."""
    from emocli.live import session, sources
    from emocli.live.window import can_show
    from emocli.serving import prediction

    predict = prediction.predictor(model, **how)
    opened = sources.opened(**place)
    shown = window and can_show()
    lines = None if shown else sys.stdout
    watched = session.watch(opened, predict, stop=stop, window=shown, lines=lines, **outputs)
    return watched.told(predict.provider)


def _check(
    model: str, *, speech: bool, camera: bool, mic: bool, source: str, for_faces: bool, in_windows: bool
) -> None:
    """Raise EmoError for sources that the model can't take, and for two at once."""
    if camera + mic + bool(source) > 1:
        raise EmoError("a session has one source; give --camera, --mic or --source")
    if speech and (camera or for_faces):
        what = "--camera, --save-video and --flip are for faces"
        raise EmoError(f"{model} is a model of speech; {what}, use --mic or --source")
    if not speech and in_windows:
        raise EmoError(f"{model} is a model of faces, --length and --hop are for voices; leave them out")
    if not speech and (mic or source == "-"):
        raise EmoError(
            f"{model} is a model of faces, --mic and raw sound are for voices; name one of speech with --model"
        )
