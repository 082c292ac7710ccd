import subprocess
import sys

import pytest

from engine.providers.registry import PROVIDERS, open_provider


def test_it_works() -> None:
    assert open_provider("demo").name == "demo"


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_knows_its_name(name: str) -> None:
    assert open_provider(name, api_key="key").name == name


@pytest.mark.parametrize("name", PROVIDERS)
def test_an_sdk_is_used_where_there_is_one(name: str) -> None:
    provider = open_provider(name, api_key="key", sdk=True)
    assert provider.name == name
    assert type(provider).__module__.endswith(".sdk") is bool(PROVIDERS[name].sdk)


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        open_provider("nobody")


def test_no_provider_imports_an_sdk() -> None:
    code = (
        "import sys; from engine.providers.registry import PROVIDERS, open_provider;"
        "[open_provider(name, api_key='key') for name in PROVIDERS];"
        "print({'anthropic', 'openai', 'httpx2', 'pydantic'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert out.stdout.strip() == "set()"
