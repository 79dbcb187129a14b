"""How the bundled weights were made: corpus, autoencoder, CLIP, denoiser, captioner, and their evaluation."""
