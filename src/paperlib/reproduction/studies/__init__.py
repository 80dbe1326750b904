"""Studies of questions that the paper raises: how to fuse two streams, and what single dates hold."""
