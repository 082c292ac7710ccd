"""The only doors: WebSocket, SSE, REST. They authorise, limit, start and follow; nothing else."""
