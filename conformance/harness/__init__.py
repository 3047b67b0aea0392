"""The conformance suite's engine: one module for each subject, cases live in ../cases."""
