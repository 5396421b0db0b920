"""What contracts bill: invoices and credit notes, from the draft to the money, and how they look."""
