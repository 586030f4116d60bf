"""Fetch the basic bundle of plotly.js, check it and put it beside the report's own assets.

The bundle makes each page a third of the size. It is not committed: reports use it where it is
and the full bundle of the installed plotly package otherwise. Needs npm.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "plotly.js-basic-dist-min@4.1.1"
MEMBER = "package/plotly-basic.min.js"
SHA256 = "99784e3abfb07b142a15e521a439e6d9addceadb3f79553fd24c72774f0649ba"
TARGET = Path(__file__).parent.parent / "reports" / "assets" / "plotly-basic.min.js"


def main() -> int:
    """Write the bundle; return 1 where it does not match."""
    if TARGET.is_file() and hashlib.sha256(TARGET.read_bytes()).hexdigest() == SHA256:
        return 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as tar:
            member = tar.extractfile(MEMBER)
            content = b"" if member is None else member.read()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        print(f"{PACKAGE}: sha256 {found}, expected {SHA256}; nothing written", file=sys.stderr)
        return 1
    TARGET.write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
