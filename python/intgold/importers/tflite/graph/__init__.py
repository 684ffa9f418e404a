"""What is done to the graph of a file before its ops are taken one by one."""
