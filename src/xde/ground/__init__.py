"""What everything stands on: names, places in texts, findings, errors, time, digests."""
