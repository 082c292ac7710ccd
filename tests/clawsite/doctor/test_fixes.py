"""`clawsite.doctor.fixes`: what the doctor says can be read up."""

import pytest

from clawsite.doctor import fixes
from tests.documents import section

TITLES = {"ALB": "AWS ALB"}
FIXES = {name: value for name, value in vars(fixes).items() if name.isupper()}


def plain(text: str) -> str:
    return " ".join(text.replace("`", "").split())


def test_it_works() -> None:
    assert set(FIXES) == {"BUFFERING", "IDLE", "UPGRADE", "COMPRESSION", "FORWARDING"}


@pytest.mark.parametrize("name", FIXES)
def test_every_fix_is_in_the_page_about_proxies(name: str) -> None:
    proxies = {proxy: fix for proxy, fix in FIXES[name].items() if proxy != "fix"}
    assert list(proxies) == ["nginx", "ALB", "Cloudflare", "Caddy", "Traefik"]
    for proxy, fix in proxies.items():
        page = section("docs/proxies.md", TITLES.get(proxy, proxy))
        assert plain(fix) in plain(page), (proxy, fix)
