"""Flashing a board: find it, write the image, prove that it is there, hear the firmware say so.

``stage.py`` is the whole of it; one file for each method (``swd``, ``uf2``, ``dfu``, ``bossa``), which knows nothing of the
others. Nothing here reports success that was not seen: every method ends in the bytes read back, a checksum that the
bootloader computed, or the hashes in the firmware's own words, and the stage says which.
"""
