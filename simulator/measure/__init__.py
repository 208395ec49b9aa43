"""Measurement: receipts, ledger, latency, summary. Pure: records in, records out."""
