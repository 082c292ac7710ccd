"""The servers: uvicorn for production (`serve`), Daphne for development (`runserver`)."""
