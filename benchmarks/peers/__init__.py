"""Other engines that run the shipped network, one file each; see ../peers.py.

Each file but `network` and `worker` offers ``build(network, batch, calibration, variant)``, which
returns a `network.Runner`: the network made ready for one batch size in the engine's own way.
"""
