"""One file a family of voices. Each is a `pipelines.speech.voice.Voice`; `opening.py` chooses."""
