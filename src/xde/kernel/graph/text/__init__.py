"""What a text of SQL says by itself: its tables, its faults, and its query as plain terms; the room that knows the parser."""
