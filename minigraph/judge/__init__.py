"""The judge: scores that can be trusted, for a folder of submissions.

    python -m minigraph judge SUBMISSIONS --results RESULTS

Read `collecting.py` (which notebook is whose), `inside/` (what runs in the sandbox), `sandboxes.py`
(what stands around it), `asking.py` (a question to the process inside, and its answer),
`verdicts.py` (what an answer is worth), `judging.py` (a whole class), `cluster.py` (on many
machines) and `results.py` (the form of what is written).
"""
