# Installed files: filled in below.
