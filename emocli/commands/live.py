"""Classify faces from a camera or a video as they come, in a window or as JSON lines."""

import sys
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from emocli.commands import _flags
from emocli.commands._show import note
from emocli.errors import INTERRUPTED


def run(
    model: _flags.Model = None,
    camera: Annotated[int, typer.Option(help="Camera number.")] = 0,
    source: Annotated[str, typer.Option(help="Video file, picture, folder or glob instead of a camera.")] = "",
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Play a file at its own pace, dropping late frames.")
    ] = False,
    detector: Annotated[str, typer.Option(help="What finds the faces; none when a frame is one face.")] = "auto",
    smooth: Annotated[float, typer.Option(help="Seconds over which a face's answers are averaged; 0 for none.")] = 0.0,
    window: Annotated[bool, typer.Option(help="Show a window where there is a display.")] = True,
    save_video: Annotated[str, typer.Option(help="Write the frames with what was found to this video file.")] = "",
    engine: _flags.Engine = "onnxruntime",
    threads: _flags.Threads = 1,
    force: _flags.Force = False,
    as_json: _flags.Json = None,
) -> None:
    """Run until q, Ctrl-C or the end of the file."""
    artifact = _flags.model_of(model)
    from emocli.live import interrupt, session, sources
    from emocli.live.window import can_show
    from emocli.serving import prediction

    predict = prediction.predictor(artifact.path, detector=detector, engine=engine, threads=threads, note=note)
    opened = sources.named(source, realtime=realtime) if source else sources.camera(camera)
    shown = window and sys.stdout.isatty() and not as_json and can_show()
    stop = Event()
    with interrupt.ended_by_interrupt(stop) as interrupted:
        stats = session.watch(
            opened,
            predict,
            stop=stop,
            window=shown,
            lines=None if shown else sys.stdout,
            save_video=Path(save_video) if save_video else None,
            force=force,
            smooth_seconds=smooth,
        )
    note(stats.told(predict.provider))
    if interrupted.is_set():
        raise typer.Exit(INTERRUPTED)
