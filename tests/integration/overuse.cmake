# Overuse, wear and health, with real programs.
