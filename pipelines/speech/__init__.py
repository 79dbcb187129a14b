"""Text to sound: the plan of a text, voices behind one small interface, the whole as a file with its subtitles.

`known`, `markup` and `subtitles` are for the web process too: they import no torch and open no model.
"""
