"""A program that speaks the stateless protocol, with a tool that gives it another tool."""

from mcp.server import MCPServer
from mcp.server.mcpserver import Context

server = MCPServer("changing")


@server.tool()
async def change(context: Context) -> str:
    """Adds the tool `new`."""

    def new() -> str:
        """Is new."""
        return "new"

    server.add_tool(new)
    await context.notify_tools_changed()
    return "changed"


if __name__ == "__main__":
    server.run("stdio")
