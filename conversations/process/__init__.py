"""The parts of one serving process, and the connections that it holds open."""
