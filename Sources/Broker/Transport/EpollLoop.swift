internal import CEpoll
import Dispatch
import Glibc
import NIOCore
import Synchronization

/// Something that is told what has become of a descriptor. Confined to its loop.
protocol EventSource: AnyObject {
    /// The descriptor can be read from or written to, or has failed: some of `EPOLLIN`, `EPOLLOUT`, `EPOLLERR` and
    /// `EPOLLHUP`. Called until what is reported has been dealt with or is not waited for any more.
    func ready(_ events: UInt32)
}

/// An event loop on epoll(7): NIO's interface, without its channels (decision 21).
///
/// A turn deals with what descriptors report, then with what was handed over by `execute`, then with timers. Every loop
/// has a thread, which ends with `shutdownGracefully`. Tasks that are handed over later are dropped.
///
/// `@unchecked`: `thread`, `sources` and `closing` are touched on the loop's thread only, the first of them once it is
/// set; what other threads touch is in `shared`, behind its lock.
final class EpollLoop: EventLoop, @unchecked Sendable {
    private struct Timer {
        let id: UInt64
        let due: NIODeadline
        let task: @Sendable () -> Void
    }

    private enum State {
        case running, ending, ended
    }

    private struct Shared {
        var tasks: [@Sendable () -> Void] = []
        /// Few: what needs many deadlines has a wheel.
        var timers: [Timer] = []
        var nextTimer: UInt64 = 0
        /// Whether the loop has been woken for what is handed over, or will look anyway.
        var isAwake = true
        var state = State.running
        var whenEnded: [@Sendable () -> Void] = []
    }

    /// Descriptors whose events one turn deals with: what was handed over and timers wait for so many at most.
    private static let eventsPerTurn = 64

    private let epoll: CInt
    /// An eventfd: other threads write to it to end the loop's wait, behind the lock and until the loop has ended.
    private let alarm: CInt
    private let shared = Mutex(Shared())
    private var thread = pthread_t()
    /// By descriptor.
    private var sources: [(any EventSource)?] = []
    /// Descriptors of this turn that nobody watches any more. Closed when its events have been dealt with: until then no
    /// other socket can have one of their numbers.
    private var closing: [CInt] = []
    /// The room of the tasks that ran last.
    private var running: [@Sendable () -> Void] = []

    /// Starts the thread of the loop. Throws an `IOError` when the system has no descriptors left.
    init(name: String) throws {
        self.epoll = try Self.checked(epoll_create1(CInt(EPOLL_CLOEXEC)), "epoll_create1")
        do {
            self.alarm = try Self.checked(eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK)), "eventfd")
        } catch {
            Glibc.close(self.epoll)
            throw error
        }
        do {
            _ = try Self.checked(self.control(EPOLL_CTL_ADD, self.alarm, EPOLLIN.rawValue), "epoll_ctl")
            try self.startThread(name)
        } catch {
            Glibc.close(self.epoll)
            Glibc.close(self.alarm)
            throw error
        }
    }

    private func startThread(_ name: String) throws {
        let isRunning = DispatchSemaphore(value: 0)
        let start = Unmanaged.passRetained(Start(loop: self, name: name, isRunning: isRunning))
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                start.loop.thread = pthread_self()
                pthread_setname_np(pthread_self(), start.name)
                start.isRunning.signal()
                start.loop.run()
                return nil
            }, start.toOpaque())
        guard failure == 0 else {
            start.release()
            throw IOError(errnoCode: failure, reason: "pthread_create")
        }
        isRunning.wait()
        pthread_detach(thread)
    }

    private final class Start {
        let loop: EpollLoop
        let name: String
        let isRunning: DispatchSemaphore

        init(loop: EpollLoop, name: String, isRunning: DispatchSemaphore) {
            self.loop = loop
            self.name = name
            self.isRunning = isRunning
        }
    }

    static func checked(_ result: CInt, _ call: String) throws -> CInt {
        guard result >= 0 else { throw IOError(errnoCode: errno, reason: call) }
        return result
    }

    // MARK: Descriptors

    /// Reports to `source` when there is something to read from a descriptor that does not block, or it has failed.
    /// Throws an `IOError` when the system watches no more of them.
    func add(_ descriptor: CInt, _ source: any EventSource) throws {
        _ = try Self.checked(self.control(EPOLL_CTL_ADD, descriptor, EPOLLIN.rawValue), "epoll_ctl")
        let index = Int(descriptor)
        if self.sources.count <= index {
            self.sources.append(contentsOf: repeatElement(nil, count: max(64, index + 1)))
        }
        self.sources[index] = source
    }

    /// Changes what is waited for, besides failures, which are always reported.
    func watch(_ descriptor: CInt, _ events: UInt32) {
        let result = self.control(EPOLL_CTL_MOD, descriptor, events)
        assert(result == 0, "the descriptor was added")
    }

    /// Reports no more of a descriptor, and closes it at the end of the turn.
    func close(_ descriptor: CInt) {
        self.sources[Int(descriptor)] = nil
        self.closing.append(descriptor)
    }

    private func control(_ operation: CInt, _ descriptor: CInt, _ events: UInt32) -> CInt {
        var event = epoll_event()
        event.events = events
        event.data.fd = descriptor
        return epoll_ctl(self.epoll, operation, descriptor, &event)
    }

    // MARK: The loop

    private func run() {
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.eventsPerTurn) { events in
            while let timeout = self.beginWait() {
                let count = epoll_wait(self.epoll, events.baseAddress, CInt(events.count), timeout)
                self.shared.withLock { $0.isAwake = true }
                for event in events.prefix(max(Int(count), 0)) { self.report(event) }
                self.runTasks()
                self.runTimers()
                for descriptor in self.closing { Glibc.close(descriptor) }
                self.closing.removeAll(keepingCapacity: true)
            }
        }
        self.sources = []
        Glibc.close(self.epoll)
        let end = self.shared.withLock { shared in
            shared.timers = []
            shared.state = .ended
            Glibc.close(self.alarm)
            return shared.whenEnded
        }
        for callback in end { callback() }
    }

    /// How many milliseconds to wait for events at most; nil when the loop is to end.
    private func beginWait() -> CInt? {
        self.shared.withLock { shared in
            guard shared.tasks.isEmpty else { return 0 }
            guard shared.state == .running else { return nil }
            shared.isAwake = false
            guard let due = shared.timers.min(by: { $0.due < $1.due })?.due else { return -1 }
            let wait = due - .now()
            return wait <= .zero ? 0 : CInt(clamping: (wait.nanoseconds + 999_999) / 1_000_000)
        }
    }

    private func report(_ event: epoll_event) {
        let descriptor = event.data.fd
        if descriptor == self.alarm {
            var count: UInt64 = 0
            _ = read(self.alarm, &count, MemoryLayout<UInt64>.size)
        } else if let source = self.sources[Int(descriptor)] {
            source.ready(event.events)
        }
    }

    private func runTasks() {
        var tasks: [@Sendable () -> Void] = []
        swap(&tasks, &self.running)
        self.shared.withLock { swap(&tasks, &$0.tasks) }
        for task in tasks { task() }
        tasks.removeAll(keepingCapacity: tasks.capacity <= 64)
        swap(&tasks, &self.running)
    }

    private func runTimers() {
        let due = self.shared.withLock { shared -> [Timer] in
            guard !shared.timers.isEmpty else { return [] }
            let now = NIODeadline.now()
            guard shared.timers.contains(where: { $0.due <= now }) else { return [] }
            let due = shared.timers.filter { $0.due <= now }.sorted { $0.due < $1.due }
            shared.timers.removeAll { $0.due <= now }
            return due
        }
        for timer in due { timer.task() }
    }

    // MARK: NIO's event loop

    var inEventLoop: Bool { pthread_equal(pthread_self(), self.thread) != 0 }

    func execute(_ task: @escaping @Sendable () -> Void) {
        let isFromOutside = !self.inEventLoop
        self.shared.withLock { shared in
            shared.tasks.append(task)
            if isFromOutside { self.wake(&shared) }
        }
    }

    private func wake(_ shared: inout Shared) {
        guard !shared.isAwake, shared.state != .ended else { return }
        shared.isAwake = true
        var one: UInt64 = 1
        _ = write(self.alarm, &one, MemoryLayout<UInt64>.size)
    }

    func scheduleTask<T>(
        deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T
    ) -> Scheduled<T> {
        let promise = self.makePromise(of: T.self)
        let id = self.shared.withLock { shared in
            shared.nextTimer += 1
            let timer = Timer(id: shared.nextTimer, due: deadline) {
                do { promise.assumeIsolated().succeed(try task()) } catch { promise.fail(error) }
            }
            shared.timers.append(timer)
            self.wake(&shared)
            return timer.id
        }
        return Scheduled(promise: promise) { [weak self] in
            self?.shared.withLock { shared in shared.timers.removeAll { $0.id == id } }
        }
    }

    func scheduleTask<T>(in delay: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        self.scheduleTask(deadline: .now() + delay, task)
    }

    func next() -> any EventLoop { self }
    func any() -> any EventLoop { self }
    func makeIterator() -> EventLoopIterator { EventLoopIterator([self]) }

    /// Ends the loop behind what it has been handed, and calls back when it has ended.
    func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        let callBack: @Sendable () -> Void = { queue.async { callback(nil) } }
        let hasEnded = self.shared.withLock { shared in
            guard shared.state != .ended else { return true }
            shared.state = .ending
            shared.whenEnded.append(callBack)
            self.wake(&shared)
            return false
        }
        if hasEnded { callBack() }
    }
}
