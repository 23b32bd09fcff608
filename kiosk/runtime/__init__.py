"""The shell around the pure core: loop, perceive, worker, perform, health, journal, watchdog, wiring."""
