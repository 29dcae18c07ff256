"""`python -m savelint`."""

from savelint.cli import main

main()
