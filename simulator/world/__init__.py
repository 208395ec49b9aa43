"""The world the model stands on: places and people. Pure; every figure comes from ``config/``."""
