"""The serial protocol of docs/SPEC.md, 5, on the host's side: frames, messages, and the link to a device."""
