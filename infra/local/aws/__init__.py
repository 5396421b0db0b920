"""The parts of AWS that hold secrets, send mail and carry events: moto's server, and a mailbox to read the mail in."""
