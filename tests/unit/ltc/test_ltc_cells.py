"""The networks for comparison: each carries its state, stays still through padding, and learns."""

from __future__ import annotations

import numpy as np
import pytest

from toolchain.ltc.batches import Batch
from toolchain.ltc.cells import KINDS as CELLS
from toolchain.ltc.fit import Trainer
from toolchain.ltc.sparse import SparseLtc
from toolchain.ltc.tf import tf
from toolchain.project import Training


def sparse(inputs, units, outputs, seed):
    return SparseLtc(list(units), outputs, 0.05, seed, inputs, 0.5)


KINDS = [*CELLS.values(), sparse]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def network(request):
    return request.param(6, (5, 5, 5), 3, 1)


def signal(samples, seed=1):
    random = np.random.default_rng(seed)
    return tf.constant(random.standard_normal((2, samples, 6)).astype(np.float32)), tf.fill((2, samples), 0.1)


def test_two_chunks_are_one(network):
    x, dt = signal(30)
    whole = network.chunk(x, dt, network.zero_state(2))[0]
    first, _, state = network.chunk(x[:, :12], dt[:, :12], network.zero_state(2))
    second = network.chunk(x[:, 12:], dt[:, 12:], state)[0]
    assert np.concatenate([first, second], axis=1) == pytest.approx(whole.numpy(), abs=1e-5)


def test_the_future_is_not_looked_at(network):
    x, dt = signal(20)
    changed = tf.concat([x[:, :15], -x[:, 15:]], axis=1)
    one, other = (network.chunk(some, dt, network.zero_state(2))[0].numpy() for some in (x, changed))
    assert np.array_equal(one[:, :15], other[:, :15])
    assert not np.allclose(one[:, 15:], other[:, 15:])


def test_padding_in_front_changes_nothing(network):
    x, dt = signal(20)
    padded = tf.concat([tf.zeros((2, 9, 6)), x], axis=1), tf.concat([tf.zeros((2, 9)), dt], axis=1)
    alone = network.chunk(x, dt, network.zero_state(2))[0].numpy()
    assert network.chunk(*padded, network.zero_state(2))[0].numpy()[:, 9:] == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_trainer_trains_it(kind):
    network = kind(6, (5, 5, 5), 3, 1)
    trainer = Trainer(network, Training(batch=2, label_smoothing=0.0, average=0.0), 2)
    x, dt = signal(8)
    target = np.argmax(x.numpy()[:, :, :3].sum(axis=1), axis=1)[:, None].repeat(8, axis=1).astype(np.int32)
    batch = Batch(x.numpy(), dt.numpy(), target, np.ones((2, 8), np.float32), np.zeros((2, 1), np.float32))
    losses = [float(trainer.train(batch, 0.02)) for _ in range(12)]
    assert losses[-1] < losses[0]


def test_masked_weights_stay_zero():
    network = sparse(6, (8, 8), 3, 1)
    weights = network.to_weights()
    share = np.mean([np.mean(layer.w == 0) for layer in weights.layers])
    assert share == pytest.approx(0.5, abs=0.1)
    x, dt = signal(8)
    dense = SparseLtc([8, 8], 3, 0.05, 1, 6, 1.0)
    dense.set_from(weights)
    alike = [one.chunk(x, dt, one.zero_state(2))[0].numpy() for one in (network, dense)]
    assert alike[0] == pytest.approx(alike[1], abs=1e-6)


@pytest.mark.parametrize("kind", CELLS.values(), ids=CELLS)
def test_weights_come_out_and_go_in_again(kind):
    network, other = kind(6, (5, 4), 3, 1), kind(6, (5, 4), 3, 2)
    x, dt = signal(20)
    before = [one.chunk(x, dt, one.zero_state(2))[0].numpy() for one in (network, other)]
    assert not np.allclose(*before)
    other.set_from(network.to_weights())
    assert np.array_equal(other.chunk(x, dt, other.zero_state(2))[0].numpy(), before[0])
