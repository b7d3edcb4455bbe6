"""The way out: a device's gestures do something (``tinyltc listen``) and its life is seen (``tinyltc monitor``)."""
