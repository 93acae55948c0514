"""Reports on versions for people: one HTML file each."""
