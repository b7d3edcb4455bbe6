"""SCons script of the platform, run by PlatformIO: how sources become firmware.elf (see toolchain/build.py)."""

import os
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
# The FPU's registers carry float arguments; fused multiply-add would change the bits of docs/SPEC.md, 2.
MACHINE = ["-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"]

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
        *MACHINE,
        "-O2",
        "-g",
        "-ffp-contract=off",
        "-ffunction-sections",
        "-fdata-sections",
        # Frames and calls of every function, as -fstack-usage gives them: toolchain/stack.py bounds the stack.
        "-fcallgraph-info=su",
        "-Wall",
        "-Wextra",
        "-Wconversion",
        "-Werror",
        # No path of this machine in the image: the same sources give the same bytes anywhere.
        f"-ffile-prefix-map={FIRMWARE}=firmware",
        f"-ffile-prefix-map={GENERATED}=generated",
    ],
    CFLAGS=["-std=c11"],
    CXXFLAGS=["-std=c++17", "-fno-rtti", "-fno-exceptions", "-fno-threadsafe-statics"],
    LINKFLAGS=[
        *MACHINE,
        "-O2",
        "-nostartfiles",
        "--specs=nano.specs",
        "-Wl,--gc-sections",
        "-Wl,--fatal-warnings",
        '-Wl,-Map="$BUILD_DIR/firmware.map"',
    ],
)

objects = [env.BuildSources(str(Path("$BUILD_DIR", "generated")), GENERATED)]
if ENGINE == "tflm":
    # As TFLM's own Makefile builds the library: the first of these changes the layout of TfLiteTensor. Headers of
    # others are not held to this project's warnings.
    env.Append(
        CPPDEFINES=["TF_LITE_STATIC_MEMORY", "TF_LITE_STRIP_ERROR_STRINGS", "NDEBUG"],
        CCFLAGS=[flag for folder in option("tflm_includes").split(os.pathsep) for flag in ("-isystem", folder)],
        LIBS=[env.File(option("tflm_library")), "m"],
    )

program = env.BuildProgram()
AlwaysBuild(env.Alias("buildprog", program))
Default(program)
