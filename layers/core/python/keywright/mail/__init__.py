"""Mail to people. What it says is pure; sending it is a job, so that a lost connection loses no mail."""
