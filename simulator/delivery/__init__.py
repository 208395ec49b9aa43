"""Delivery over real MQTT: brokers, the measured publisher and the subscriber swarm.

Rule of the room: the shell around the pure rooms. Children are separate processes; they talk to the
run over a pipe with the frozen messages of ``messages`` and die with it.
"""
