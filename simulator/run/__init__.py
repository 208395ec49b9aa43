"""The composition: simulate → connect → suback → probe → publish → drain → account → write.

Rule of the room: the only place that knows every other room. It holds no model and no measure of
its own; it wires them together, keeps the deadlines, and makes sure that every end is an orderly
one: no child process, no retained message and no half-written file is left behind.
"""
