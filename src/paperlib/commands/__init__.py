"""The commands of `paperlib`, one subject a module; everything slow is imported inside a command."""
