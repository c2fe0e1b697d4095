"""Similarity of single items: pictures, clips, sounds and texts, by embeddings and by cepstra."""
