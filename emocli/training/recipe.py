"""Every option of training with its default and help text; standard library only, so that --help is quick."""

import math
from dataclasses import dataclass, field, fields
from typing import Any

from emocli.errors import EmoError

LARGEST_SEED = (1 << 32) - 1
"""What NumPy and scikit-learn take."""


def _option(
    default: Any,
    help: str,
    least: float | None = None,
    most: float | None = None,
    *,
    below: float | None = None,
    words: tuple[str, ...] = (),
) -> Any:
    """`most` may be reached, `below` may not; `words` are all that there are."""
    return field(default=default, metadata={"help": help, "min": least, "max": most, "below": below, "words": words})


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a net is trained."""

    epochs: int = _option(36, "passes over the train part", least=1)
    batch: int = _option(128, "rows a step, at most a sixteenth of the train part", least=2)
    optimizer: str = _option(
        "adamw",
        "adamw, muon (fewer epochs, each a little longer), or sgd (Nesterov's momentum 0.9; try --lr 0.1 and a weight "
        "decay of 0.0005)",
        words=("adamw", "sgd", "muon"),
    )
    lr: float = _option(4e-3, "highest learning rate", least=0)
    weight_decay: float = _option(
        0.05, "weight decay, decoupled in adamw and muon; biases and norms have none", least=0
    )
    warmup: float = _option(1.0, "epochs in which the learning rate rises from 0, at most a fifth of the run", least=0)
    schedule: str = _option(
        "cosine",
        "cosine, restarts, onecycle, step or constant",
        words=("cosine", "restarts", "constant", "onecycle", "step"),
    )
    restart_epochs: int = _option(10, "length of each cycle of --schedule restarts, in epochs", least=1)
    onecycle_rise: float = _option(
        0.3, "share of the run in which --schedule onecycle rises; it takes no --warmup", least=0, below=1
    )
    milestones: str = _option("0.5,0.75", "shares of the run after which --schedule step lowers the rate")
    step_factor: float = _option(0.1, "what --schedule step multiplies the rate by", least=0)
    label_smoothing: float = _option(0.1, "share of the target spread over all classes", least=0, most=1)
    class_weights: str = _option(
        "none", "none, balanced (each class counts the same in the loss) or factors such as fear=2,disgust=1.5"
    )
    focal: float = _option(
        0.0, "focal loss: how much what is right already counts less, 2 in its paper; 0 is off", least=0
    )
    logit_adjustment: float = _option(
        0.0,
        "logits get this times the log of their class's share while training, so that rare ones win more; 0 is off",
        least=0,
    )
    center: float = _option(
        0.0, "weight of the center loss, which pulls embeddings to their class's centre; 0 is off", least=0
    )
    center_rate: float = _option(0.5, "share of the way that a centre moves in a step", least=0, most=1)
    oversample: bool = _option(False, "show each class as often as any other; an epoch has as many rows as before")
    mixup: float = _option(0.0, "blend pairs of rows, strength of a Beta distribution; 0 is off", least=0, most=1000)
    cutmix: float = _option(
        0.0,
        "paste a rectangle of another image, strength of the Beta distribution; with --mixup a batch draws one",
        least=0,
        most=1000,
    )
    augment: str = _option(
        "full",
        "full (as the strengths below say), light (only mirror, shift, brightness, contrast) or none; a strength that "
        "is not its default comes on top",
        words=("none", "light", "full"),
    )
    flip: float = _option(0.5, "probability of a mirror image", least=0, most=1)
    rotate: float = _option(12.0, "rotation, degrees to either side", least=0)
    shear: float = _option(0.0, "shear, degrees to either side", least=0)
    scale: float = _option(0.1, "change of scale; 0.1 is 0.9 to 1.1", least=0)
    shift: float = _option(0.05, "shift, share of the side", least=0)
    brightness: float = _option(0.1, "change of brightness, share of the range", least=0)
    contrast: float = _option(0.2, "change of contrast; 0.2 is 0.8 to 1.2", least=0)
    erase: float = _option(0.3, "probability that a rectangle is painted over", least=0, most=1)
    elastic: float = _option(0.0, "largest elastic displacement, share of the side", least=0)
    gamma: float = _option(0.0, "change of gamma; 0.5 is 1/1.5 to 1.5", least=0)
    blur: float = _option(0.0, "largest standard deviation of a Gaussian blur, share of the side", least=0)
    noise: float = _option(0.0, "largest standard deviation of Gaussian noise, share of the range", least=0)
    mask: float = _option(0.0, "probability that a face mask hides nose and mouth", least=0, most=1)
    glasses: float = _option(0.0, "probability of glasses, half of them dark", least=0, most=1)
    hand: float = _option(0.0, "probability that a hand hides a part of the face", least=0, most=1)
    speed: float = _option(0.1, "sequences: change of speed; 0.1 is 1/1.1 to 1.1 times as fast", least=0)
    pitch: float = _option(
        0.0, "sequences: stretch of the bands of logmel, as a voice of another pitch; 0.1 is usual", least=0
    )
    level: float = _option(
        0.0, "sequences: largest offset of a clip's values, for logmel its loudness in nepers or dB", least=0
    )
    time_mask: float = _option(
        0.15, "sequences: longest of two stretches of time that are masked, share of the clip", least=0, most=1
    )
    band_mask: float = _option(
        0.15, "sequences: widest of two ranges of features that are masked, share of all", least=0, most=1
    )
    progressive: float = _option(
        0.0, "side of the first images, share of the whole; it grows over 70 % of the run; 0 is off", least=0, most=1
    )
    ema: float = _option(
        0.995, "decay a step of the averaged weights, which are validated and kept; 0 is off", least=0, most=1
    )
    swa: float = _option(
        0.0,
        "share of the run, at its end, whose weights are averaged evenly instead of --ema; 0.25 is usual, 0 is off",
        least=0,
        below=1,
    )
    init: str = _option("none", "model whose weights are the first, where name and shape fit: file or sha256:… or none")
    freeze: float = _option(
        0.0,
        "largest share of the parameters, whole layers from the first, that stay as they are; for --init and "
        "pretrained nets",
        least=0,
        below=1,
    )
    layer_decay: float = _option(
        1.0,
        "learning rate of a layer, as a share of that of the layer after it; for --init and pretrained nets",
        least=0.01,
        most=1,
    )
    patience: int = _option(0, "epochs without a better validation accuracy before the run stops; 0 is never", least=0)
    keep: str = _option(
        "best",
        "epoch that is kept: best on the validation part, or last, where that part is too small to choose by",
        words=("best", "last"),
    )
    clip: float = _option(0.0, "largest norm of the gradient; 0 is off", least=0)
    precision: str = _option(
        "auto", "auto (what is fastest for the architecture here), fp32 or bf16", words=("auto", "fp32", "bf16")
    )
    layout: str = _option("auto", "auto, contiguous or channels-last", words=("auto", "contiguous", "channels-last"))
    device: str = _option("auto", "auto, cpu or cuda", words=("auto", "cpu", "cuda"))
    compile: bool = _option(False, "compile the net for this machine before it is trained (torch.compile)")
    threads: int = _option(0, "CPU threads; 0 is one per core, shared by the processes of torchrun", least=0, most=1024)
    seed: int = _option(
        0, "the same seed, threads and machine give the same model, byte for byte", least=0, most=LARGEST_SEED
    )
    time_limit: float = _option(0.0, "minutes of steps that the schedule is compressed into, 0 is no limit", least=0)


AUGMENTATION = (
    *("augment", "flip", "rotate", "shear", "scale", "shift", "elastic", "brightness", "contrast", "gamma"),
    *("blur", "noise", "erase", "mask", "glasses", "hand", "mixup", "cutmix"),
)
"""The options that change pictures, which emo preview takes too."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """How often a net is trained, for a mean with its interval; the run of the best validation accuracy is kept."""

    seeds: int = _option(1, "train so often, with --seed and those after it, and keep the best on the validation part")
    folds: int = _option(
        0, "cross-validation: divide train and validation anew into so many folds, subjects kept whole; 0 is off"
    )


@dataclass(frozen=True, slots=True)
class Distillation:
    """How much a student listens to its teacher (Hinton et al. 2015, arXiv 1503.02531)."""

    temperature: float = _option(3.0, "softens the logits of teacher and student", least=0.01)
    alpha: float = _option(
        0.7, "share of the teacher in the loss; the rest is the labels, and 1 needs none", least=0, most=1
    )
    teacher_flip: bool = _option(False, "show the teacher each picture mirrored as well, and learn the mean of both")
    teacher_views: int = _option(
        1, "show the teacher each picture or voice in so many views, 1 to 7, and learn the mean", least=1, most=7
    )
    relational: float = _option(
        0.0,
        "weight of the relational loss: distances between embeddings become the teacher's (Park 2019); 0 is off",
        least=0,
    )


def check(options: Any) -> None:
    """Raise EmoError for a number that is not finite or out of its range, and a word that is none; of any record."""
    for option in fields(options):
        value, limits = getattr(options, option.name), option.metadata
        least, most, below, words = (limits[key] for key in ("min", "max", "below", "words"))
        name = f"--{option.name.replace('_', '-')} {value}"
        if words and value not in words:
            raise EmoError(f"{name} is none of {', '.join(words)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise EmoError(f"{name} is no finite number; its default is {option.default}")
        if least is not None and value < least:
            raise EmoError(f"{name} is too small; use {least} or more, its default is {option.default}")
        if most is not None and value > most:
            raise EmoError(f"{name} is too large; use {most} or less, its default is {option.default}")
        if below is not None and value >= below:
            raise EmoError(f"{name} is too large; use less than {below}, its default is {option.default}")


def expect_together(recipe: Recipe) -> None:
    """Raise EmoError for options of which each is possible, and both are not."""
    if recipe.patience and recipe.keep == "last":
        raise EmoError("--patience waits for a better epoch, so it needs --keep best")
    even = {
        "--oversample": recipe.oversample,
        "--logit-adjustment": recipe.logit_adjustment,
        "--class-weights balanced": recipe.class_weights == "balanced",
    }
    if len(given := [flag for flag, is_given in even.items() if is_given]) > 1:
        raise EmoError(
            f"{' and '.join(given)} each make up for rare classes, together they do it more than once; leave one in"
        )
    if recipe.patience and recipe.swa:
        raise EmoError("--patience may end a run before the average of --swa begins; leave one of them out")
