"""Benchmarks: minigraph beside PyTorch, JAX, autograd, MyGrad and micrograd, in the same run.

    python3 -m tests.benchmarks
    python3 -m tests.benchmarks --chart cost.svg --json figures.json

`contenders` says what each library runs, `measuring` times it, `report` writes the table, the JSON
and the chart. No absolute time is asserted anywhere: what counts is the ratio.
"""
