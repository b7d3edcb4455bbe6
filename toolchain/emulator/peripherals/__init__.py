"""Peripherals of the nRF52840, one per file. PS means the nRF52840 Product Specification v1.7."""
