"""Run as a process: write events for ever, and report each one on stdout once it is written."""

import os
import sys

from engine.events import Stamp, Token
from engine.log.file import FileLog


def main(directory: str) -> None:
    log = FileLog(directory, retention=600)
    writers = [log.writer(Stamp(f"run_{n}", "conv_1", "msg_1"), 1) for n in range(5)]
    index = 0
    while True:
        for n, writer in enumerate(writers):
            seq = writer.append(Token(content="x" * (index * 37 % 3000), index=index))
            os.write(1, b"%d %d\n" % (n, seq))
        index += 1


if __name__ == "__main__":
    main(sys.argv[1])
