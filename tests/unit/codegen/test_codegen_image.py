"""Model images: what Python builds the C reads, and both refuse the same damage with the same status."""

from __future__ import annotations

import ctypes
import hashlib
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from codegen_runs import Made

from toolchain.codegen import image as model_image
from toolchain.codegen.hostlib import FIRMWARE, FLAGS, aligned_copy, include_flags, sources
from toolchain.codegen.image import HEADER, SECTION, ImageError, Status, build, parse
from toolchain.codegen.topology import Topology
from toolchain.int8.reference import Int8Reference
from toolchain.ltc.step import rate_tables

HERE = Path(__file__).parent


class Images:
    """The C's verdict and Python's on the same bytes."""

    def __init__(self, made: Made) -> None:
        self.made = made
        self.library = made.library()
        self.host = ctypes.create_string_buffer(self.library.tl_host_bytes())
        self.lsb = made.spec.acc_lsb, made.spec.gyro_lsb
        self.good = made.image
        self.sections = {
            tag: (offset, size)
            for tag, offset, size in (
                SECTION.unpack_from(self.good, HEADER.size + SECTION.size * i)
                for i in range(struct.unpack_from("<I", self.good, 76)[0])
            )
        }

    def in_c(self, data: bytes) -> Status:
        memory = aligned_copy(data)
        status = self.library.tl_host_open(self.host, memory.ctypes.data, len(data), *self.lsb)
        assert status < 256, "the engine must not meet an image that is damaged"
        return Status(status)

    def in_python(self, data: bytes) -> Status:
        try:
            parse(data, self.made.topology, *self.lsb)
        except ImageError as reason:
            return reason.status
        return Status.OK

    def both(self, data: bytes) -> Status:
        status = self.in_c(data)
        assert self.in_python(data) == status
        return status

    def patched(self, offset: int, new: bytes) -> bytes:
        """The good image with other bytes at ``offset`` and a right hash."""
        return reseal(self.good[:offset] + new + self.good[offset + len(new) :])


def reseal(data: bytes) -> bytes:
    return model_image.seal(data[:-32])


@pytest.fixture(scope="module")
def images(small: Made) -> Images:
    return Images(small)


def test_round_trip(images: Images) -> None:
    made = images.made
    reference = Int8Reference(made.spec, made.tflite)
    read = parse(images.good, made.topology, *images.lsb)
    assert build(read) == images.good
    assert images.both(images.good) == Status.OK
    assert read.labels == tuple(made.spec.classes)
    assert read.decision == made.spec.decision
    assert read.multipliers.tolist() == made.spec.int8.prepare_multiplier
    assert read.rate_table.tobytes() == rate_tables(made.spec)[:1].tobytes()
    assert np.float32(read.inv_scale) == np.float32(1 / reference.network.state_scale)
    assert (read.tflite, len(read.kernels)) == (None, made.topology.kern_bytes)
    tflm = parse(made.tflm.image.read_bytes(), made.topology, *images.lsb)
    assert (tflm.tflite, tflm.kernels) == (made.tflite, None)


def test_layout_is_that_of_the_specification(images: Images) -> None:
    data = images.good
    assert data[:8] == b"TLTCMDL1"
    assert struct.unpack_from("<HHI", data, 8) == (3, 128, len(data))
    topology = b"tinyltc-topology-1;inputs=6;units=8,16,5;outputs=3;solver=semi_implicit;layout=4"
    assert data[16:24] == hashlib.sha256(topology).digest()[:8]
    assert struct.unpack_from("<12H", data, 24) == (6, 3, 3, 0, 8, 16, 5, 0, 0, 0, 0, 0)
    assert data[68:72] == np.float32(images.lsb[0]).tobytes()
    assert list(images.sections) == [b"PREP", b"TAUR", b"DECI", b"LABL", b"KERN"]
    assert all(offset % 16 == 0 for offset, _ in images.sections.values())
    start, size = images.sections[b"LABL"]
    assert data[start : start + size] == b"none\0gesture 1\0gesture 2\0"
    assert set(data[start + size : images.sections[b"KERN"][0]]) <= {0xFF}
    assert data[-32:] == hashlib.sha256(data[:-32]).digest()


def test_an_erased_slot_and_a_larger_slot(images: Images) -> None:
    assert images.both(b"\xff" * 4096) == Status.ERASED
    assert images.both(b"\xff" * 4095 + b"\0") == Status.MAGIC
    assert images.both(images.good + b"\xff" * 4096) == Status.OK


def test_every_truncation(images: Images) -> None:
    for size in (*range(0, 400), *range(400, len(images.good), 37), len(images.good) - 1):
        assert images.both(images.good[:size]) == Status.SIZE


def test_a_flipped_bit_is_noticed_wherever_it_is(images: Images) -> None:
    """Without a new hash only the fields before it are looked at."""
    early = {**dict.fromkeys(range(8), Status.MAGIC), 8: Status.VERSION, 9: Status.VERSION}
    early |= dict.fromkeys(range(10, 12), Status.SIZE)
    for at in (*range(10), 10, 11, *range(16, 300), *range(300, len(images.good), 101)):
        damaged = bytearray(images.good)
        damaged[at] ^= 1 << at % 8
        assert images.both(bytes(damaged)) == early.get(at, Status.HASH), at


def test_every_bit_of_header_table_and_small_sections_with_a_new_hash(images: Images) -> None:
    """The later checks, reached by a right hash: whatever the bit does, C and Python agree."""
    small = [images.sections[tag] for tag in (b"PREP", b"DECI", b"LABL")]
    table = HEADER.size + SECTION.size * len(images.sections)
    places = [*range(table), *(at for start, size in small for at in range(start, start + size))]
    seen = set()
    for at in places:
        for bit in range(8):
            seen.add(images.both(images.patched(at, bytes([images.good[at] ^ 1 << bit]))))
    assert seen == set(Status) - {Status.ERASED}


F32 = struct.Struct("<f").pack
U32 = struct.Struct("<I").pack
I32 = struct.Struct("<i").pack
NOT_POSITIVE = [F32(value) for value in (0.0, -0.0, -1.0, np.nan, np.inf, -np.inf, -np.nan)]


@pytest.mark.parametrize(
    ("offset", "values", "status"),
    [
        (16, [b"\0" * 8], Status.TOPOLOGY),
        (24, [b"\5\0"], Status.FIELD),
        (26, [b"\2\0", b"\0\0", b"\xff\xff"], Status.FIELD),
        (28, [b"\4\0"], Status.FIELD),
        (30, [b"\1\0", b"\2\0"], Status.FIELD),
        (38, [b"\1\0"], Status.FIELD),
        (48, NOT_POSITIVE, Status.FIELD),
        (52, NOT_POSITIVE, Status.FIELD),
        (56, [*NOT_POSITIVE, F32(1.5)], Status.FIELD),
        (60, [U32(0), U32(1 << 24), U32(2**32 - 1)], Status.FIELD),
        (64, [U32(0), U32(1 << 24)], Status.FIELD),
        (68, NOT_POSITIVE, Status.FIELD),
        (72, NOT_POSITIVE, Status.FIELD),
        (68, [F32(0.5)], Status.BOARD),
        (72, [F32(0.5)], Status.BOARD),
        (76, [U32(0), U32(17), U32(2**32 - 1), U32(357913942)], Status.SECTION),
        (80, [*NOT_POSITIVE, F32(2.0**-64), F32(1.0000001)], Status.FIELD),
        (84, [b"\1"], Status.FIELD),
        (127, [b"\1"], Status.FIELD),
    ],
)
def test_header_fields(images: Images, offset: int, values: list[bytes], status: Status) -> None:
    for value in values:
        assert images.both(images.patched(offset, value)) == status


@pytest.mark.parametrize(
    ("tag", "offset", "values"),
    [
        (b"PREP", 0, [I32(0), I32(-1), I32(32768)]),
        (b"PREP", 20, [I32(0), I32(2**31 - 1)]),
        (b"DECI", 0, [I32(-2), I32(3), I32(2**31 - 1)]),
        (b"DECI", 4, [U32(1 << 20), U32(2**32 - 1)]),
        (b"DECI", 8, [U32(1 << 30)]),
        (b"DECI", 16, [U32(1 << 30)]),
        (b"DECI", 20, [I32(-1), I32(1 << 24)]),
        (b"DECI", 28, [I32(-1), I32(1 << 24)]),
    ],
)
def test_section_fields(images: Images, tag: bytes, offset: int, values: list[bytes]) -> None:
    for value in values:
        assert images.both(images.patched(images.sections[tag][0] + offset, value)) == Status.FIELD
    assert images.both(images.patched(images.sections[b"DECI"][0], I32(-1))) == Status.OK  # no background


def test_section_table(images: Images) -> None:
    size = len(images.good)
    for index, (_tag, (offset, length)) in enumerate(images.sections.items()):
        entry = HEADER.size + SECTION.size * index
        for wrong in (offset + 1, offset + 4, 0, 16, size, size - 32, 2**32 - 16):
            assert images.both(images.patched(entry + 4, U32(wrong))) == Status.SECTION
        for wrong in (length + 1, length - 1, 0, size, 2**32 - 1, 2**32 - offset):
            assert images.both(images.patched(entry + 8, U32(wrong))) == Status.SECTION
        assert images.both(images.patched(entry, b"XXXX")) == Status.SECTION
        assert images.both(images.patched(entry, b"PREP" if index else b"TAUR")) == Status.SECTION


def with_empty_sections(images: Images, count: int) -> bytes:
    """The good image with empty sections of new tags after its own."""
    own = list(images.sections.items())
    shift = -(-SECTION.size * count // 16) * 16
    table = b"".join(SECTION.pack(tag, offset + shift, size) for tag, (offset, size) in own)
    end = len(images.good) - 32 + shift
    table += b"".join(SECTION.pack(b"X%03d" % i, end, 0) for i in range(count))
    body = images.good[own[0][1][0] : -32]
    header = bytearray(images.good[: HEADER.size])
    struct.pack_into("<I", header, 12, end + 32)
    struct.pack_into("<I", header, 76, len(own) + count)
    return model_image.seal((bytes(header) + table).ljust(end - len(body), b"\xff") + body)


def test_sixteen_sections_and_no_more(images: Images) -> None:
    for count in (0, 1, 11):
        assert images.both(with_empty_sections(images, count)) == Status.OK
    for count in (12, 20):
        assert images.both(with_empty_sections(images, count)) == Status.SECTION


def test_labels(images: Images) -> None:
    start, size = images.sections[b"LABL"]
    for names in (b"none\0gesture 1\0gesture 2x", b"none\0gesture 1xgesture 2\0", b"\0" * size, b"x" * size):
        assert images.both(images.patched(start, names)) == Status.SECTION
    read = parse(images.good, images.made.topology, *images.lsb)
    for longest, status in ((31, Status.OK), (32, Status.SECTION)):
        changed = model_image.ModelImage(**{**vars(read), "labels": ("none", "ü" * 15 + "u" * (longest - 30), "")})
        if status == Status.OK:
            assert images.both(build(changed)) == status
        else:
            with pytest.raises(ImageError, match="LABL"):
                build(changed)


def test_an_unknown_section_is_skipped(images: Images) -> None:
    """A tag of a later minor addition must not stop this firmware: only what it needs is asked for."""
    read = parse(images.good, images.made.topology, *images.lsb)
    both = build(model_image.ModelImage(**{**vars(read), "tflite": images.made.tflite}))
    assert images.both(both) == Status.OK
    for index, tag in ((5, b"TFLT"), (4, b"KERN")):
        entry = HEADER.size + SECTION.size * index
        assert both[entry : entry + 4] == tag
        both = reseal(both[:entry] + b"NEW%d" % index + both[entry + 4 :])
        assert images.both(both) == (Status.OK if tag == b"TFLT" else Status.SECTION)  # the last weights are gone


def test_other_topology_other_board(images: Images, two: Made) -> None:
    assert images.both(two.image) == Status.TOPOLOGY
    with pytest.raises(ImageError, match="BOARD") as caught:
        parse(images.good, images.made.topology, images.lsb[0] * 2, images.lsb[1])
    assert caught.value.status == Status.BOARD
    assert caught.value.hint


def test_capacity_limits_what_is_read(images: Images) -> None:
    with pytest.raises(ImageError, match="SIZE"):
        parse(images.good, images.made.topology, *images.lsb, capacity=len(images.good) - 4)


def test_every_status_has_its_own_sentence(images: Images) -> None:
    texts = [images.library.tl_model_status_text(status).decode() for status in Status]
    assert len(set(texts)) == len(Status)
    assert all(text.endswith(".") for text in texts)


def test_python_refuses_to_build_what_nobody_reads(images: Images) -> None:
    read = parse(images.good, images.made.topology, *images.lsb)
    for change in ({"rate_hz": -1.0}, {"dt_max_us": 1 << 24}, {"kernels": None}, {"kernels": b"x"}, {"labels": ("a",)}):
        with pytest.raises(ImageError):
            build(model_image.ModelImage(**{**vars(read), **change}))


def test_fuzz_under_sanitizers(images: Images, tmp_path: Path) -> None:
    """Random damage with a right hash, in memory of exactly the slot's size: no bad access, no overflow, ever."""
    made = images.made
    program = tmp_path / "fuzz_model"
    command = [
        "cc",
        *(flag for flag in FLAGS if flag != "-O2"),
        *("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
        *include_flags(made.generated, "compiled"),
        str(HERE / "fuzz_model.c"),
        *(str(file) for file in sources(made.generated, "compiled") if file.parent != FIRMWARE / "host"),
        *("-o", str(program)),
    ]
    subprocess.run(command, check=True, capture_output=True)
    good = tmp_path / "good.bin"
    good.write_bytes(images.good)
    lsb = [f"0x{struct.unpack('<I', F32(value))[0]:08x}" for value in images.lsb]
    done = subprocess.run([program, good, *lsb, "6000"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    counts = dict(zip(Status, map(int, done.stdout.split()), strict=True))
    assert sum(counts.values()) == 6000
    missing = {status for status, count in counts.items() if not count}
    assert missing == {Status.ERASED}


def test_topology_bounds() -> None:
    from toolchain.errors import ModelError

    for shape in (
        {"units": ()},
        {"units": (1,) * 9},
        {"units": (0,)},
        {"units": (257,)},
        {"outputs": 1},
        {"outputs": 33},
        {"kind": "score"},
    ):
        with pytest.raises(ModelError):
            Topology(**{"inputs": 6, "units": (4,), "outputs": 2, **shape})
