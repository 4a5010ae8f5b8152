"""dbt projects read as they are, without dbt, and written as xde projects: what can be carried over, and what a person must decide."""
