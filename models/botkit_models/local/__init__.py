"""The completion that answers in this process. Importing it loads no JAX: :meth:`start` does."""

from botkit_models.local.completion import LocalCompletion, local_completion

__all__ = ["LocalCompletion", "local_completion"]
