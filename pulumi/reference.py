"""Writes what is said about the configuration keys: `Pulumi.example.yaml` and both tables in `README.md`.

Run it after a change in `lib/keys`; a test fails until then.  The program itself never uses it.
"""

import json
import re
import textwrap
from pathlib import Path

from lib.keys import KEYS, Key
from lib.settings import PROJECT

HERE = Path(__file__).parent
KEYS_PLACE, CHANGES_PLACE = "keys", "changes"


def _default(key: Key[object]) -> str:
    if key.default is not None:
        return f"`{key.default}`"
    return key.default_words or ("**required**" if key.required else "none")


def table() -> str:
    """The keys as a Markdown table."""
    rows = [f"| `{key.name}` | {_default(key)} | {key.meaning} |" for key in KEYS]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *rows]) + "\n"


def changes() -> str:
    """What a changed value does to a stack that runs, as a Markdown table."""
    rows = [f"| `{key.name}` | {key.change.value} | {key.later} |" for key in KEYS]
    return "\n".join(["| key | a change | to know |", "|---|---|---|", *rows]) + "\n"


def example() -> str:
    """A stack configuration that loads, with every key explained; what may be left out is commented out."""
    lines = [
        "# Configuration of a stack called `example`: copy it to Pulumi.STACK.yaml and put your own values in.",
        "# Written by reference.py from lib/keys.",
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
    text = readme.read_text(encoding="utf-8")
    for place, written in ((KEYS_PLACE, table()), (CHANGES_PLACE, changes())):
        begin, end = f"<!-- {place} -->\n", f"<!-- /{place} -->\n"
        text = re.sub(f"{begin}.*?{end}", f"{begin}{written}{end}".replace("\\", "\\\\"), text, flags=re.DOTALL)
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
