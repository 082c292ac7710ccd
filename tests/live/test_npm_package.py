"""The npm package of the JavaScript client, packed and installed as its users have it."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.documents import ROOT
from tests.live.programs import run
from tests.live.server import Server

pytestmark = pytest.mark.node

PROGRAM = """
import { ClawClient } from "claw";
import { useStreamingChat } from "claw/react";
import { createToolCallAccumulator } from "claw/tools.js";

if (typeof useStreamingChat !== "function") throw new Error("no hook");
if (typeof createToolCallAccumulator !== "function") throw new Error("no accumulator");
const client = new ClawClient({ url: process.env.URL, token: process.env.API_KEY });
const { content } = await client.chat.send("Hello [[upstream tokens=5]]");
console.log(content);
client.close();
"""


async def npm(folder: Path, *arguments: str) -> str:
    """What `npm` prints; it asks no registry."""
    process = await asyncio.create_subprocess_exec(
        "npm",
        *arguments,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "npm_config_offline": "true"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_what_npm_packs_works_where_it_is_installed(server: Server, tmp_path: Path) -> None:
    folder = ROOT / "static" / "claw"
    packed = await npm(tmp_path, "pack", str(folder), "--pack-destination", str(tmp_path))
    archive = tmp_path / packed.strip().splitlines()[-1]
    (tmp_path / "package.json").write_text('{"private": true, "type": "module"}')
    options = ("--no-audit", "--no-fund", "--no-package-lock", "--legacy-peer-deps")
    await npm(tmp_path, "install", str(archive), *options)
    react = tmp_path / "node_modules" / "react"
    react.symlink_to(ROOT / "tests" / "node_modules" / "react")
    (tmp_path / "program.mjs").write_text(PROGRAM)
    printed = await run("js", tmp_path / "program.mjs", URL=server.url, API_KEY=server.keys.acme)
    assert printed.strip() == "w0 w1 w2 w3 w4"
