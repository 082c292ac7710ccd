"""Long runs with faults: the soak, and the chaos loop."""
