"""Downloads are pinned: from a local server, the right file is kept and any other is not."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from emocli import download, store
from emocli.errors import EmoError


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A folder with weights.bin, served on this machine only."""
    (tmp_path / "weights.bin").write_bytes(b"weights" * 1000)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=tmp_path)) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


@pytest.fixture(autouse=True)
def empty_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of this test's own."""
    monkeypatch.setenv("EMO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


PIN = hashlib.sha256(b"weights" * 1000).hexdigest()


def test_a_download_is_fetched_once_and_found_again_without_the_server(server: str, tmp_path: Path) -> None:
    notes: list[str] = []
    path = download.fetch(f"{server}/weights.bin", PIN, notes.append)
    assert path.read_bytes() == b"weights" * 1000 and len(notes) == 1
    (tmp_path / "weights.bin").unlink()
    assert download.fetch(f"{server}/weights.bin", PIN, notes.append) == path and len(notes) == 1


def test_a_file_that_is_not_the_pinned_one_is_not_kept(server: str, empty_store: Path) -> None:
    with pytest.raises(EmoError, match="not the pinned file"):
        download.fetch(f"{server}/weights.bin", "0" * 64)
    assert not [path for path in empty_store.rglob("*") if path.is_file()]


def test_a_file_that_is_not_there_is_one_clear_error(server: str, empty_store: Path) -> None:
    with pytest.raises(EmoError, match=r"can't download .*by hand"):
        download.fetch(f"{server}/absent.bin", PIN)
    assert not [path for path in empty_store.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"]
)
def test_an_answer_that_is_no_whole_http_is_one_clear_error(answer: bytes, empty_store: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            caller, _ = listening.accept()
            with caller:
                caller.recv(1 << 16)
                caller.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(EmoError, match=r"can't download .*by hand"):
            download.fetch(f"http://127.0.0.1:{listening.getsockname()[1]}/weights.bin", PIN)
    assert not [path for path in empty_store.rglob("*") if path.is_file()]


def test_a_mistyped_proxy_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, empty_store: Path) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://proxy..local:80")
    with pytest.raises(EmoError, match=r"can't download .*by hand"):
        download.fetch("https://nowhere.invalid/weights.bin", PIN)
    assert not [path for path in empty_store.rglob("*") if path.is_file()]


def test_only_web_addresses_are_downloaded(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"weights" * 1000)
    with pytest.raises(EmoError, match="https"):
        download.fetch((tmp_path / "secret").as_uri(), PIN)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b"])
def test_a_dataset_name_can_not_leave_the_store(name: str) -> None:
    with pytest.raises(EmoError, match="can't be a dataset's name"):
        store.dataset(name)


def test_a_store_that_can_not_be_made_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EMO_HOME", str(tmp_path / "file"))
    with pytest.raises(EmoError, match="set EMO_HOME"):
        store.folder("cache")


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EMO_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)

    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(EmoError, match="set EMO_HOME"):
        store.home()


def test_a_bound_of_the_cache_that_is_no_number_is_one_line(monkeypatch: pytest.MonkeyPatch, empty_store: Path) -> None:
    monkeypatch.setenv("EMO_CACHE_BYTES", "8G")
    with pytest.raises(EmoError, match="no number of bytes"):
        store.keep(store.spool(), f"sha256:{0:064}", move=True)
