"""A bounded queue between two threads that either waits for room or gives up its oldest item."""

from collections import deque
from collections.abc import Iterator
from threading import Condition
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Closed(Exception):
    """Nothing more comes out of the channel, or nobody takes anything any more."""


class Channel(Generic[Item]):
    """A bounded queue for one sender and one receiver, either of whom can end it, so that no thread waits for ever.

    `drop_oldest` decides what a full one does: give up its oldest item, counted in `dropped`, or make the sender wait.
    """

    def __init__(self, capacity: int, *, drop_oldest: bool) -> None:
        self._items: deque[Item] = deque()
        self._capacity = capacity
        self._drop_oldest = drop_oldest
        self._ended = False
        self._changed = Condition()
        self.dropped = 0

    def put(self, item: Item) -> None:
        """Add `item`; raises Closed when the receiver has gone."""
        with self._changed:
            while len(self._items) >= self._capacity and not self._ended:
                if self._drop_oldest:
                    self._items.popleft()
                    self.dropped += 1
                else:
                    self._changed.wait()
            if self._ended:
                raise Closed
            self._items.append(item)
            self._changed.notify_all()

    def get(self, timeout_seconds: float | None = None) -> Item:
        """Return the oldest item; raises Closed when no more will come and TimeoutError when none came in time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._items or self._ended, timeout_seconds):
                raise TimeoutError
            if not self._items:
                raise Closed
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def end(self) -> None:
        """Say, as the sender, that nothing more comes; what is in the channel can still be taken."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """Say, as the receiver, that nothing more is wanted; what is in the channel is given up."""
        with self._changed:
            self._ended = True
            self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Item]:
        """Yield items until the channel has ended."""
        while True:
            try:
                item = self.get()
            except Closed:
                return
            yield item
