"""What goes another way than it should: noted once, told of, and measured."""
