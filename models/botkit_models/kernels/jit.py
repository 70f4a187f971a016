"""Turn a module of LLVM IR into machine code in this process."""

from __future__ import annotations

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


def compile_module(module: ir.Module) -> Code:
    """Optimise for this very processor and load."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_triple(module.triple).create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=2,
        jit=True,
    )
    parsed = llvm.parse_assembly(str(module))
    tuning = llvm.create_pipeline_tuning_options(speed_level=2)
    # The kernels say themselves what is unrolled and what is a vector.
    tuning.loop_unrolling = False
    tuning.loop_interleaving = False
    tuning.loop_vectorization = False
    tuning.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, tuning)
    builder.getModulePassManager().run(parsed, builder)
    engine = llvm.create_mcjit_compiler(parsed, machine)
    engine.finalize_object()
    return Code(engine)
