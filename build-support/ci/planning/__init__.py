"""What a change needs: checks, tests, packages, images and models, each with the reason."""
