"""The integer model as data: graph, ports, builder, artefact. No engine."""
