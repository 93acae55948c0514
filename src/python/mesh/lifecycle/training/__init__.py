"""Fine-tuning of base models."""
