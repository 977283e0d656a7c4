"""Record linkage and master patient index for a city."""

__version__ = "0.1.0"
