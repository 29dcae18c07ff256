"""As the command line does, no search for cycles after every few hundred objects."""

from __future__ import annotations

import gc

from savelint import cli

gc.set_threshold(*cli.COLLECTION)
