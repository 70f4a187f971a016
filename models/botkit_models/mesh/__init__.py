"""One decoder over many devices: a mesh, one table of axis rules, and the steps it runs.

Programs are partitioned by XLA (GSPMD, Xu et al. 2021, arXiv:2105.04663) from where weights,
caches and activations are said to lie; the model's code is the same as on one device.
"""
