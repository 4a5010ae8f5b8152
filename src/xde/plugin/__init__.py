"""The one door for authors of connectors: what they write against, and how what they wrote is found."""
