"""The ordered steps that bring an environment to what the project says, as data, with the reason of each."""
