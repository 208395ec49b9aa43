"""``python -m simulator`` is ``alertsim``."""

from simulator.cli import main

if __name__ == "__main__":
    main()
