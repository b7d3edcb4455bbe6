"""QEMU (qemu-system-arm) as an emulator of the board mps2-an386: found, started, stepped and fed."""
