"""The generic steps of projects, from data over training and compiling to serving."""
