"""What was pushed, on a disk: journals that are written before anybody is answered, and the segments made of them."""
