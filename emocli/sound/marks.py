"""What the usual sound and video files begin with: content decides what a file is, not its name."""

LIBSNDFILE = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"FORM")
"""wav, flac, ogg and aiff, which libsndfile reads."""
_OTHERS = (b"ID3", b"\x30\x26\xb2\x75", b"\x1aE\xdf\xa3", b"\0\0\1\xba")
"""mp3 with its tag, wma, mkv and webm, mpg."""
_MPEG = (b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2", b"\xff\xf1", b"\xff\xf0", b"\xff\xf9", b"\xff\xf8")
"""mp3 without a tag and aac: so short that raw samples may begin so too."""
BYTES = 8
"""As many tell."""


def is_sound(start: bytes) -> bool:
    """Tell whether a file that begins with these bytes is a sound or a video."""
    return is_surely(start) or start.startswith(_MPEG)


def is_surely(start: bytes) -> bool:
    """Tell the same of bytes that may be raw samples as well: by marks that these hardly have."""
    return start.startswith((*LIBSNDFILE, *_OTHERS)) or start[4:8] == b"ftyp"
