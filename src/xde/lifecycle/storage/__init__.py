"""Storage: the lake of open tables, written aside, audited, then published by one commit."""
