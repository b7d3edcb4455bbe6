"""What one step costs: ``tinyltc bench step``.

Each row of the table is an ELF file without a HAL (firmware/bench) whose functions are called one by one on a bare core
(:mod:`toolchain.emulator.bare`), after its outputs were found equal to the reference's. What a figure counts is said in
:class:`toolchain.bench.figures.Figures`.
"""
