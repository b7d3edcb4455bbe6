"""Capture: from a device's samples to recordings on the disk, with every loss told (docs/capture.md)."""
