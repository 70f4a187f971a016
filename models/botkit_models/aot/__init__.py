"""Ahead of time: what a model's programs would be on accelerators that are not here.

The real compilers of TPUs and of XLA's GPU backend run on any machine; each has an environment of
its own (:mod:`botkit_models.aot.environment`), where a worker process compiles the steps of
:mod:`botkit_models.mesh` for described devices and reports their memory and cost.
"""
