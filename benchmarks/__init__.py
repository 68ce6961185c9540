"""`make bench-NAME` prints figures beside their limits and writes build/bench/NAME.json."""
