"""PlatformIO development platform that fetches nothing.

PlatformIO Core wants the package ``platformio/tool-scons`` of its registry. When it is not there and this Python has
the SCons of PyPI, two files that import it are installed under that name, with the version number that PlatformIO's
registry gives to that SCons (4.11.1 is 4.41101.0). PlatformIO then checks the version itself. Any other SCons is left
alone: PlatformIO says what it wants, or fetches it where its registry is in reach.
"""

from __future__ import annotations

import importlib.metadata
import json
import tempfile
from pathlib import Path

import semantic_version
from platformio.dependencies import get_core_dependencies
from platformio.package.manager.tool import ToolPackageManager
from platformio.package.meta import PackageSpec
from platformio.platform.base import PlatformBase

NAME = "tool-scons"
LAUNCHER = """# Runs the SCons that this Python has from PyPI.
import SCons.Script

if __name__ == "__main__":
    SCons.Script.main()
"""


def registry_version(scons: str) -> str:
    """Return the version that PlatformIO's registry gives to SCons ``scons``: 4.11.1 is 4.41101.0."""
    major, minor, patch = (int(part) for part in scons.split(".")[:3])
    return f"4.{major}{minor:02d}{patch:02d}.0"


def provide_scons() -> None:
    """Install the stand-in for tool-scons unless a package that satisfies PlatformIO is there or none can be made."""
    manager = ToolPackageManager()
    wanted = PackageSpec(owner="platformio", name=NAME, requirements=get_core_dependencies()[NAME])
    if manager.get_package(wanted):
        return
    try:
        version = registry_version(importlib.metadata.version("scons"))
    except importlib.metadata.PackageNotFoundError:
        return
    if semantic_version.Version(version) not in wanted.requirements:
        return
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / NAME
        package.mkdir()
        manifest = {"name": NAME, "version": version, "description": "SCons of PyPI", "license": "MIT", "system": "*"}
        (package / "package.json").write_text(json.dumps(manifest))
        (package / "scons.py").write_text(LAUNCHER)
        manager.install(PackageSpec(owner="platformio", name=NAME, uri=package.as_uri()))


class TinyltcPlatform(PlatformBase):
    """Found by PlatformIO by its name: the platform's, capitalized."""

    def is_embedded(self) -> bool:
        """`upload` is `tinyltc flash` (builder/main.py), so PlatformIO need not look for an upload protocol."""
        return False

    def configure_default_packages(self, options, targets):  # type: ignore[no-untyped-def]
        """Run before PlatformIO looks for its packages."""
        provide_scons()
        return super().configure_default_packages(options, targets)
