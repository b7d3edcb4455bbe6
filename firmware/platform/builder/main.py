"""SCons script of the platform, run by PlatformIO: how sources become firmware.elf (see toolchain/build.py)."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

from SCons.Script import AlwaysBuild, Default, DefaultEnvironment

env = DefaultEnvironment()


def option(name: str) -> str:
    """Return the project option ``custom_<name>`` of platformio.ini."""
    return str(env.GetProjectOption(f"custom_{name}", "")).strip()


GNU = "arm-none-eabi-"
FIRMWARE = Path(env.subst("$PROJECT_DIR"))
GENERATED = option("generated")
ENGINE = option("engine")
FLAGS = tomllib.loads((FIRMWARE / "platform" / "flags.toml").read_text())

env.Replace(
    AR=f"{GNU}gcc-ar",
    AS=f"{GNU}gcc",
    CC=f"{GNU}gcc",
    CXX=f"{GNU}g++",
    LINK=f"{GNU}g++" if ENGINE == "tflm" else f"{GNU}gcc",
    RANLIB=f"{GNU}gcc-ranlib",
    SIZETOOL=None,
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
    LDSCRIPT_PATH=option("linker_script"),
)
env.Append(
    CPPPATH=[str(FIRMWARE), GENERATED, str(FIRMWARE / "engine" / ENGINE)],
    CCFLAGS=[
        *FLAGS["machine"],
        *FLAGS["compile"],
        # Frames and calls of every function, as -fstack-usage gives them: toolchain/stack.py bounds the stack.
        "-fcallgraph-info=su",
        # No path of this machine in the image: the same sources give the same bytes anywhere.
        f"-ffile-prefix-map={FIRMWARE}=firmware",
        f"-ffile-prefix-map={GENERATED}=generated",
    ],
    CFLAGS=FLAGS["c"],
    CXXFLAGS=FLAGS["cxx"],
    LINKFLAGS=[
        *FLAGS["machine"],
        *FLAGS["link"],
        '-Wl,-Map="$BUILD_DIR/firmware.map"',
    ],
)

objects = [env.BuildSources(str(Path("$BUILD_DIR", "generated")), GENERATED)]
if ENGINE == "tflm":
    # Headers of others are not held to this project's warnings.
    env.Append(
        CPPDEFINES=FLAGS["tflm"]["defines"],
        CCFLAGS=[flag for folder in option("tflm_includes").split(os.pathsep) for flag in ("-isystem", folder)],
        LIBS=[env.File(option("tflm_library")), "m"],
    )

program = env.BuildProgram()
AlwaysBuild(env.Alias("buildprog", program))
Default(program)


def upload(target, source, env):  # type: ignore[no-untyped-def]
    """`pio run -t upload` is `tinyltc flash`: it builds as well, adds the model, and proves what it did."""
    run = Path(GENERATED).parent
    command = [sys.executable, "-m", "toolchain.cli", "flash", "--run", run.name, "--engine", ENGINE]
    command += ["--board", str(env["BOARD"])]
    if port := env.get("UPLOAD_PORT"):
        command += ["--port", str(port)]
    # The command looks for runs/ where it stands, and this process for the package where this file lies.
    paths = [str(FIRMWARE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run(command, cwd=run.parent.parent, env=environment, check=False).returncode


AlwaysBuild(env.Alias("upload", None, env.Action(upload, None)))
