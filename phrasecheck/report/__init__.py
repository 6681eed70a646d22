"""One renderer a format, each drawn from a CallResult and the lexicon alone: json, html, xlsx (and csv), terminal."""
