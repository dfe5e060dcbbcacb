#!/usr/bin/env python3
"""Quotes functions in documentation pages. After a line `<!-- quote: FILE FUNCTION -->` stands a cpp block with the
definition of FUNCTION as FILE has it, from its first line to the closing brace in the first column.

    scripts/quote.py            writes the blocks anew
    scripts/quote.py --check    changes nothing; says which pages are out of date, exit 1 if there are any
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MARKED = re.compile(r"^(<!-- quote: (\S+) (\w+) -->\n)(?:```cpp\n.*?^```\n)?", re.M | re.S)


def definition(file, function):
    """The text of the one function of that name that is defined in a file."""
    begin = rf"^\w[^\n;{{}}]*\b{function}\("
    found = re.findall(rf"{begin}[^;{{}}]*\{{\n.*?^\}}\n", (ROOT / file).read_text(), re.M | re.S)
    if len(found) != 1:
        sys.exit(f"{file} has {len(found)} definitions of {function}")
    return found[0]


def main(check):
    stale = 0
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = page.read_text()
        fresh = MARKED.sub(lambda m: f"{m[1]}```cpp\n{definition(m[2], m[3])}```\n", text)
        if fresh == text:
            continue
        stale += 1
        print(f"{page.relative_to(ROOT)} {'is out of date' if check else 'written'}")
        if not check:
            page.write_text(fresh)
    return 1 if check and stale else 0


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    sys.exit(main(check=bool(sys.argv[1:])))
