"""Compiled text models: made from Hugging Face folders, loaded and run without their framework."""
