"""Write `gates.json`: what tells whether a file needs a rule, so that few are imported.

python tests/gates.py
"""

from __future__ import annotations

import json
from pathlib import Path

from savelint import rules

TARGET = Path(rules.__file__).with_name(rules.GATES)


def document() -> str:
    """The text of the file, one rule a line."""
    lines = (f"  {json.dumps(r.code)}: {json.dumps(rules.gates(r))}" for r in rules.RULES)
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
