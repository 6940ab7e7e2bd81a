/// One metric as it is described to Prometheus: a name, what it counts, and by which labels.
package struct Metric: Sendable {
    package enum Kind: String, Sendable { case counter, gauge, histogram }

    /// `switchboard_…`, in base units; a counter's ends with `_total`.
    package let name: String
    package let kind: Kind
    /// A sentence without its full stop, on one line.
    package let help: String
    /// The names of the labels, in the order in which their values are given.
    package let labels: [String]

    package init(_ name: String, _ kind: Kind, _ help: String, labels: [String] = []) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
    }
}
