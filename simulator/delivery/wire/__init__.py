"""The wire layer: socket → (TLS, WebSocket later) → codec, no threads and no event loop.

Rule of the room: bytes come in, frozen packets go out, and back. Nothing here blocks, reads a clock
(times are arguments) or knows what an alert is.
"""
