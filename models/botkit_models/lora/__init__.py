"""LoRA adapters: read, carried into the serving basis, stacked for the programs that apply them.

Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685): a projection ``W`` answers as
``W + s * B @ A``, with ``A [r, in]`` and ``B [out, r]``. The sum is never formed: rows of several
adapters run through the same ``W`` at the same time, each with its own ``A`` and ``B``.
"""
