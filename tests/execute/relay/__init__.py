"""A study whose trials come to grief on request, for the tests of the cluster."""
