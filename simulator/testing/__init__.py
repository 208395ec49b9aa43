"""For a receiver's own test suite: a broker, a played scenario, assertions on the ledger.

Rule of the room: what a test sees is what a user gets. The scenario is played by the same program
in a process of its own, so that a test's event loop, warnings and signals stay its own; every wait
has a deadline; an assertion that fails says in one sentence who missed what.
"""
