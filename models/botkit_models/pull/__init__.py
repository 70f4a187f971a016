"""Bringing models: from the package index, a file, a folder, or the Hugging Face Hub."""

from botkit_models.pull.install import Convert, Weights, pull
from botkit_models.pull.progress import Report

__all__ = ["Convert", "Report", "Weights", "pull"]
