"""Tables and charts made from results."""
