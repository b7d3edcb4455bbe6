"""The simulated IMU against what mechanics says of it, worked out in another way."""

from __future__ import annotations

import numpy as np
import pytest

from toolchain.board import STANDARD_GRAVITY
from toolchain.recordings.motion import (
    ELBOW_Z,
    PITCH,
    ROLL,
    YAW,
    Jolt,
    Motion,
    Scene,
    Stroke,
    Swing,
    ideal_imu,
    minimum_jerk,
    rotations,
)

RATE = 208.0
SENSOR = np.array([0.24, 0.0, 0.03])


def _scene(seconds: float, *motions: Motion) -> Scene:
    scene = Scene(round(seconds * RATE), RATE)
    for motion in motions:
        scene.add(motion, 0.2)
    return scene


def test_rotations_are_right_handed_and_pitch_lifts_the_hand() -> None:
    matrices = rotations(np.random.default_rng(1).uniform(-1.5, 1.5, (50, 3)))
    assert np.allclose(np.swapaxes(matrices, -1, -2) @ matrices, np.eye(3))
    assert np.allclose(np.linalg.det(matrices), 1)
    forward = np.array([1.0, 0.0, 0.0])
    assert np.allclose(rotations(np.array([0.0, np.pi / 2, 0.0])) @ forward, [0, 0, 1])
    assert np.allclose(rotations(np.array([np.pi / 2, 0.0, 0.0])) @ forward, [0, 1, 0])


def test_rest_reads_one_g_and_no_turn_in_any_posture() -> None:
    scene = Scene(20, RATE)
    scene.tracks[:, [YAW, PITCH, ROLL]] = [0.4, -0.7, 1.1]
    readings = ideal_imu(scene.tracks, SENSOR, RATE)
    assert np.allclose(np.linalg.norm(readings[:, :3], axis=1), STANDARD_GRAVITY, atol=1e-6)
    assert np.allclose(readings[:, 3:], 0, atol=1e-9)
    assert readings[0, 0] == pytest.approx(STANDARD_GRAVITY * np.sin(-0.7), abs=1e-6)


def test_steady_turn_reads_its_rate_and_its_centripetal_force() -> None:
    rate = 2.0
    scene = Scene(100, RATE)
    scene.tracks[:, YAW] = rate * scene.t
    readings = ideal_imu(scene.tracks, SENSOR, RATE)
    assert np.allclose(readings[:, 3:], [0, 0, rate], atol=1e-3)
    assert np.allclose(readings[:, 0], -(rate**2) * SENSOR[0], atol=1e-3)


def test_gyro_integrates_to_the_tilt_that_the_accelerometer_shows() -> None:
    slow = Motion(4.0, (Stroke(PITCH, 0.0, 4.0, 0.6), Stroke(ROLL, 0.5, 3.5, -0.8), Stroke(YAW, 0.0, 4.0, 0.5)))
    readings = ideal_imu(_scene(4.6, slow).tracks, SENSOR, RATE)
    up = readings[0, :3] / np.linalg.norm(readings[0, :3])
    for before, after in zip(readings[:-1, 3:], readings[1:, 3:], strict=True):
        spin = 0.5 * (before + after) / RATE
        angle = np.linalg.norm(spin)
        axis = spin / max(float(angle), 1e-12)
        # What is fixed in the world turns backwards in the body (Rodrigues).
        up = up * np.cos(angle) - np.cross(axis, up) * np.sin(angle) + axis * (axis @ up) * (1 - np.cos(angle))
    shown = readings[-1, :3] / np.linalg.norm(readings[-1, :3])
    assert np.degrees(np.arccos(min(float(up @ shown), 1.0))) < 0.1


def test_accelerometer_integrates_to_the_way_that_the_elbow_went() -> None:
    lift = Motion(0.6, (Stroke(ELBOW_Z, 0.0, 0.6, 0.3),))
    force = ideal_imu(_scene(1.0, lift).tracks, SENSOR, RATE)[:, 2] - STANDARD_GRAVITY
    speed = np.cumsum(force) / RATE
    assert speed[-1] == pytest.approx(0, abs=1e-6)
    assert (np.cumsum(speed) / RATE)[-1] == pytest.approx(0.3, abs=1e-3)


def test_minimum_jerk_starts_and_ends_at_rest() -> None:
    u = np.linspace(-0.5, 1.5, 2001)
    s = minimum_jerk(u)
    assert s[0] == 0
    assert s[-1] == 1
    assert (np.diff(s) >= -1e-12).all()
    assert np.abs(np.diff(s, 2)).max() / 1e-6 == pytest.approx(10 / 3**0.5, rel=1e-3)  # largest second derivative


def test_swings_fade_and_jolts_die_away() -> None:
    scene = Scene(round(3 * RATE), RATE)
    scene.add(Motion(1.0, swings=(Swing(ROLL, 0.0, 1.0, 0.1, 2.0, 1.0),)), 0.5)
    scene.add(Motion(0.2, jolts=(Jolt(0.0, (0.0, 0.0, 20.0, 0.0, 0.0, 0.0), 25.0, 0.03),)), 1.0)
    outside = (scene.t < 0.5) | (scene.t > 1.5)
    assert not scene.tracks[outside].any()
    assert 0.08 < np.abs(scene.tracks[:, ROLL]).max() <= 0.1
    assert not scene.jolts[scene.t < 1.0].any()
    assert np.abs(scene.jolts[scene.t > 1.2]).max() < 0.05


def test_a_motion_that_began_before_the_scene_is_continued_in_it() -> None:
    stroke = Motion(2.0, (Stroke(YAW, 0.0, 2.0, 1.0),))
    whole, late = Scene(600, RATE), Scene(600 - 208, RATE)
    whole.add(stroke, 0.5)
    late.add(stroke, -0.5)
    assert np.allclose(whole.tracks[208:], late.tracks)
    assert stroke.offset().tolist() == [1.0, 0, 0, 0, 0, 0]
