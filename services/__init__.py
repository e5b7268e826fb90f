"""The services of Drumbeat: strangers to each other, sharing only `schemas` and `services.chassis`."""
