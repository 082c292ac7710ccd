"""The widget on a page of somebody's, with an answer in it."""

from pathlib import Path

from playwright.async_api import async_playwright

from tests.browser.site import serving
from tests.services import CHROMIUM

SIZE = {"width": 760, "height": 514}
SCALE = 1.5  # crisp on screens with small pixels
PAGE = """
<title>Greenhouse</title>
<style>
  body {
    margin: 0;
    font: 15px/1.6 "Liberation Sans", sans-serif;
    color: #23302a;
    background: #fbfaf7;
  }
  header { padding: 16px 32px; border-bottom: 1px solid #e4e0d6; font: bold 18px/1.6 sans-serif }
  main { width: 290px; padding: 22px 32px }
  h1 { font-size: 26px; line-height: 1.25; margin: 0 0 12px }
  svg { display: block; border-radius: 8px; margin: 20px 0; background: #e6eee2 }
  claw-chat {
    --claw-accent: #2f6b4f;
    --claw-font: "Liberation Sans", sans-serif;
    --claw-width: 390px;
    --claw-height: 408px;
  }
</style>
<body>
  <header>Greenhouse</header>
  <main>
    <h1>Plants that like it<br>where you are</h1>
    <p>Shade, sun or a cold staircase: there is a plant for each, and we bring it to your door.</p>
    <svg width="290" height="184" viewBox="0 0 300 190">
      <g fill="#5f9271">
        <path d="M150 138 C112 120 92 84 100 44 C134 60 152 98 150 138"/>
        <path d="M150 138 C188 120 208 84 200 44 C166 60 148 98 150 138" fill="#77a685"/>
        <path d="M150 138 C128 104 130 54 150 24 C170 54 172 104 150 138" fill="#2f6b4f"/>
        <path d="M150 138 C116 140 82 126 64 96 C102 92 136 108 150 138" fill="#8db899"/>
        <path d="M150 138 C184 140 218 126 236 96 C198 92 164 108 150 138" fill="#4d8262"/>
      </g>
      <path d="M116 134 H184 L176 178 H124 Z" fill="#c8795a"/>
    </svg>
  </main>
  <script src="{url}/static/claw/embed.js" data-agent="my-agent" data-name="Greenhouse"></script>
</body>
"""


async def shoot(url: str, file: Path) -> None:
    """Ask the demo agent of the server at `url`, and keep the picture in `file`."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(
            viewport=SIZE, device_scale_factor=SCALE, color_scheme="light", locale="en"
        )
        with serving() as site:
            await page.goto(site.page(PAGE.replace("{url}", url)))
            await page.get_by_role("button", name="Open chat").click()
            await page.get_by_role("button", name="What can you do?").click()
            await page.locator('[role=log][aria-busy="false"] .message.assistant').wait_for()
            await page.locator(".scroller").evaluate("(each) => { each.scrollTop = 0 }")
            jump = page.locator(".jump")  # it would lie on the text
            await jump.wait_for()
            await jump.evaluate("(button) => { button.style.visibility = 'hidden' }")
            await page.mouse.move(0, 0)
            await page.screenshot(path=file, animations="disabled", caret="hide")
        await browser.close()
