"""The child process: a file in, what it is out. It has no secrets, little memory and little time.

python -m files.inspection < FILE > RESULT.msgpack
"""

import resource
import sys

import msgspec

from files.inspection.kinds import inspect
from files.inspection.result import Inspected, Refused

MEMORY = 1024 * 1024 * 1024
"""Bytes of address space: an image of the largest size takes 160 MB of it, and its copy as much."""
CPU_SECONDS = 20


def main() -> None:
    """Read standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        result = inspect(sys.stdin.buffer.read())
    except Refused as refused:
        result = Inspected(error=str(refused))
    except (MemoryError, RecursionError):
        result = Inspected(error="The file takes more memory than a file may.")
    sys.stdout.buffer.write(msgspec.msgpack.encode(result))


if __name__ == "__main__":
    main()
