"""A network of one's own: trained here in seconds, then quantised.  Writes build/small.npz.

It finds the quarter of a noisy picture in which a bright square lies.
"""

import torch
from torch import nn

from intgold.quantize import quantize


def pictures(n):
    """Return n pictures (n, 1, 16, 16) of reals in [0, 1], and the quarter of each square."""
    x = 0.4 * torch.rand(n, 1, 16, 16)
    quarter = torch.randint(0, 4, (n,))
    rows = torch.randint(0, 5, (n,)) + 8 * (quarter // 2)
    columns = torch.randint(0, 5, (n,)) + 8 * (quarter % 2)
    for i in range(n):
        x[i, 0, rows[i] : rows[i] + 4, columns[i] : columns[i] + 4] += 0.6
    return x, quarter


torch.manual_seed(0)
module = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(4),
    nn.Conv2d(8, 8, 3, padding=1), nn.SiLU(), nn.Flatten(), nn.Linear(128, 4),
)  # fmt: skip
optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
for _ in range(60):
    x, quarter = pictures(64)
    optimizer.zero_grad()
    nn.functional.cross_entropy(module(x), quarter).backward()
    optimizer.step()
module.eval()

model = quantize(module, pictures(64)[0], name="small")
model.save("build/small.npz")

# The model takes pictures as (n, h, w, c); PyTorch has (n, c, h, w).
x, quarter = pictures(500)
int8 = model.quantize_input(x.permute(0, 2, 3, 1).numpy())
with torch.no_grad():
    reals = module(x).argmax(1).numpy()
for name, found in (("float", reals), ("int8", model.predict(int8))):
    print(f"{name}: {(found == quarter.numpy()).mean():.1%} of 500 pictures right")
