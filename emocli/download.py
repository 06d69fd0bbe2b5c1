"""Files from the net, each pinned by its sha256 and fetched once into the store."""

import http.client
import os
import shutil
import urllib.request
from pathlib import Path

from emocli import store
from emocli.errors import EmoError
from emocli.telling import Note, tell


def place(sha256: str) -> Path:
    """Return where the file with this sha256 is, once it was fetched."""
    return store.home() / "downloads" / sha256


# a download is never silent, whoever asks for it
def fetch(url: str, sha256: str, note: Note = tell) -> Path:
    """Return the file at `url`, fetched once; raises EmoError when it can't be had or is not the pinned one."""
    if not url.startswith(("https://", "http://127.0.0.1:")):
        raise EmoError(f"{url} is not an https address; nothing was downloaded")
    store.folder("downloads")
    kept = place(sha256)
    if kept.exists() and store.file_digest(kept) == f"sha256:{sha256}":
        return kept
    note(f"downloading {url}")
    scratch = store.spool()
    try:
        with urllib.request.urlopen(url, timeout=10) as answer, open(scratch, "wb") as file:
            shutil.copyfileobj(answer, file)
        if (found := store.file_digest(scratch)) != f"sha256:{sha256}":
            raise EmoError(f"{url} is not the pinned file (expected sha256:{sha256}, got {found}); nothing was kept")
        os.replace(scratch, kept)
    # a URLError is an OSError, and a ValueError what a mistyped proxy gives
    except (http.client.HTTPException, OSError, ValueError) as fault:
        why = " ".join(str(getattr(fault, "reason", fault)).split())  # what a server says may have line ends
        raise EmoError(f"can't download {url} ({why}); put the file at {kept} by hand") from fault
    finally:
        scratch.unlink(missing_ok=True)
    return kept
