"""``tinyltc search``: which network of those that a device can afford knows gestures best.

:mod:`space` says what may vary, :mod:`cost` what a candidate costs on the device, :mod:`objective` how well one does on
people it never saw, :mod:`tuning` runs them with Ray Tune (the extra ``tinyltc[search]``, imported there alone), and
:mod:`pareto` and :mod:`picture` show what came out.
"""
