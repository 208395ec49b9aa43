"""The alert message: life cycle, CAP 1.2 content, wire codecs, topics. Pure; exercises only."""
