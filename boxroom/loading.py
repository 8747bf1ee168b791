"""Loading much of the program at once, as every command does when it begins."""

from __future__ import annotations

import gc
import importlib
import sys
from types import ModuleType


def load(name: str) -> ModuleType:
    """Import a module and all that it needs. What is loaded stays, so the garbage collector is kept from looking
    through it again and again, which would take a fifth of the start.
    """
    if name in sys.modules:
        return sys.modules[name]
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
