"""Lambda on this machine: function processes, and the Runtime API that feeds them."""
