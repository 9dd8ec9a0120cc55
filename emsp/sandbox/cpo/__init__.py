"""A charge point operator that speaks OCPI 2.2.1 as SENDER: an outside party for demo and tests."""
