"""The command line `claw`."""
