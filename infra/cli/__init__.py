"""The operator's command: what is done from a terminal, with the deployment's own secrets and no HTTP."""
