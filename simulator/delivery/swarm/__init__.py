"""The subscriber swarm: many measured clients in one loop of one process.

Rule of the room: a worker is told whom to connect and which alerts exist, and reports receipts and
connection changes in the order in which they happened. It judges nothing: the ledger does.
"""
