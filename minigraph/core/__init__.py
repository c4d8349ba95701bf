"""What is needed to understand automatic differentiation, and nothing else. Read it in this order:

1. `node.py`: the Node, and the leaves.
2. `operation.py`: what an operation is.
3. `applying.py`: how one is applied to Nodes, and recorded.
4. `stating.py`: the forms in which one is stated.
5. `table.py`: the operations, each beside its derivative; and `indexing.py`.
6. `order.py`: in which order a graph can be computed.
7. `reverse.py`: from the output back, which gives gradients.
8. `forward.py`: from the inputs on.

It imports nothing else of minigraph but `errors/`, where it is said what is refused.
"""
