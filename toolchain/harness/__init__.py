"""The harness: feeds recordings to a device, listens to it, and compares what it says with the reference."""
