"""The fixes for each kind of proxy. docs/proxies.md explains them, and has every one (tested)."""

BUFFERING = {
    "nginx": "proxy_buffering off; and no proxy_ignore_headers X-Accel-Buffering",
    "ALB": "does not buffer instance and ip targets; look at what stands before or behind it "
    "(CloudFront, a Lambda target)",
    "Cloudflare": "Network > Response Buffering: off",
    "Caddy": "flush_interval -1 in reverse_proxy",
    "Traefik": "no buffering middleware; responseForwarding.flushInterval: -1ms for the service",
}
IDLE = {
    "nginx": "proxy_read_timeout 300s; proxy_send_timeout 300s;",
    "ALB": "idle_timeout.timeout_seconds=300",
    "Cloudflare": "100 s, fixed but for Enterprise: keep CLAW_KEEPALIVE_INTERVAL and "
    "CLAW_PING_INTERVAL below it",
    "Caddy": "no read_timeout, write_timeout or stream_timeout below 300s in reverse_proxy",
    "Traefik": "transport.respondingTimeouts.readTimeout=0 and writeTimeout=0 for the entry point",
}
UPGRADE = {
    "nginx": "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
    "proxy_set_header Connection $connection_upgrade; (with the map of deploy/nginx)",
    "ALB": "protocol version HTTP1 for the target group",
    "Cloudflare": "Network > WebSockets: on",
    "Caddy": "passes upgrades on; no header_up for Connection or Upgrade",
    "Traefik": "passes upgrades on; no customRequestHeaders for Connection or Upgrade",
}
COMPRESSION = {
    "nginx": "gzip off; (and brotli off;) or no text/event-stream in gzip_types",
    "ALB": "does not compress; look at what stands before it (CloudFront)",
    "Cloudflare": "a Compression Rule for /api/ and /a/: Disable",
    "Caddy": "encode with a matcher that leaves out /api/* and /a/*",
    "Traefik": "compress.excludedContentTypes: text/event-stream",
}
FORWARDING = {
    "fix": "Set CLAW_TRUSTED_PROXIES to the networks that your proxies connect from.",
    "nginx": "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; "
    "proxy_set_header X-Forwarded-Proto $scheme;",
    "ALB": "routing.http.xff_header_processing.mode=append",
    "Cloudflare": "sets both headers",
    "Caddy": "sets both headers; trusted_proxies if another proxy stands before it",
    "Traefik": "sets both headers; forwardedHeaders.trustedIPs if another stands before it",
}
