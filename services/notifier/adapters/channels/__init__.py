"""One file for each channel: the only modules of the notifier that connect to the outside."""
