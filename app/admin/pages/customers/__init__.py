"""Customers: found by what they are called, and shown with what was agreed, bought and said, and what ran for them."""
