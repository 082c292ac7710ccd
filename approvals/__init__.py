"""What people have approved beforehand: later calls of a tool."""
