"""The PlatformIO development platform names PyPI's SCons as PlatformIO's registry would."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from types import ModuleType

import pytest
import semantic_version
from firmware_host import FIRMWARE
from platformio.dependencies import get_core_dependencies
from platformio.package.meta import PackageSpec


@pytest.fixture(scope="module")
def platform() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tinyltc_platform", FIRMWARE / "platform" / "platform.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("scons", "registry"), [("4.11.1", "4.41101.0"), ("4.8.0", "4.40800.0")])
def test_versions(platform: ModuleType, scons: str, registry: str) -> None:
    assert platform.registry_version(scons) == registry


def test_the_installed_scons_is_the_one_that_the_installed_platformio_wants(platform: ModuleType) -> None:
    wanted = PackageSpec(owner="platformio", name="tool-scons", requirements=get_core_dependencies()["tool-scons"])
    have = platform.registry_version(importlib.metadata.version("scons"))
    assert semantic_version.Version(have) in wanted.requirements
