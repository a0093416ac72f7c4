"""Writes what is said about the configuration keys: `Pulumi.example.yaml` and the table in `README.md`.

Run it after a change in `lib/keys.py`; a test fails until then.  The program itself never uses it.
"""

import json
import re
import textwrap
from pathlib import Path

from lib.keys import KEYS, Key
from lib.settings import PROJECT

HERE = Path(__file__).parent
BEGIN, END = "<!-- keys -->\n", "<!-- /keys -->\n"


def _default(key: Key[object]) -> str:
    if key.default is not None:
        return f"`{key.default}`"
    return key.default_words or ("**required**" if key.required else "none")


def table() -> str:
    """The keys as a Markdown table."""
    rows = [f"| `{key.name}` | {_default(key)} | {key.meaning} |" for key in KEYS]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *rows]) + "\n"


def example() -> str:
    """A stack configuration that loads, with every key explained; what may be left out is commented out."""
    lines = [
        "# Configuration of a stack called `example`: copy it to Pulumi.STACK.yaml and put your own values in.",
        "# Written by reference.py from lib/keys.py.",
        "config:",
    ]
    for key in KEYS:
        words = f"{key.meaning} (default: {_default(key)})" if not key.required else key.meaning
        lines.extend(textwrap.wrap(words, 110, initial_indent="  # ", subsequent_indent="  # ", break_on_hyphens=False))
        needed = key.required or key.name == "hostedZoneId"
        lines.append(f"  {'' if needed else '# '}{PROJECT}:{key.name}: {json.dumps(key.example)}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Rewrites both files."""
    (HERE / "Pulumi.example.yaml").write_text(example(), encoding="utf-8")
    readme = HERE / "README.md"
    old = readme.read_text(encoding="utf-8")
    new = re.sub(f"{BEGIN}.*?{END}", lambda _: BEGIN + table() + END, old, flags=re.DOTALL)
    readme.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
