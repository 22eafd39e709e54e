"""Statistics over votes: agreement, consensus, skill, bias, calibration. Arrays in, arrays out."""
