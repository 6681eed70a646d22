"""A call while it runs: sound in, events out. Nothing here knows a socket, and only the hub and the line know a clock."""
