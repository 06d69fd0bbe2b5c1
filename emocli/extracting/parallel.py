"""Work on many items in several processes, with the results in the order of the items."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from emocli.errors import EmoError

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 2
_work: dict[str, Callable[[Any], Any]] = {}
"""What this process does with an item, where it is one of several: made once, when it starts."""


def each_in_order(
    make: Callable[..., Callable[[Item], Result]], items: Sequence[Item], jobs: int, arguments: tuple[Any, ...]
) -> Iterator[Result]:
    """Yield the result of every item; each of the processes calls make(*arguments) once for what it does with them.

    At most twice as many results as processes wait to be taken. What a process raises is raised here; raises EmoError
    where one is killed, as the system does with a process when there is no memory left.
    """
    # a copy of this process would have its threads' locks and no threads
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(items)) or 1, context, _begin, (make, arguments))
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(_do, item))
            if len(waiting) > _AHEAD * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as fault:
        raise EmoError(f"one of {jobs} processes was killed, perhaps for want of memory; use fewer --jobs") from fault
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(make: Callable[..., Callable[[Any], Any]], arguments: tuple[Any, ...]) -> None:
    _work["each"] = make(*arguments)


def _do(item: Any) -> Any:
    return _work["each"](item)
