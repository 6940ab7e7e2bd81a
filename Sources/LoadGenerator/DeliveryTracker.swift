internal import Glibc
internal import Histogram
internal import PusherProtocol

/// The bookkeeping of what the connections of one event loop receive. Confined to its loop.
package final class DeliveryTracker {
    /// One event that is under way.
    private struct Progress {
        var event: UInt32 = 0
        var isUsed = false
        var channel = 0
        /// How many connections of this loop have it, and should.
        var received = 0
        var expected = 0
        /// The first delivery's message, which was checked in full: others need only be the same.
        var message: [UInt8] = []
    }

    /// How many events are followed at once, more than `Pacer` has under way; one that is older is only counted.
    private static let places = 16_384

    private let plan: LoadPlan
    private let channels: [String: Int]
    package private(set) var counts = DeliveryCounts()
    private let windows: UnsafeMutableBufferPointer<SequenceWindow>
    private let progress: UnsafeMutableBufferPointer<Progress>
    /// How many connections of this loop are subscribed to each channel.
    private var subscribers: [Int]
    /// The channels' subscription counts leave out a client event's own sender: by publisher, those of this loop.
    private var ownPublishers: Set<Int> = []
    /// Where the marker stood in the last message.
    private var markerOffset = 0
    /// When the run began, and what is measured of it, in nanoseconds.
    private var began: UInt64 = 0
    private var measured: Range<UInt64> = 0..<0
    /// Called when an event has reached all of this loop that it should.
    package var onComplete: (UInt32) -> Void = { _ in }

    /// - Parameter connections: of this loop.
    package init(plan: LoadPlan, channels: [String], connections: Int) {
        self.plan = plan
        self.channels = Dictionary(uniqueKeysWithValues: zip(channels, channels.indices))
        self.subscribers = Array(repeating: 0, count: channels.count)
        self.windows = .allocate(capacity: max(1, connections * plan.subscriptions * plan.publishers))
        self.windows.initialize(repeating: SequenceWindow())
        self.progress = .allocate(capacity: Self.places)
        self.progress.initialize(repeating: Progress())
    }

    deinit {
        self.windows.deinitialize().deallocate()
        self.progress.deinitialize().deallocate()
    }

    /// Begins to count.
    ///
    /// - Parameters:
    ///   - began: the time that `due` counts from.
    ///   - measured: since then, what is measured.
    package func start(began: UInt64, measured: Range<UInt64>) {
        self.began = began
        self.measured = measured
    }

    /// Ends what is measured, when that is earlier than was said.
    func cut(at end: UInt64) {
        self.measured = self.measured.clamped(to: 0..<max(end, self.measured.lowerBound))
    }

    package func subscribed(to channel: Int) { self.subscribers[channel] += 1 }

    func unsubscribed(from channel: Int) { self.subscribers[channel] -= 1 }

    /// The connection that sends a publisher's client events is of this loop: it does not receive them.
    func publishes(as publisher: Int) { self.ownPublishers.insert(publisher) }

    /// How many of this loop should receive an event.
    func expected(on channel: Int, from publisher: Int) -> Int {
        self.subscribers[channel] - (self.ownPublishers.contains(publisher) ? 1 : 0)
    }

    /// Takes one message of a connection, when it is an event of this run.
    ///
    /// - Parameters:
    ///   - index: the connection among those of this loop, and `connection` among all.
    ///   - now: nanoseconds of the clock that `began` is of.
    package func take(_ message: UnsafeRawBufferPointer, index: Int, connection: Int, now: UInt64) -> Bool {
        var found = Marker(message, at: self.markerOffset)
        if found == nil, let offset = Marker.find(in: message) {
            self.markerOffset = offset
            found = Marker(message, at: offset)
        }
        guard let marker = found else { return false }
        let place = self.progress.baseAddress.unsafelyUnwrapped + Int(marker.event) & (Self.places - 1)
        guard let channel = self.check(message, marker, at: place),
            let subscription = self.plan.subscription(ofConnection: connection, to: channel)
        else {
            self.counts.malformed += 1
            return true
        }
        let window = (index * self.plan.subscriptions + subscription) * self.plan.publishers + Int(marker.publisher)
        switch self.windows[window].note(marker.sequence) {
        case .inOrder: break
        case .reordered: self.counts.reordered += 1
        case .duplicate:
            self.counts.duplicated += 1
            return true
        }
        self.count(marker, at: place, now: now &- self.began)
        return true
    }

    /// Something came that no server should send.
    func noteMalformed() { self.counts.malformed += 1 }

    private func count(_ marker: Marker, at place: UnsafeMutablePointer<Progress>, now: UInt64) {
        self.counts.received += 1
        if self.measured.contains(now) { self.counts.measured += 1 }
        if self.measured.contains(marker.due) {
            _ = self.counts.latency.record(now > marker.due ? now - marker.due : 0)
        }
        guard place.pointee.event == marker.event else { return }
        place.pointee.received += 1
        guard place.pointee.received == place.pointee.expected else { return }
        place.pointee.message = []
        self.onComplete(marker.event)
    }

    /// Checks a message and returns its channel. The first of an event is read in full and kept; of the others, one that
    /// is not the same is read in full, too.
    private func check(
        _ message: UnsafeRawBufferPointer, _ marker: Marker, at place: UnsafeMutablePointer<Progress>
    ) -> Int? {
        guard Int(marker.publisher) < self.plan.publishers else { return nil }
        let isKnown = place.pointee.isUsed && place.pointee.event == marker.event
        if isKnown, Self.isEqual(message, place.pointee.message) { return place.pointee.channel }
        guard let event = ServerEvent(decoding: message), event.name == self.plan.eventName,
            event.data == marker.data(size: self.plan.payload), let channel = self.channels[event.channel ?? ""]
        else { return nil }
        if !isKnown, !place.pointee.isUsed || place.pointee.event < marker.event {
            place.pointee.event = marker.event
            place.pointee.isUsed = true
            place.pointee.channel = channel
            place.pointee.received = 0
            place.pointee.expected = self.expected(on: channel, from: Int(marker.publisher))
            place.pointee.message = Array(message)
        }
        return channel
    }

    private static func isEqual(_ message: UnsafeRawBufferPointer, _ other: [UInt8]) -> Bool {
        other.withUnsafeBytes { other in
            guard message.count == other.count, let a = message.baseAddress, let b = other.baseAddress else {
                return false
            }
            return memcmp(a, b, other.count) == 0
        }
    }
}
