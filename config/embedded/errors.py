"""What can go wrong with the embedded services, in words for the person at the terminal."""


class EmbeddedError(RuntimeError):
    """An embedded service cannot be started or reached; the message says why and what to do."""
