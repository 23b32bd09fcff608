"""Fakes and builders shared by tests; they ship with the tests, never with the product."""
