"""What the doctor looks at. Each function yields what it finds; none changes anything."""
