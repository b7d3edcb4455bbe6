"""TinyLTC: liquid time-constant networks from wrist recordings to a Cortex-M4F image."""

import os

__version__ = "0.1.0"

# numpy's matrices here are small: several BLAS threads cost more in waiting for each other than they save, many times
# over on a busy machine. Must be set before numpy is imported first; a value the user has set stays.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
