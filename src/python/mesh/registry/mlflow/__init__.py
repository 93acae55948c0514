"""The registry on MLflow."""
