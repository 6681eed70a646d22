"""How our own encoder is made: data, train, calibrate, export, evaluate. Needs the `train` extra (torch)."""
