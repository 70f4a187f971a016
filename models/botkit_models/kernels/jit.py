"""Turn a module of LLVM IR into machine code, and load it into this process."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir


def new_module() -> ir.Module:
    """An empty module for this machine."""
    module = ir.Module(name="botkit")
    module.triple = llvm.get_process_triple()
    return module


@dataclass(frozen=True)
class Code:
    """Machine code in memory; it stays there until the process ends."""

    engine: Any

    def address(self, symbol: str) -> int:
        """Where a function or a global variable lies."""
        found: int = self.engine.get_function_address(symbol)
        return found or int(self.engine.get_global_value_address(symbol))


def compile_module(module: ir.Module) -> bytes:
    """An object file for this very processor."""
    machine = _machine()
    parsed = llvm.parse_assembly(str(module))
    tuning = llvm.create_pipeline_tuning_options(speed_level=2)
    # The kernels say themselves what is unrolled and what is a vector.
    tuning.loop_unrolling = False
    tuning.loop_interleaving = False
    tuning.loop_vectorization = False
    tuning.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, tuning)
    builder.getModulePassManager().run(parsed, builder)
    code: bytes = machine.emit_object(parsed)
    return code


def load(code: bytes) -> Code:
    """Load an object file that :func:`compile_module` made."""
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    # Threads may run the code until the very end, when the interpreter throws its objects away.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(engine))
    return Code(engine)


def _machine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=2,
        jit=True,
    )
