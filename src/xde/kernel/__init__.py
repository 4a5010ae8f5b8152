"""A small compiler: project, graph, plan, run; it knows no stage, no database, no screen."""
