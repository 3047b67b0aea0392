// apus: see RuntimeCLI/Program.swift.

internal import RuntimeCLI

Program.main(CommandLine.arguments)
