import argparse
import asyncio
import logging
from contextlib import suppress

from tests.upstream.server import Upstream


async def main() -> None:
    parser = argparse.ArgumentParser(description="A local model server for tests.")
    parser.add_argument("--port", type=int, default=0)
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # that a caller has left is no news
    async with Upstream(port=parser.parse_args().port) as upstream:
        print(upstream.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
