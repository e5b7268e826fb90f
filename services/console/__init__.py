"""The console: the face an operator sees, in the browser and at the terminal; a client of the HTTP APIs, nothing else."""
