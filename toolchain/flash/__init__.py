"""Flashing a board: find it, write the image, prove that it is there, hear the firmware say so.

``stage.py`` is the whole of it; one file for each method (``swd``, ``uf2``, ``dfu``, ``bossa``), which knows nothing of
the others. Nothing here reports success that was not seen: it ends in the bytes read back, or in the hashes that the
firmware says of itself, and the stage says which.
"""
