"""One AWS topic per module, each built from the manifest. They are composed in ``infra/stacks``."""
