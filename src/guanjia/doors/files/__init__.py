"""Files on cases: having one, and seeing and erasing those of a case."""
