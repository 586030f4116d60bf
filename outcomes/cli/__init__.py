"""The command line."""

from outcomes.cli.app import main

__all__ = ["main"]
