"""The one exception of a user's mistake: its message says what was found, what was expected, and the way out."""


class InputError(ValueError):
    """A scene, polygon file, setting or parameter that cannot be used as it is.

    The command line prints the message alone, without a traceback.
    """
