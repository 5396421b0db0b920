"""The main job, from sign-up to a license verified offline, done over HTTP as a front end would do it."""
