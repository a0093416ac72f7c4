#!/bin/sh
# Makes a virtual environment that whoever looks for it finds whole or not at all.
#
#   venv.sh PYTHON FOLDER ARGUMENTS-OF-PIP-INSTALL...
#
# It is made beside FOLDER, with the stamp `ready` in it, and renamed: of several that make the same one at once, the
# first is kept. A folder without the stamp is what an installation that was cut short has left.
set -eu
python=$1 folder=$2
shift 2
mkdir -p "$(dirname "$folder")"
new=$folder.$$
trap 'rm -rf "$new"' EXIT
trap 'exit 1' HUP INT TERM
"$python" -m venv "$new"
"$new/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
touch "$new/ready"
"$new/bin/python" - "$new" "$folder" <<'MOVE'
import os
import shutil
import sys
from pathlib import Path

new, folder = map(Path, sys.argv[1:])
for script in (new / "bin").iterdir():
    # Scripts begin with the path of their interpreter.
    if script.is_file() and not script.is_symlink() and (text := script.read_bytes())[:2] == b"#!":
        script.write_bytes(text.replace(bytes(new), bytes(folder)))
if folder.exists() and not (folder / "ready").exists():
    shutil.rmtree(folder)
try:
    os.rename(new, folder)
except OSError:
    if not (folder / "ready").exists():
        raise
MOVE
