"""Score finished runs on any set: by person, in the stream, with intervals; and the table of all figures."""
