"""What holds weights. Each engine does one thing behind a Protocol that the stage using it defines."""
