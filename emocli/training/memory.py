"""Memory between steps: what one step frees stays with the process for the next, not given back to the system."""

import ctypes

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
"""M_TRIM_THRESHOLD and M_MMAP_MAX of malloc.h."""


def keep() -> bool:
    """Ask the C library to give nothing back until the process ends; say whether it was glibc's and did.

    Each step takes and frees the same large maps. Left alone, glibc hands them back to the kernel at times, which
    fills them with zeros page by page when they are taken again: 5 to 10 % of a run, and half of it on a bad day.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # no glibc: another system's allocator keeps its own rules
        return False
    return bool(mallopt(_TRIM_THRESHOLD, 2**31 - 1) and mallopt(_MMAP_MAX, 0))
