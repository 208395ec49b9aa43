"""The service: runs over HTTP, told live, kept as run directories.

Rule of the room: the service never plays anything itself. Every run is a process of its own whose
events are read from a pipe, so that neither a slow page nor a crash of either side touches a
measurement; what it shows of ended runs it reads from their directories. Nothing here is imported
by ``alertsim run``.
"""
