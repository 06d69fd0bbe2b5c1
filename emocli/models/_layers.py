"""Layers that several architectures share."""

from torch import Tensor, nn

from emocli.errors import EmoError
from emocli.models._convolution import Convolution


class Normalize(nn.Module):
    """Map 0..1 to -1..1: the first thing a net for images does, so that the scaling is part of the model."""

    def forward(self, x: Tensor) -> Tensor:
        return (x - 0.5) / 0.5


class Classifier(nn.Module):
    """`features`, averaged to an embedding, then dropout and a linear `head`: the shape of most architectures here."""

    def __init__(self, features: nn.Module, width: int, classes: int, *, dropout: float, pool: bool = True) -> None:
        super().__init__()
        self.features = features
        self.pool = pool
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, classes)

    def embed(self, x: Tensor) -> Tensor:
        """Return the (n, width) embedding before the head."""
        maps: Tensor = self.features(x)
        return maps.mean((2, 3)) if self.pool else maps

    def outputs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (n, classes) logits and the (n, width) embedding from one pass."""
        embedding = self.embed(x)
        return self.head(self.dropout(embedding)), embedding

    def forward(self, x: Tensor) -> Tensor:
        return self.outputs(x)[0]


def conv_norm(
    inputs: int,
    outputs: int,
    kernel: int,
    *,
    stride: int = 1,
    groups: int = 1,
    activation: type[nn.Module] | None = nn.ReLU,
) -> nn.Sequential:
    """Return convolution without bias, BatchNorm and, if any, the activation; padding keeps the size at stride 1."""
    layers: list[nn.Module] = [
        Convolution(inputs, outputs, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if activation:
        layers.append(activation(inplace=True))
    return nn.Sequential(*layers)


def halving_stem(name: str, kind: str, channels: int, outputs: int, activation: type[nn.Module]) -> nn.Sequential:
    """Return a 3x3 convolution that halves the image: with stride 2 ("conv") or after space-to-depth ("s2d")."""
    if kind == "conv":
        return conv_norm(channels, outputs, 3, stride=2, activation=activation)
    if kind == "s2d":
        return nn.Sequential(nn.PixelUnshuffle(2), conv_norm(channels * 4, outputs, 3, activation=activation))
    raise EmoError(f"{name} has no stem {kind!r}; use conv or s2d")


def expect_halvings(name: str, halvings: int) -> None:
    """Raise EmoError unless a net that was published with five can halve its input so often."""
    if not 3 <= halvings <= 5:
        raise EmoError(f"{name} halves its input 3 to 5 times, not {halvings}; use -p halvings=4")


def expect_images(name: str, shape: tuple[int, ...], *, multiple: int = 1, least: int = 16) -> tuple[int, int, int]:
    """Return `shape` as (channels, height, width); raises EmoError when it is no image that the net can take."""
    if len(shape) != 3:
        use = "speech-resnet or lstm for sequences" if shape[:1] == (-1,) else "mlp for vectors"
        raise EmoError(f"{name} takes images, not features of shape {shape}; use --arch {use}")
    channels, height, width = shape
    if height % multiple or width % multiple or min(height, width) < least:
        raise EmoError(
            f"{name} takes images of at least {least} pixels in multiples of {multiple}, not {height}x{width}; "
            "extract with: emo features DATASET -p size=48"
        )
    return channels, height, width
