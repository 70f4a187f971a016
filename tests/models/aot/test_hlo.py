"""Reading compiled programs: lines as the TPU and GPU compilers of JAX 0.10 write them."""

from botkit_models.aot.hlo import collectives, kernels
from botkit_models.aot.order import Traffic

TPU = """\
%fused_computation.1 (param_0: f32[8]) -> f32[8] {
  %inner = f32[8]{0} fusion(%param_0), kind=kLoop, calls=%other
}

ENTRY %main.26_spmd (param.4: f32[16032]) -> (bf16[32,4096]) {
  %param.2 = s8[16032,4096]{1,0:T(32,128)(4,1)} parameter(1), sharding={devices=[8,1]<=[8]}
  %all-reduce.2 = f32[32]{0:T(128)S(1)} all-reduce(%get-tuple-element.39), channel_id=5
  %all-reduce.3 = bf16[32,4096]{1,0:T(8,128)(2,1)S(1)} all-reduce(%fusion.91), channel_id=6
  %both = (f32[32]{0:T(128)}, s32[32]{0}) all-reduce(%a, %b), channel_id=7
  %all-gather.3 = f32[8,1,32]{2,1,0:T(1,128)S(1)} all-gather(%r), channel_id=8
  %scatter_fusion = bf16[32,2048,128]{2,1,0} fusion(%p, %i, %u), kind=kCustom, calls=%f.1
  ROOT %fusion.91 = bf16[32,4096]{1,0:T(8,128)(2,1)} fusion(%x, %y), kind=kOutput, calls=%f.2
}
"""
GPU = """\
ENTRY %main.9 (p0: s8[4,8]) -> f32[4] {
  %start = (bf16[1024]{0}, bf16[8192]{0}) all-gather-start(%p), channel_id=1
  %done = bf16[8192]{0} all-gather-done(%start)
  %gemm_fusion_dot.1 = bf16[32,64]{1,0} fusion(%p0), kind=kCustom, calls=%g, \
backend_config={"fusion_backend_config":{"kind":"__triton_gemm"}}
  %cublas = (bf16[32,64]{1,0}, s8[1024]{0}) custom-call(%a, %b), custom_call_target="__cublas$gemm"
  ROOT %loop = f32[4]{0} fusion(%z), kind=kLoop, calls=%h
}
"""


def test_exchanges_are_counted_with_the_bytes_of_their_results():
    assert collectives(TPU) == {
        "all-gather": Traffic(1, 8 * 32 * 4),
        "all-reduce": Traffic(3, 32 * 4 + 32 * 4096 * 2 + 32 * 8),
    }


def test_an_exchange_that_is_started_and_awaited_counts_once():
    assert collectives(GPU) == {"all-gather": Traffic(1, 8192 * 2)}


def test_kernels_are_those_of_the_entry_by_kind():
    assert kernels(TPU) == {"fusion custom": 1, "fusion output": 1}
    assert kernels(GPU) == {"call cublas$gemm": 1, "fusion loop": 1, "fusion triton_gemm": 1}
