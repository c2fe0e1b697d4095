"""How large a model is and how fast it runs, on shapes alone, without a weight."""
