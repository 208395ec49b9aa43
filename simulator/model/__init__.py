"""The discrete-event model: ``simulate(scenario, seed) -> Timeline``. Pure; never sees MQTT."""
