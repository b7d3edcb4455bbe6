"""Renode as an emulator of the nRF52840 boards. Written after its sources (1.16.1), not run where this was written."""
