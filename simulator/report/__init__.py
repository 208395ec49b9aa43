"""The report room: a run's files, and what people read of them.

Rule of the room: everything comes from a run directory (manifest, timeline, summary, deliveries);
nothing is measured or judged here, and no client or broker is seen. Tables (polars) and pictures
(plotly) are imported only when a report is made, never by importing this package.
"""
