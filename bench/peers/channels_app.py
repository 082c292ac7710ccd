"""A relay as a tutorial for Django Channels has it: a consumer, Daphne, `.stream()`.

daphne channels_app:application
"""

import json

from anthropic import AsyncAnthropic
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="benchmark",
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
)
django_application = get_asgi_application()
anthropic = AsyncAnthropic()


class ChatConsumer(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        message = json.loads(text_data)
        async with anthropic.messages.stream(
            model="claude-sonnet-5-5",
            max_tokens=1024,
            messages=[{"role": "user", "content": message["content"]}],
        ) as stream:
            async for text in stream.text_stream:
                await self.send(text_data=json.dumps({"type": "token", "content": text}))
        await self.send(text_data=json.dumps({"type": "done"}))


urlpatterns = [path("healthz", lambda request: HttpResponse("ok"))]

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": URLRouter([path("ws", ChatConsumer.as_asgi())]),
    }
)
