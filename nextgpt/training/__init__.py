"""Training in the paper's three stages; only projections, signal rows and LoRA ever change."""
