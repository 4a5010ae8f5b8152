"""Drafts: the text of a model, a contract and a case to begin with; nothing in them claims what nobody said."""
