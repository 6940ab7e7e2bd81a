import ArgumentParser
import Yams

@main
struct Runner: ParsableCommand {}
