"""The test suite: unit, properties, theory, golden, broker, run, cli, docs, browser, wheel."""
