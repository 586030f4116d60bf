"""Run the command line with ``python -m outcomes``."""

from outcomes.cli import main

main()
