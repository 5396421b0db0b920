"""The pages of the stand-in. HTML only: they are given what to show and decide nothing."""
