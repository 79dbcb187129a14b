"""What every library says when memory is short, and what only sounds like it."""

from __future__ import annotations

import errno

import numpy as np
import pytest
import torch

from pipelines.errors import InvalidRequest, OutOfMemory
from pipelines.runtime.out_of_memory import is_out_of_memory, out_of_memory_is_ours

SHORT = [
    "CUDA out of memory. Tried to allocate 2.00 GiB.",
    "CUDA error: out of memory",
    "HIP out of memory. Tried to allocate 2.00 GiB.",
    "XPU out of memory. Tried to allocate 2.00 GiB.",
    "MPS backend out of memory (MPS allocated: 5.05 GB, other allocations: 2.29 MB, max allowed: 5.10 GB).",
    "Invalid buffer size: 16.00 GB",
    "CUDNN_STATUS_ALLOC_FAILED",
    "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "Unable to find a valid cuDNN algorithm to run convolution",
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate",
    "[enforce fail at alloc_cpu.cpp:83] data. DefaultCPUAllocator: not enough memory: you tried to allocate 100 bytes.",
    "Could not allocate memory to change Tensor SizesAndStrides!",
    "unable to mmap 4096 bytes from file <x>: Cannot allocate memory (12)",
    "could not create a primitive",
    "could not create a primitive, run with ONEDNN_VERBOSE=all",
    "could not create a memory object",
    "could not execute a primitive",
    "std::bad_alloc",
    "bad allocation",
    "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Failed to allocate memory for requested buffer of size 100",
    "[ONNXRuntimeError] : 6 : Available memory of 0 is smaller than requested bytes of 100",
    "Intel oneMKL DFTI ERROR: Not enough memory to allocate",
]


@pytest.mark.parametrize("text", SHORT)
def test_every_library_has_its_own_words(text):
    assert is_out_of_memory(RuntimeError(text))
    assert is_out_of_memory(type("Fail", (Exception,), {})(text))  # those of onnxruntime are no RuntimeErrors


@pytest.mark.parametrize(
    "error",
    [MemoryError(), torch.OutOfMemoryError("no words"), OutOfMemory("ours"), OSError(errno.ENOMEM, "Cannot allocate")],
)
def test_some_have_a_class_for_it(error):
    assert is_out_of_memory(error)


def test_numpy_has_it_from_python():
    with pytest.raises(MemoryError) as caught:
        np.empty(2**60, np.uint8)
    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("could not create a primitive descriptor for the matmul primitive."),
        RuntimeError("could not create a memory descriptor from blob"),
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        ValueError("the token 'out of memory' is unknown"),
        KeyError("out of memory"),
        InvalidRequest("prompt", "out of memory", "something else"),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.ENOENT, "No such file", "/models/out of memory"),
    ],
)
def test_what_only_sounds_like_it_is_something_else(error):
    assert not is_out_of_memory(error)


def test_the_librarys_error_is_let_go_with_all_that_it_holds():
    def fails():
        raise RuntimeError("could not create a primitive")

    with pytest.raises(OutOfMemory) as caught:
        out_of_memory_is_ours(fails)()
    assert caught.value.__context__ is caught.value.__cause__ is None
