"""A picture of a terminal: the server is started, killed in an answer, and the answer is
resumed."""

import json
import re
from html import escape

import httpx

from tests.live.server import Server

COLUMNS, SIZE, LINE, MARGIN = 104, 13, 19, 20
CHARACTER = 0.61 * SIZE  # the widest of the fonts
FONTS = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
PLAIN, PROMPT, FAINT = "#e6edf3", "#7ee787", "#8b949e"

PATH = "chat/stream?message=/slow"
ASK = f'$ curl -N -H "$auth" "$agent/{PATH}"'
KEY = "claw_live_RReoUd99..."  # the beginning of one that does not exist
SHOWN = ("run_started", "token", "error", "done")


async def session(server: Server, printed: str) -> list[str]:
    """Its lines, with real events; `printed` by `quickstart`."""
    headers = {"Authorization": f"Bearer {server.keys.acme}"}
    url = f"{server.url}/a/my-agent/api/{PATH}"
    async with httpx.AsyncClient(headers=headers, timeout=30) as client:
        async with client.stream("GET", url) as response:
            before = await _until(response, seq=9)
        server.kill()
        server.start()
        # The client has seen up to event 5 when its connection is cut.
        last = f"{json.loads(before[0])['runId']}:5"
        after = (await client.get(url, headers={"Last-Event-ID": last})).text
    return [
        "$ make run",
        *_facts(printed, server),
        "",
        f'$ agent=http://127.0.0.1:8000/a/my-agent/api auth="Authorization: Bearer {KEY}"',
        ASK,
        *_events(before[:5]),
        "^C",
        "",
        "$ # kill the server in the middle of the answer, and ask for what comes after event 5",
        "$ pkill -9 -f 'manage.py serve'; make run > /dev/null &",
        f'{ASK} -H "Last-Event-ID: {last}"',
        *_events(re.findall(r"^data: (.*)$", after, re.MULTILINE)),
    ]


async def _until(response: httpx.Response, *, seq: int) -> list[str]:
    """The data of its events, up to this one."""
    data: list[str] = []
    async for line in response.aiter_lines():
        if line.startswith("data: "):
            data.append(line[6:])
            if json.loads(line[6:])["seq"] == seq:
                break
    return data


def _facts(printed: str, server: Server) -> list[str]:
    """The addresses of the agent, as a server on the usual port prints them."""
    lines = [line for line in printed.splitlines() if re.match(r"(Chat|Agent|API)", line)]
    text = "\n".join(lines).replace(server.keys.acme, KEY)
    return re.sub(r"(127\.0\.0\.1|localhost):\d+", r"\1:8000", text).splitlines()


def _events(data: list[str]) -> list[str]:
    """Each as it is streamed, without those that a reader does not look for."""
    lines = []
    for each in data:
        event = json.loads(each)
        if event["type"] in SHOWN:
            lines += [f"id: {event['runId']}:{event['seq']}", f"data: {each}"]
    return lines


def svg(lines: list[str]) -> str:
    """A picture of these lines; long ones are cut as a narrow window cuts them."""
    width, height = round(COLUMNS * CHARACTER + 2 * MARGIN), len(lines) * LINE + 2 * MARGIN
    texts = "\n".join(
        f'<text x="{MARGIN}" y="{MARGIN + LINE * (number + 0.75):g}" fill="{_colour(line)}">'
        f"{escape(line if len(line) <= COLUMNS else line[: COLUMNS - 1] + '…')}</text>"
        for number, line in enumerate(lines)
        if line
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="{FONTS}" font-size="{SIZE}">\n'
        "<style>text{white-space:pre}</style>\n"
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>\n{texts}\n</svg>\n'
    )


def _colour(line: str) -> str:
    if line.startswith("$"):
        return PROMPT
    return FAINT if line.startswith(("id: ", "^C")) else PLAIN
