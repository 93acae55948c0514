"""The target type `program`: one program of a component."""
