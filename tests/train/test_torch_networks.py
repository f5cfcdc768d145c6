"""Networks in PyTorch from cfgs: every layer against a plain formula."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given
from hypothesis import strategies as st

from pymtcnn.errors import CfgError, ModelError, WeightsError
from train_mtcnn.network.activations import ACTIVATION
from train_mtcnn.network.darknet import DARKNET_CFG, NETWORKS, parse_cfg, read_cfg, write_weights
from train_mtcnn.network.networks import Network
from train_mtcnn.network.rewrite import with_batch_norm, with_prelu, without_batch_norm


def network(text, shape=(3, 12, 12), seed=0):
    """A network with random weights, its batch normalisation included."""
    channels, height, width = shape
    net = f"[net]\nchannels={channels}\nheight={height}\nwidth={width}\n"
    made = Network(parse_cfg(net + text)).eval()
    values = np.random.default_rng(seed).uniform(0.1, 1, made.weights_count) - 0.3
    made.load_weights(values.astype(np.float32))
    for module in made.layers:
        if hasattr(module, "variances"):
            module.variances.abs_()
    return made


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def run(made, x):
    return made(x)


# ---- layers --------------------------------------------------------------------------------------

FORMULAS = {  # as in Darknet's activations.h
    "linear": lambda x: x,
    "logistic": lambda x: 1 / (1 + math.exp(-x)),
    "loggy": lambda x: 2 / (1 + math.exp(-x)) - 1,
    "relu": lambda x: x * (x > 0),
    "elu": lambda x: (x >= 0) * x + (x < 0) * (math.exp(x) - 1),
    "selu": lambda x: (x >= 0) * 1.0507 * x + (x < 0) * 1.0507 * 1.6732 * (math.exp(x) - 1),
    "relie": lambda x: x if x > 0 else 0.01 * x,
    "ramp": lambda x: x * (x > 0) + 0.1 * x,
    "leaky": lambda x: x if x > 0 else 0.1 * x,
    "tanh": lambda x: (math.exp(2 * x) - 1) / (math.exp(2 * x) + 1),
    "plse": lambda x: (
        0.01 * (x + 4) if x < -4 else 0.01 * (x - 4) + 1 if x > 4 else 0.125 * x + 0.5
    ),
    "stair": lambda x: (
        math.floor(x / 2) if math.floor(x) % 2 == 0 else x - math.floor(x) + math.floor(x / 2)
    ),
    "hardtan": lambda x: -1 if x < -1 else 1 if x > 1 else x,
    "lhtan": lambda x: 0.001 * x if x < 0 else 0.001 * (x - 1) + 1 if x > 1 else x,
}


@pytest.mark.parametrize("name", ACTIVATION)
def test_activations(name):
    x = torch.arange(-600, 601, dtype=torch.float64) / 100
    expected = torch.tensor([FORMULAS[name](value) for value in x.tolist()], dtype=torch.float64)
    assert (ACTIVATION[name](x) - expected).abs().max() < 1e-12


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("side", [*range(3, 12), 24, 61])
def test_maxpool_at_stride_2_is_torchs(size, padding, side):
    x = random(2, 3, side, 13)
    made = network(f"[maxpool]\nsize={size}\nstride=2\npadding={padding}\n", (3, side, 13))
    expected = F.max_pool2d(x, size, 2, ceil_mode=bool(padding))
    assert torch.equal(made(x), expected)
    assert made.output_shape == expected.shape[1:]


@given(
    st.integers(1, 4), st.integers(1, 4), st.integers(0, 5), st.integers(4, 9), st.integers(4, 9)
)
@example(size=1, stride=2, padding=1, height=4, width=4)  # the last window is all padding
def test_maxpool_is_darknets(size, stride, padding, height, width):
    x = -1 - random(1, 2, height, width).abs()  # padding with 0 would show
    made = network(
        f"[maxpool]\nsize={size}\nstride={stride}\npadding={padding}\n", (2, height, width)
    )
    outputs = [(side + padding - size) // stride + 1 for side in (height, width)]
    expected = torch.full((1, 2, *outputs), torch.finfo(torch.float32).min)
    offset = -(padding // 2)
    for i in range(outputs[0]):
        for j in range(outputs[1]):
            top, left = offset + i * stride, offset + j * stride
            window = x[:, :, max(top, 0) : max(top + size, 0), max(left, 0) : max(left + size, 0)]
            if window.numel():
                expected[:, :, i, j] = window.amax((2, 3))
    assert torch.equal(made(x), expected)


def test_convolution():
    made = network(
        "[convolutional]\nfilters=6\nsize=3\nstride=2\npad=1\ngroups=2\nactivation=leaky\n",
        (4, 9, 10),
    )
    x = random(2, 4, 9, 10)
    layer = made.layers[0]
    expected = torch.zeros(2, 6, *made.output_shape[1:])
    padded = F.pad(x, (1, 1, 1, 1))
    for o in range(6):
        part = padded[:, 2 * (o // 3) : 2 * (o // 3) + 2]
        for i in range(expected.shape[2]):
            for j in range(expected.shape[3]):
                window = part[:, :, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
                expected[:, o, i, j] = (window * layer.weights[o]).sum((1, 2, 3)) + layer.biases[o]
    expected = F.leaky_relu(expected, 0.1)
    assert (run(made, x) - expected).abs().max() < 1e-5


@pytest.mark.parametrize(
    "section",
    [
        "[convolutional]\nfilters=5\nsize=3\nactivation=linear\nbatch_normalize=1\n",
        "[connected]\noutput=5\nactivation=linear\nbatch_normalize=1\n",
    ],
)
def test_batch_norm(section):
    made = network(section)
    x = random(3, 3, 12, 12)
    layer = made.layers[0]
    layer.variances[1] = 0  # epsilon alone
    raw = layer.product(x.double(), layer.weights.double(), None)
    means, variances, scales, biases = (
        getattr(layer, name).double().view(1, -1, 1, 1)
        for name in ("means", "variances", "scales", "biases")
    )
    expected = (raw - means) / (variances.sqrt() + 1e-6) * scales + biases
    largest = expected.abs().amax((0, 2, 3), keepdim=True).clamp(min=1)
    assert ((run(made, x) - expected).abs() / largest).max() < 1e-6

    folded = Network(without_batch_norm(made.cfg)).eval()
    folded.load_weights(made.weights(fold=True))
    assert torch.equal(run(folded, x), run(made, x))


def test_batch_norm_in_training():
    made = network(
        "[convolutional]\nfilters=5\nsize=3\nactivation=linear\nbatch_normalize=1\n"
    ).train()
    with torch.no_grad():
        made.layers[0].scales.fill_(2)
        made.layers[0].biases.fill_(1)
    before = made.layers[0].means.clone()
    made.layers[0].variances.fill_(7)
    x = random(64, 3, 12, 12)
    y = made(x)
    assert (y.mean((0, 2, 3)) - 1).abs().max() < 1e-4 and (y.std((0, 2, 3)) - 2).abs().max() < 1e-3
    raw = made.layers[0].product(x, made.layers[0].weights, None)
    expected = 0.99 * before + 0.01 * raw.mean((0, 2, 3))
    assert (made.layers[0].means - expected).abs().max() < 1e-5
    y.square().sum().backward()
    assert made.layers[0].scales.grad.abs().max() > 0


def test_prelu():
    x = random(1, 3, 4, 4)
    for groups in (1, 3):
        made = network(f"[prelu]\ngroups={groups}\n", (3, 4, 4))
        slopes = made.layers[0].slopes.view(1, -1, 1, 1)
        assert torch.equal(run(made, x), torch.where(x > 0, x, slopes * x))


def test_softmax_of_groups_temperature_and_pixels():
    x = random(2, 6, 2, 2)
    made = network("[softmax]\ngroups=2\ntemperature=2\n", (6, 2, 2))
    parts = [(part / 2).flatten(1).softmax(1).view(2, 3, 2, 2) for part in x.split(3, 1)]
    assert (made(x) - torch.cat(parts, 1)).abs().max() < 1e-6
    made = network("[softmax]\ngroups=2\nspatial=1\n", (6, 2, 2))
    parts = [part.softmax(1) for part in x.split(3, 1)]
    assert (made(x) - torch.cat(parts, 1)).abs().max() < 1e-6


def test_avgpool_route_shortcut_dropout():
    conv = "[convolutional]\nfilters=3\nactivation=linear\n"
    made = network(conv + "[shortcut]\nfrom=-1\nactivation=relu\n[route]\nlayers=0,-1\n")
    x = random(2, 3, 12, 12)
    first = F.conv2d(x, made.layers[0].weights, made.layers[0].biases)
    assert torch.equal(made(x), torch.cat([first, F.relu(first + first)], 1))
    assert torch.allclose(network("[avgpool]\n")(x), x.mean((2, 3), keepdim=True))
    dropout = network("[dropout]\nprobability=.5\n")
    assert torch.equal(dropout(x), x)
    assert (dropout.train()(x) == 0).float().mean() > 0.3


# ---- networks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("rewrite", [lambda cfg: cfg, with_prelu])
def test_the_networks(name, rewrite):
    torch.manual_seed(3)
    made = Network(rewrite(read_cfg(DARKNET_CFG / f"{name}.cfg"))).eval()
    x = random(2, *made.input_shape)
    y = run(made, x)
    assert y.shape[1:] == made.output_shape
    logits = made(x, logits=True)
    assert torch.equal(logits[:, :1].sigmoid(), y[:, :1])
    assert torch.equal(logits[:, 1:], y[:, 1:])


def test_prelu_of_slope_a_tenth_is_leaky():
    for name in NETWORKS:
        cfg = read_cfg(DARKNET_CFG / f"{name}.cfg")
        leaky, prelu = Network(cfg).eval(), Network(with_prelu(cfg)).eval()
        with torch.no_grad():
            sources = [module for module in leaky.layers if hasattr(module, "weights")]
            targets = [module for module in prelu.layers if hasattr(module, "weights")]
            for source, target in zip(sources, targets, strict=True):
                target.load_state_dict(source.state_dict())
            for module in prelu.layers:
                if hasattr(module, "slopes"):
                    module.slopes.fill_(0.1)
        x = random(2, *leaky.input_shape)
        assert (run(leaky, x) - run(prelu, x)).abs().max() < 1e-6


def test_pnet_takes_any_size():
    pnet = Network(DARKNET_CFG / "pnet.cfg").eval()
    assert (pnet.cell, pnet.stride) == (12, 2)
    for height, width in ((12, 12), (13, 30), (61, 47)):
        shape = pnet.shape(height, width)
        assert run(pnet, random(1, 3, height, width)).shape[1:] == shape
    with pytest.raises(CfgError, match="does not fit"):
        pnet(random(1, 3, 4, 12))


def test_inputs_that_do_not_fit():
    made = network("[connected]\noutput=2\nactivation=linear\n")
    for x in (random(1, 4, 12, 12), random(3, 12, 12)):
        with pytest.raises(ModelError, match=r"expected \[batch, 3, height, width\]"):
            made(x)
    with pytest.raises(ModelError, match="made for inputs of 3x12x12; it cannot take 12x13"):
        made(random(1, 3, 12, 13))


def test_weights_round_trip(tmp_path):
    text = (
        "[convolutional]\nfilters=4\nsize=3\nbatch_normalize=1\nactivation=linear\n"
        "[prelu]\ngroups=4\n[connected]\noutput=3\nbatch_normalize=1\nactivation=relu\n"
    )
    made = network(text)
    values = np.arange(made.weights_count, dtype=np.float32)
    made.load_weights(values)
    assert made.weights().tobytes() == values.tobytes()
    assert made.layers[0].biases.tolist() == [0, 1, 2, 3]
    assert made.layers[0].variances.tolist() == [12, 13, 14, 15]
    assert made.layers[0].weights[0, 0, 0].tolist() == [16, 17, 18]
    start = 16 + 4 * 27 + 4
    assert made.layers[2].biases.tolist() == [start, start + 1, start + 2]
    assert made.layers[2].weights[1, 0] == start + 3 + 400
    assert made.layers[2].variances[-1] == len(values) - 1

    write_weights(tmp_path / "x.weights", values)
    again = Network.from_darknet(made.cfg, tmp_path / "x.weights")
    assert again.weights().tobytes() == values.tobytes() and not again.training


def test_transposed_connected_weights(tmp_path):
    made = network("[connected]\noutput=3\nactivation=linear\n", (2, 1, 1))
    body = np.array([9, 9, 9, 1, 2, 3, 4, 5, 6], np.float32)
    path = tmp_path / "x.weights"
    path.write_bytes(np.array([1001, 0, 0, 0], np.int32).tobytes() + body.tobytes())
    loaded = Network.from_darknet(made.cfg, path)
    assert loaded.layers[0].weights.tolist() == [[1, 4], [2, 5], [3, 6]]


def test_one_weight_more_or_less(tmp_path):
    made = network("[connected]\noutput=3\nactivation=linear\n")
    for count in (made.weights_count - 1, made.weights_count + 1):
        with pytest.raises(WeightsError, match="the network has 1299 weights"):
            made.load_weights(np.zeros(count, np.float32))
        write_weights(tmp_path / "x.weights", np.zeros(count))
        with pytest.raises(WeightsError, match=r"x\.weights: .* expected 5196"):
            Network.from_darknet(made.cfg, tmp_path / "x.weights")


def test_gradients_reach_every_weight():
    for name in NETWORKS:
        made = Network(with_prelu(read_cfg(DARKNET_CFG / f"{name}.cfg")))
        made(random(8, *made.input_shape), logits=True).square().sum().backward()
        for key, parameter in made.named_parameters():
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, key


# ---- late activation -----------------------------------------------------------------------------

CONVOLUTION = "[convolutional]\nfilters=5\nsize=3\nstride=1\npad=0\nactivation={}\n"
POOLING = "[maxpool]\nsize={}\nstride={}\npadding={}\n"


def late_and_at_once(made, x):
    """Outputs, gradients and state with the activation after the pooling, and before it."""
    results, saved = [], made._activated_late
    before = {key: value.clone() for key, value in made.state_dict().items()}
    for late in (saved, {}):
        made.load_state_dict(before)
        made._activated_late = late
        made.zero_grad()
        output = made(x)
        output.square().sum().backward()
        gradients = [parameter.grad.clone() for parameter in made.parameters()]
        buffers = [value.clone() for value in made.buffers()]
        results.append([output.detach(), *gradients, *buffers])
    made._activated_late = saved
    return results


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("change", ["none", "batch norm", "prelu"])
@pytest.mark.parametrize("name", NETWORKS)
def test_activation_after_the_pooling(name, change, training):
    cfg = read_cfg(DARKNET_CFG / f"{name}.cfg")
    made = Network(
        {"none": lambda c: c, "batch norm": with_batch_norm, "prelu": with_prelu}[change](cfg)
    )
    made.train(training)
    pooled = sum(layer.type == "maxpool" for layer in made.definition)
    assert len(made._activated_late) == (0 if change == "prelu" else pooled)
    late, at_once = late_and_at_once(made, random(3, *made.input_shape))
    assert torch.equal(late[0], at_once[0])
    for a, b in zip(late[1:], at_once[1:], strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-5)


@given(
    st.sampled_from(sorted(ACTIVATION)),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, 5),
    st.integers(0, 9),
)
def test_activation_after_any_pooling(activation, size, stride, padding, seed):
    made = network(
        CONVOLUTION.format(activation) + POOLING.format(size, stride, padding), seed=seed
    )
    late, at_once = late_and_at_once(made, random(2, 3, 12, 12, seed=seed) * 3)
    assert torch.equal(late[0], at_once[0])


def test_what_others_read_is_activated_at_once():
    text = CONVOLUTION.format("leaky") + POOLING.format(2, 2, 0) + "[route]\nlayers=-2\n"
    made = network(text)
    assert made._activated_late == {}
    x = random(1, 3, 12, 12)
    assert torch.equal(run(made, x), F.leaky_relu(made.layers[0](x, activate=False), 0.1))


# ---- batch normalisation for training ------------------------------------------------------------


@pytest.mark.parametrize("prelu", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_all_but_the_heads_are_normalised(name, prelu):
    cfg = read_cfg(DARKNET_CFG / f"{name}.cfg")
    cfg = with_prelu(cfg) if prelu else cfg
    before = [dict(section.options) for section in cfg.sections]
    made = Network(with_batch_norm(cfg))
    assert [dict(section.options) for section in cfg.sections] == before  # it stays as it is
    normalised = [i for i, module in enumerate(made.layers) if getattr(module, "normalize", False)]
    convolutions = {i for i, layer in enumerate(made.definition) if layer.type == "convolutional"}
    assert set(normalised) == convolutions - made._heads
    assert without_batch_norm(made.cfg).sections[1:] == cfg.sections[1:]


def test_a_cfg_without_layers():
    with pytest.raises(CfgError):
        with_batch_norm(parse_cfg("[net]\nchannels=3\nheight=12\nwidth=12\n"))
