"""The one error a user can mend: what is wrong, then what to do."""

USER, USAGE, GATE, INTERRUPTED, READER_GONE = 1, 2, 3, 130, 141


class EmoError(Exception):
    """Ends the command with one line on stderr and `status`; anything else is a bug and keeps its traceback."""

    def __init__(self, message: str, *, status: int = USER) -> None:
        super().__init__(message)
        self.status = status
