"""Networks as people write them: small ones of the usual kinds, in the usual idioms.

Each is a class with `shapes`, those of one example for each argument, and `refused`, the layers
that a refusal must list; empty where the network is taken.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - as everyone writes it
from torch import nn
from torch.nn.utils.parametrizations import weight_norm


class TabularMLP(nn.Module):
    """Features to classes: normalisation first, dropout, BatchNorm1d, three kinds of activation."""

    shapes, refused = ((13,),), ()

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(13)
        self.layers = nn.Sequential(
            nn.Linear(13, 64), nn.BatchNorm1d(64), nn.ReLU(inplace=True), nn.Dropout(0.3),
            nn.Linear(64, 32, bias=False), nn.BatchNorm1d(32), nn.SiLU(),
            nn.Linear(32, 16), nn.PReLU(), nn.Dropout(0.1),
        )  # fmt: skip
        self.logits = nn.Linear(16, 3)

    def forward(self, x):
        return F.softmax(self.logits(self.layers(self.norm(x))), dim=-1)


class EcgCNN(nn.Module):
    """One lead, 187 samples, five classes."""

    shapes, refused = ((1, 187),), ()

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(1, 8, kernel_size=7, stride=2, padding=3), nn.BatchNorm1d(8), nn.ReLU(),
            nn.MaxPool1d(3, stride=2, padding=1),
            nn.Conv1d(8, 16, 5, padding="same"), nn.BatchNorm1d(16), nn.LeakyReLU(0.1),
            nn.AvgPool1d(2),
            nn.Conv1d(16, 24, 3, padding=1, dilation=1), nn.BatchNorm1d(24), nn.ELU(),
            nn.AdaptiveAvgPool1d(1),
        )  # fmt: skip
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(24, 16), nn.ReLU(), nn.Dropout(), nn.Linear(16, 5)
        )

    def forward(self, x):
        return self.classifier(self.features(x))


class RawAudioM5(nn.Module):
    """Keyword spotting on the waveform: wide strides, the mean over what is left, permute."""

    shapes, refused = ((1, 2000),), ()

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(1, 8, kernel_size=80, stride=16)
        self.bn1 = nn.BatchNorm1d(8)
        self.pool1 = nn.MaxPool1d(4)
        self.conv2 = nn.Conv1d(8, 16, kernel_size=3)
        self.bn2 = nn.BatchNorm1d(16)
        self.pool2 = nn.MaxPool1d(4)
        self.fc1 = nn.Linear(16, 12)

    def forward(self, x):
        x = self.pool1(F.relu(self.bn1(self.conv1(x))))
        x = self.pool2(F.relu(self.bn2(self.conv2(x))))
        x = F.avg_pool1d(x, x.shape[-1])
        x = x.permute(0, 2, 1)
        x = self.fc1(x)
        return F.log_softmax(x, dim=2)


class Autoencoder(nn.Module):
    """A vector to a code and back, ending in a sigmoid."""

    shapes, refused = ((28 * 4,),), ()

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(112, 32), nn.ReLU(True), nn.Linear(32, 12), nn.Tanh(), nn.Linear(12, 4)
        )
        self.decoder = nn.Sequential(
            nn.Linear(4, 12), nn.ReLU(True), nn.Linear(12, 32), nn.ReLU(True), nn.Linear(32, 112),
            nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x):
        return self.decoder(self.encoder(x))


class Siamese(nn.Module):
    """Two pictures through one branch; the distance of their embeddings decides."""

    shapes, refused = ((1, 12, 12), (1, 12, 12)), ()

    def __init__(self):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(1, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3), nn.ReLU()
        )
        self.fc = nn.Linear(8 * 3 * 3, 16)
        self.out = nn.Linear(16, 1)

    def forward_once(self, x):
        x = self.cnn(x)
        x = x.view(x.size(0), -1)
        return torch.sigmoid(self.fc(x))

    def forward(self, input1, input2):
        return self.out(torch.abs(self.forward_once(input1) - self.forward_once(input2)))


class PairMLP(nn.Module):
    """A sequence and a vector of other data: both, their difference and product, joined."""

    shapes, refused = ((3, 24), (10,)), ()

    def __init__(self):
        super().__init__()
        self.signal = nn.Sequential(nn.Conv1d(3, 10, 5, padding=2), nn.ReLU())
        self.meta = nn.Sequential(nn.Linear(10, 10), nn.ReLU())
        self.head = nn.Sequential(nn.Linear(40, 12), nn.ReLU(), nn.Linear(12, 1))

    def forward(self, signal, meta):
        a, b = self.signal(signal).mean(dim=-1), self.meta(meta)
        return self.head(torch.cat([a, b, torch.abs(a - b), a * b], dim=1)).squeeze(1)


class ResNet1d(nn.Module):
    """Residual blocks over a sequence, the shortcut a strided convolution; global maximum."""

    shapes, refused = ((2, 64),), ()

    class Block(nn.Module):
        def __init__(self, in_c, out_c, stride):
            super().__init__()
            self.conv1 = nn.Conv1d(in_c, out_c, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm1d(out_c)
            self.conv2 = nn.Conv1d(out_c, out_c, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm1d(out_c)
            self.relu = nn.ReLU(inplace=True)
            self.downsample = None
            if stride != 1 or in_c != out_c:
                self.downsample = nn.Sequential(
                    nn.Conv1d(in_c, out_c, 1, stride, bias=False), nn.BatchNorm1d(out_c)
                )

        def forward(self, x):
            identity = x if self.downsample is None else self.downsample(x)
            out = self.relu(self.bn1(self.conv1(x)))
            out = self.bn2(self.conv2(out))
            out += identity
            return self.relu(out)

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            self.Block(2, 8, 1), self.Block(8, 16, 2), self.Block(16, 16, 1)
        )
        self.pool, self.fc = nn.AdaptiveMaxPool1d(1), nn.Linear(16, 4)

    def forward(self, x):
        return self.fc(torch.flatten(self.pool(self.layers(x)), 1))


class MobileNetLike(nn.Module):
    """Inverted residuals, a grouped convolution, camera normalisation inside the module."""

    shapes, refused = ((3, 16, 16),), ()

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.stem = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6()
        )
        self.block = nn.Sequential(
            nn.Conv2d(8, 24, 1, bias=False), nn.BatchNorm2d(24), nn.Hardswish(),
            nn.Conv2d(24, 24, 3, 1, 1, groups=24, bias=False), nn.BatchNorm2d(24), nn.Hardswish(),
            nn.Conv2d(24, 8, 1, bias=False), nn.BatchNorm2d(8),
        )  # fmt: skip
        self.grouped = nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(8, 16, 3, groups=4), nn.ReLU6())
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(16, 5))

    def forward(self, x):
        x = (x - self.mean) / self.std
        x = self.stem(x)
        x = x + self.block(x)
        x = F.adaptive_avg_pool2d(self.grouped(x), 1).reshape(x.shape[0], -1)
        return self.classifier(x)


class LeNet(nn.Module):
    """Functions in place of modules, view(-1, n), log_softmax at the end."""

    shapes, refused = ((1, 28, 28),), ()

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.conv2_drop = nn.Dropout2d()
        self.fc1 = nn.Linear(16 * 4 * 4, 50)
        self.fc2 = nn.Linear(50, 10)

    def forward(self, x):
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.conv2_drop(self.conv2(x)), 2))
        x = x.view(-1, 16 * 4 * 4)
        x = F.relu(self.fc1(x))
        x = F.dropout(x, training=self.training)
        return F.log_softmax(self.fc2(x), dim=1)


class TCN(nn.Module):
    """Causal dilated convolutions: padding on both sides, the surplus cut off, the last step."""

    shapes, refused = ((4, 40),), ()

    class Block(nn.Module):
        def __init__(self, in_c, out_c, dilation):
            super().__init__()
            pad = 2 * dilation
            self.pad = pad
            self.conv1 = weight_norm(nn.Conv1d(in_c, out_c, 3, padding=pad, dilation=dilation))
            self.conv2 = weight_norm(nn.Conv1d(out_c, out_c, 3, padding=pad, dilation=dilation))
            self.shortcut = nn.Conv1d(in_c, out_c, 1) if in_c != out_c else nn.Identity()
            self.drop = nn.Dropout(0.2)

        def forward(self, x):
            y = self.drop(F.relu(self.conv1(x)[:, :, : -self.pad].contiguous()))
            y = self.drop(F.relu(self.conv2(y)[:, :, : -self.pad].contiguous()))
            return F.relu(y + self.shortcut(x))

    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(*(self.Block(*n) for n in ((4, 8, 1), (8, 8, 2), (8, 8, 4))))
        self.linear = nn.Linear(8, 3)

    def forward(self, x):
        return self.linear(self.blocks(x)[:, :, -1])


class DsCnn(nn.Module):
    """Keyword spotting on a spectrogram that has no channel axis: unsqueeze, depthwise blocks."""

    shapes, refused = ((49, 10),), ()

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 16, (10, 4), stride=(2, 2), padding=(5, 1))
        self.bn = nn.BatchNorm2d(16)
        self.depthwise = nn.ModuleList(nn.Conv2d(16, 16, 3, padding=1, groups=16) for _ in range(2))
        self.pointwise = nn.ModuleList(nn.Conv2d(16, 16, 1) for _ in range(2))
        self.fc = nn.Linear(16, 12)

    def forward(self, x):
        x = F.relu(self.bn(self.conv(x.unsqueeze(1))))
        for depthwise, pointwise in zip(self.depthwise, self.pointwise, strict=True):
            x = F.relu(pointwise(F.relu(depthwise(x))))
        return self.fc(x.mean([2, 3]))


class TimeSeries(nn.Module):
    """(n, time, features), as recurrent networks take it: permuted into convolutions."""

    shapes, refused = ((32, 6),), ()

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(6, 12, 3, padding=1)
        self.norm = nn.BatchNorm1d(12)
        self.out = nn.Linear(12 * 16, 2)

    def forward(self, x):
        x = (x - 0.5) * 2
        x = x.permute(0, 2, 1)
        x = F.max_pool1d(F.gelu(self.norm(self.conv(x))), 2)
        x = 1 - 0.5 * x
        return self.out(torch.flatten(x, start_dim=1)).argmax(dim=1)


class FlatMnist(nn.Module):
    """Rows of 784 numbers that become pictures inside."""

    shapes, refused = ((784,),), ()

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, stride=2)
        self.fc = nn.Linear(4 * 13 * 13, 10)

    def forward(self, x):
        x = x.view(-1, 1, 28, 28)
        return self.fc(F.relu(self.conv(x)).flatten(1))


class Recurrent(nn.Module):
    """What no op does: an LSTM and a layer normalisation; the refusal names both."""

    shapes, refused = ((20, 4),), ("lstm (LSTM)", "norm (LayerNorm)")

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 8, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.fc = nn.Linear(8, 2)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(self.norm(out[:, -1, :]))


class UNetLike(nn.Module):
    """Upsampling by a transposed convolution, and by interpolation, which is refused."""

    shapes, refused = ((1, 16, 16),), ("scale (Upsample)",)

    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU())
        self.pool, self.middle = nn.MaxPool2d(2), nn.Conv2d(4, 4, 3, padding=1)
        self.up, self.scale = nn.ConvTranspose2d(4, 4, 2, stride=2), nn.Upsample(scale_factor=2)
        self.out = nn.Conv2d(12, 1, 1)

    def forward(self, x):
        a = self.down(x)
        b = F.relu(self.middle(self.pool(a)))
        return self.out(torch.cat([a, self.up(b), self.scale(b)], 1))


class SqueezeExcite(nn.Module):
    """A gate per channel, which no op multiplies into a picture: refused at the product."""

    shapes, refused = ((3, 8, 8),), ("mul",)

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 2, 1), nn.ReLU(), nn.Conv2d(2, 8, 1),
            nn.Hardsigmoid(),
        )  # fmt: skip
        self.fc = nn.Linear(8, 2)

    def forward(self, x):
        x = self.conv(x)
        return self.fc((x * self.gate(x)).mean((2, 3)))


NETWORKS = (
    TabularMLP, EcgCNN, RawAudioM5, Autoencoder, Siamese, PairMLP, ResNet1d, MobileNetLike, LeNet,
    TCN, DsCnn, TimeSeries, FlatMnist, Recurrent, UNetLike, SqueezeExcite,
)  # fmt: skip


def examples(kind: type, count: int) -> list[torch.Tensor]:
    """Return examples of each argument, of a module seeded alike."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(count, *shape, generator=generator) for shape in kind.shapes]


def trained(kind: type) -> nn.Module:
    """Return a module whose normalisations have seen data, at rest."""
    torch.manual_seed(1)
    module = kind().train()
    with torch.no_grad():
        for _ in range(30):
            module(*(torch.randn(16, *shape) for shape in kind.shapes))
    return module.eval()
