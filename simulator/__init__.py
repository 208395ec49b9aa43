"""alertsim: scenario → timeline → pacer → MQTT broker → subscribers → ledger → latency report."""
