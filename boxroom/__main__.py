"""``python -m boxroom``: the command line."""

from __future__ import annotations

from boxroom.cli import main

if __name__ == "__main__":
    main()
