"""Commands of ``tinyltc`` by field: options and help, no logic. ``toolchain/cli.py`` puts them together."""
