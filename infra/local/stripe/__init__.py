"""
A stand-in for Stripe: a real HTTP server that the official client and a browser can talk to.

It exists so that a machine without a Stripe account can run the whole main job. It never ships in a layer, and
nothing under ``functions`` or ``keywright`` may import it. Everything lives in memory and ends with the process.
"""
