"""How well events are found on labelled data, beside other detectors, and how the promise is kept."""
