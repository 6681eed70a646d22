"""The speaker encoder's weights, from the PyPI package Resemblyzer to the ONNX file that the product runs.

In: the wheel (`pip download --no-deps Resemblyzer==0.1.4`), which is only read, never installed. Out: models/speaker-encoder/encoder.onnx. The one
decision: it is written only when it answers as the torch network does, for stretches of any length. To make it again:
`python -m phrasecheck.training.speaker Resemblyzer-0.1.4-py3-none-any.whl models/speaker-encoder`.
"""

import sys
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import numpy as np
import torch

from phrasecheck.errors import ModelError

INSIDE = "resemblyzer/pretrained.pt"
MELS, WIDTH, LAYERS = 40, 256, 3
CLOSE = 1e-5  # what float arithmetic may differ by in a vector of length 1


class Network(torch.nn.Module):
    """Resemblyzer's VoiceEncoder: mel frames (batch, frames, 40) -> vectors of length 1 (batch, 256), none of their numbers negative."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(MELS, WIDTH, LAYERS, batch_first=True)
        self.linear = torch.nn.Linear(WIDTH, WIDTH)

    def forward(self, mels: torch.Tensor) -> torch.Tensor:
        _, (hidden, _) = self.lstm(mels)
        vectors: torch.Tensor = torch.relu(self.linear(hidden[-1]))
        unit: torch.Tensor = vectors / torch.linalg.vector_norm(vectors, dim=1, keepdim=True).clamp_min(1e-9)
        return unit


def read(wheel: Path) -> Network:
    """The network with the weights in `wheel`. Raises ModelError."""
    try:
        with ZipFile(wheel) as package:
            stored = torch.load(BytesIO(package.read(INSIDE)), map_location="cpu", weights_only=True)
    except (OSError, KeyError, BadZipFile) as error:
        raise ModelError(f"{wheel} 应为 Resemblyzer 的 wheel，内有 {INSIDE}：{error}") from error
    network = Network()
    wanted = network.state_dict().keys()
    network.load_state_dict({name: value for name, value in stored["model_state"].items() if name in wanted})
    return network.eval()


def export(network: Network, file: Path) -> None:
    """Write `network` to `file` as ONNX: `mels` in, `vectors` out. Raises ModelError when the two differ; the file is then gone."""
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        network,
        (torch.zeros(1, 160, MELS),),
        str(file),
        input_names=["mels"],
        output_names=["vectors"],
        dynamic_axes={"mels": {0: "batch", 1: "frames"}, "vectors": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )
    off = difference(network, file)
    if off > CLOSE:
        file.unlink()
        raise ModelError(f"转成 ONNX 后结果不同：最大相差 {off:.2g}，应不超过 {CLOSE:g}")


def difference(network: Network, file: Path) -> float:
    """By how much the vectors of the two differ at most, over stretches of several lengths."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    worst = 0.0
    for frames in (20, 160, 400):
        mels = np.random.default_rng(frames).gamma(0.3, 1e-2, (3, frames, MELS)).astype(np.float32)
        with torch.no_grad():
            expected = network(torch.from_numpy(mels)).numpy()
        worst = max(worst, float(np.abs(session.run(["vectors"], {"mels": mels})[0] - expected).max()))
    return worst


if __name__ == "__main__":
    export(read(Path(sys.argv[1])), Path(sys.argv[2]) / "encoder.onnx")
