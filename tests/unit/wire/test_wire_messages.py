"""Every message, encoded on one end and decoded on the other."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolchain.wire import messages as m

Fixture = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
u8, u16, u32 = st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF)
u64 = st.integers(0, 2**64 - 1)
i8, i16, i32 = st.integers(-128, 127), st.integers(-(2**15), 2**15 - 1), st.integers(-(2**31), 2**31 - 1)


def names(size: int) -> st.SearchStrategy[str]:
    """Text that fills at most ``size`` bytes and holds no NUL."""
    letters = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
    return st.text(letters, max_size=size).filter(lambda text: len(text.encode()) <= size)


hellos = st.builds(
    m.Hello, u8, u8, u8, u8, names(24), names(16), st.binary(min_size=32, max_size=32), u32, u32, u16, u16, u16, u16
).map(lambda h: m.Hello(1, *[getattr(h, f) for f in h.__slots__[1:]]))
samples = st.integers(1, 9).flatmap(
    lambda n: st.builds(
        m.Sample,
        u32,
        st.lists(u32, min_size=n, max_size=n).map(tuple),
        st.lists(st.tuples(i16, i16, i16, i16, i16, i16), min_size=n, max_size=n).map(tuple),
    )
)
steps = st.builds(m.Step, u32, u32, st.booleans(), st.booleans(), u8, i32, u32, st.lists(i8, max_size=32).map(tuple))
decisions = st.builds(m.Decision, u32, u8, i32, u64)
timings = st.builds(m.Timing, u32, u32, st.tuples(u32, u32, u32, u32, u32), u32, u32)
healths = st.builds(m.Health, *[u32] * 17)
logs = st.builds(m.Log, st.integers(0, 2), names(227))
firmwares = st.builds(m.Firmware, u32, st.binary(min_size=32, max_size=32))
acks = st.builds(m.Ack, u16, st.sampled_from(m.AckStatus))
requests = st.one_of(
    st.just(m.GetHello()),
    st.just(m.GetHealth()),
    st.just(m.GetFirmware()),
    st.builds(m.SetStreams, st.integers(0, 7).map(m.Stream)),
    st.builds(m.Ping, st.binary(max_size=32)),
)


class CHello(ctypes.Structure):
    _fields_ = [
        *[(name, ctypes.c_uint8) for name in ("model_status", "engine", "imu_status")],
        ("board", ctypes.c_char_p),
        ("firmware", ctypes.c_char_p),
        ("model_sha256", ctypes.c_char_p),
        ("clock_hz", ctypes.c_uint32),
        ("rate_mhz", ctypes.c_uint32),
        *[(name, ctypes.c_uint16) for name in ("inputs", "outputs", "states", "engine_ram")],
    ]


class CStep(ctypes.Structure):
    _fields_ = [
        ("index", ctypes.c_uint32),
        ("delta_us", ctypes.c_uint32),
        ("reset", ctypes.c_bool),
        ("fired", ctypes.c_bool),
        ("winner", ctypes.c_uint8),
        ("margin", ctypes.c_int32),
        ("state_crc", ctypes.c_uint32),
        ("outputs", ctypes.c_uint8),
        ("y", ctypes.POINTER(ctypes.c_int8)),
    ]


class CTiming(ctypes.Structure):
    _fields_ = [
        ("index", ctypes.c_uint32),
        ("burst_us", ctypes.c_uint32),
        ("cycles", ctypes.c_uint32 * 5),
        ("decision_us", ctypes.c_uint32),
        ("command_us", ctypes.c_uint32),
    ]


class CRequest(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_uint8), ("sequence", ctypes.c_uint16), ("stream_mask", ctypes.c_uint8)]


def _c_encode(library: ctypes.CDLL, body: m.Body, time_us: int) -> bytes:
    """Encode with the firmware's function."""
    out = ctypes.create_string_buffer(b"\xa5" * 256, 256)
    when, byte, long, word = ctypes.c_uint64(time_us), ctypes.c_uint8, ctypes.c_uint32, ctypes.c_int32
    match body:
        case m.Hello():
            text = (body.board.encode(), body.firmware.encode(), body.model_sha256)
            numbers = (body.clock_hz, body.rate_mhz, body.inputs, body.outputs, body.states, body.engine_ram)
            hello = CHello(body.model_status, body.engine, body.imu_status, *text, *numbers)
            size = library.tl_message_hello(out, when, ctypes.byref(hello))
        case m.Sample():
            count = len(body.codes)
            stamps = (ctypes.c_uint64 * count)(*[(time_us - before) % 2**64 for before in body.before_us])
            codes = (ctypes.c_int16 * (6 * count))(*[code for row in body.codes for code in row])
            size = library.tl_message_sample(out, when, long(body.index), stamps, codes, byte(count))
        case m.Step():
            y = (ctypes.c_int8 * 32)(*body.y)
            fixed = (body.index, body.delta_us, body.reset, body.fired, body.winner, body.margin, body.state_crc)
            step = CStep(*fixed, len(body.y), ctypes.cast(y, ctypes.POINTER(ctypes.c_int8)))
            size = library.tl_message_step(out, when, ctypes.byref(step))
        case m.Decision():
            args = (long(body.index), byte(body.winner), word(body.margin), ctypes.c_uint64(body.stamp_us))
            size = library.tl_message_decision(out, when, *args)
        case m.Timing():
            cycles = (ctypes.c_uint32 * 5)(*body.cycles)
            timing = CTiming(body.index, body.burst_us, cycles, body.decision_us, body.command_us)
            size = library.tl_message_timing(out, when, ctypes.byref(timing))
        case m.Health():
            words = (ctypes.c_uint32 * 17)(*[getattr(body, name) for name in body.__slots__])
            size = library.tl_message_health(out, when, words)
        case m.Log():
            size = library.tl_message_log(out, when, body.severity, body.text.encode())
        case m.Firmware():
            size = library.tl_message_firmware(out, when, long(body.size), body.sha256)
        case m.Ack():
            size = library.tl_message_ack(out, when, ctypes.c_uint16(body.answered), int(body.status))
        case _:
            raise AssertionError(body)
    assert size <= 240
    assert out.raw[size:] == b"\xa5" * (256 - size), "wrote beyond the payload"
    return out.raw[:size]


@Fixture
@given(
    body=st.one_of(hellos, samples, steps, decisions, timings, healths, logs, acks, firmwares),
    time_us=u64,
    sequence=u16,
)
def test_device_to_host(library, body: m.Body, time_us: int, sequence: int) -> None:
    payload = ctypes.create_string_buffer(_c_encode(library, body, time_us))
    library.tl_message_set_sequence(payload, ctypes.c_uint16(sequence))
    assert payload.raw[:-1] == m.encode(body, sequence, time_us)
    assert m.decode(payload.raw[:-1]) == m.Message(sequence, time_us, body)


def _c_decode(library: ctypes.CDLL, payload: bytes) -> tuple[int, CRequest]:
    request = CRequest()
    status = library.tl_request_decode(ctypes.byref(request), payload, ctypes.c_size_t(len(payload)))
    return status, request


@Fixture
@given(body=requests, sequence=u16)
def test_host_to_device(library, body: m.Request, sequence: int) -> None:
    status, request = _c_decode(library, m.encode(body, sequence))
    assert status == m.AckStatus.DONE
    assert (request.kind, request.sequence) == (body.KIND, sequence)
    assert request.stream_mask == (body.mask if isinstance(body, m.SetStreams) else 0)
    assert m.decode(m.encode(body, sequence)) == m.Message(sequence, 0, body)


@Fixture
@given(kind=u8, version=u8, body=st.binary(max_size=228))
def test_both_ends_refuse_the_same_requests(library, kind: int, version: int, body: bytes) -> None:
    payload = bytes([kind, version]) + bytes(10) + body
    status, _ = _c_decode(library, payload)
    try:
        decoded = m.decode(payload).body
    except m.UnknownMessageError:
        assert status == m.AckStatus.UNKNOWN_KIND
    except m.BadBodyError:
        assert status == (m.AckStatus.BAD_BODY if kind >= 64 else m.AckStatus.UNKNOWN_KIND)
    else:
        assert status == (m.AckStatus.DONE if isinstance(decoded, m.Request) else m.AckStatus.UNKNOWN_KIND)


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        (b"\x40\x01" + bytes(10), 0),
        (b"\x40\x02" + bytes(10), 1),
        (b"\x40\x01" + bytes(11), 2),
        (b"\x41\x01" + bytes(11), 2),
        (b"\x42\x01" + bytes(10), 2),
        (b"\x42\x01" + bytes(10) + b"\x08", 2),
        (b"\x42\x01" + bytes(12), 2),
        (b"\x43\x01" + bytes(10 + 33), 2),
        (b"\x01\x01" + bytes(10), 1),
        (b"\x44\x01" + bytes(10), 0),
        (b"\x44\x01" + bytes(11), 2),
        (b"\x45\x01" + bytes(10), 1),
        (b"\x40\x01", 2),
    ],
)
def test_strict_requests(library: ctypes.CDLL, payload: bytes, status: int) -> None:
    assert _c_decode(library, payload)[0] == status


def test_bytes_of_the_specification() -> None:
    header = bytes.fromhex("0401 3412 8877665544332211".replace(" ", ""))
    body = bytes.fromhex("0a000000 03 feffffff 0102030405060708".replace(" ", ""))
    expected = m.Decision(10, 3, -2, 0x0807060504030201)
    assert m.decode(header + body) == m.Message(0x1234, 0x1122334455667788, expected)
    sample = b"\x02\x01\x00\x00" + (5000).to_bytes(8, "little") + b"\x07\x00\x00\x00\x01" + b"\x88\x13\x00\x00"
    codes = b"\x01\x00\xff\xff\x00\x80\xff\x7f\x00\x00\x02\x00"
    assert m.decode(sample + codes).body == m.Sample(7, (5000,), ((1, -1, -32768, 32767, 0, 2),))
    sizes = {body.KIND: len(m.encode(body)) - 12 for body in (m.Hello(1, 0, 0, 0, "", "", bytes(32), *[0] * 6),)}
    assert sizes == {1: 92}


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 6, 8, 9])
def test_host_refuses_other_lengths(kind: int) -> None:
    bodies = {
        1: m.Hello(1, 0, 0, 0, "b", "f", bytes(32), 1, 2, 3, 4, 5, 6),
        2: m.Sample(0, (1, 2), ((1, 2, 3, 4, 5, 6), (1, 2, 3, 4, 5, 6))),
        3: m.Step(1, 2, True, False, 3, 4, 5, (1, 2, 3)),
        4: m.Decision(1, 2, 3, 4),
        5: m.Timing(1, 2, (1, 2, 3, 4, 5), 6, 7),
        6: m.Health(*range(17)),
        8: m.Ack(1, m.AckStatus.DONE),
        9: m.Firmware(1000, bytes(32)),
    }
    payload = m.encode(bodies[kind])
    for wrong in (payload[:-1], payload + b"\x00", payload[:12]):
        with pytest.raises(m.BadBodyError):
            m.decode(wrong)
    with pytest.raises(m.UnknownMessageError):
        m.decode(payload[:1] + b"\x04" + payload[2:])


@Fixture
@given(payload=st.binary(min_size=12, max_size=240))
def test_decode_raises_nothing_else(payload: bytes) -> None:
    known = bytes([payload[0] % 9, 1]) + payload[2:]
    for candidate in (payload, known):
        try:
            decoded = m.decode(candidate)
        except (m.UnknownMessageError, m.BadBodyError):
            continue
        assert decoded.sequence == int.from_bytes(candidate[2:4], "little")


def test_long_log_is_cut_between_characters(library: ctypes.CDLL) -> None:
    for text in ("x" * 300, "é" * 150, "x" + "é" * 150, "中" * 100):
        body = m.decode(_c_encode(library, m.Log(1, text), 0)).body
        assert isinstance(body, m.Log)
        assert text.startswith(body.text)
        assert 224 <= len(body.text.encode()) <= 227


def test_encoders_refuse_what_does_not_fit(library: ctypes.CDLL) -> None:
    out = ctypes.create_string_buffer(256)
    stamps, codes = (ctypes.c_uint64 * 10)(), (ctypes.c_int16 * 60)()
    for count in (0, 10):
        arguments = (ctypes.c_uint64(0), ctypes.c_uint32(0), stamps, codes, ctypes.c_uint8(count))
        assert library.tl_message_sample(out, *arguments) == 0
    assert library.tl_message_step(out, ctypes.c_uint64(0), ctypes.byref(CStep(outputs=33))) == 0
    with pytest.raises(ValueError, match="1 to 9"):
        m.encode(m.Sample(0, (), ()))
    with pytest.raises(ValueError, match="more than 240"):
        m.encode(m.Log(0, "x" * 228))


def test_both_ends_know_the_same_commands(library: ctypes.CDLL) -> None:
    commands = {kind for kind in range(256) if library.tl_message_is_command(ctypes.c_uint8(kind))}
    assert commands == m.COMMAND_KINDS == {4, 8}


def test_health_of_older_firmware_is_read() -> None:
    new = m.encode(m.Health(*range(17)), 3, 50)
    for version, words in ((1, 12), (2, 14)):
        old = bytes([new[0], version]) + new[2 : 12 + 4 * words]
        assert m.decode(old).body == m.Health(*range(words))
    for wrong in (bytes([new[0], 1]) + new[2:], bytes([new[0], 2]) + new[2:-8], new[:-12]):
        with pytest.raises(m.BadBodyError):
            m.decode(wrong)
