"""Experiments: a scenario played many times, varied, and what follows from all of it.

Rule of the room: a plan comes in, rows come out, one per replication; the same plan gives the same
rows whatever plays them (this process, several, or a cluster) and in whatever order they finish.
Nothing here writes a file or prints: what keeps the rows is handed in.
"""
