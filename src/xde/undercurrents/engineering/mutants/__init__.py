"""Mutants of a model: deliberate faults in its SQL, to see whether its tests would notice."""
