"""MySQL, MariaDB and whatever else SQLAlchemy has a dialect for, as a source."""
