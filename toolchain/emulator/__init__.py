"""A virtual nRF52840 board that runs the very image that would be flashed.

The core is Unicorn (an optional extra: ``pip install tinyltc[emulator]``). Unicorn's library is licensed
under GPL-2.0, although its PyPI metadata says BSD; nothing outside this package imports it, and this package
imports it only when a board is made (:mod:`toolchain.emulator.unicorn_api`). Everything around the core is
here: interrupts and exceptions, virtual time, peripherals with DMA, the IMU on its bus, and a static estimate
of the cycles (:mod:`toolchain.emulator.cost`). Entry point: :class:`toolchain.emulator.board.VirtualBoard`.
"""
