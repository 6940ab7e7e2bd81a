/// Something that a `DeadlineWheel` can remind of its deadline.
protocol DeadlineMember: AnyObject {
    /// When `deadlineReached` is due. Set by the wheel only.
    var deadline: UInt64 { get set }
    /// Where the wheel keeps the member; the wheel's own business.
    var wheelPlace: DeadlineWheelPlace { get set }
    /// Called at or a little after `deadline`; returns the next one, or nil for none.
    func deadlineReached(now: UInt64) -> UInt64?
}

struct DeadlineWheelPlace {
    fileprivate var slot: UInt16 = 0
    fileprivate var index: UInt32 = .max

    fileprivate var isSet: Bool { self.index != .max }
}

/// Deadlines of all connections of one loop: putting one in, moving it and taking it out cost the same whatever there
/// are, and a tick looks only at those that may be due.
///
/// A deadline that moves later stays where it is and is looked at again when its old time comes, so activity on a
/// connection costs nothing here. Confined to its loop.
final class DeadlineWheel<Member: DeadlineMember> {
    /// The length of a tick in nanoseconds: how late a member may be reminded.
    static var tick: UInt64 { 250_000_000 }
    private static var slotCount: Int { 1024 }

    private var slots: [[Member]] = Array(repeating: [], count: DeadlineWheel.slotCount)
    /// The tick that has been looked at last.
    private var current: UInt64

    init(now: UInt64) {
        self.current = now / Self.tick
    }

    /// Sets a member's deadline and takes it in if it was out.
    func schedule(_ member: Member, at deadline: UInt64) {
        if member.wheelPlace.isSet {
            let isLater = deadline >= member.deadline
            member.deadline = deadline
            guard !isLater else { return }
            self.remove(member)
        }
        member.deadline = deadline
        let due = max(deadline / Self.tick + 1, self.current + 1)
        let tick = min(due, self.current + UInt64(Self.slotCount) - 1)
        let slot = Int(tick % UInt64(Self.slotCount))
        member.wheelPlace = DeadlineWheelPlace(slot: UInt16(slot), index: UInt32(self.slots[slot].count))
        self.slots[slot].append(member)
    }

    func remove(_ member: Member) {
        guard member.wheelPlace.isSet else { return }
        let slot = Int(member.wheelPlace.slot)
        let index = Int(member.wheelPlace.index)
        let last = self.slots[slot].removeLast()
        if last !== member {
            self.slots[slot][index] = last
            last.wheelPlace.index = UInt32(index)
        }
        member.wheelPlace = DeadlineWheelPlace()
    }

    /// Reminds every member whose deadline has come, until `isTimeUp`; false when there are more.
    func advance(to now: UInt64, isTimeUp: () -> Bool) -> Bool {
        while self.current < now / Self.tick {
            let slot = Int((self.current + 1) % UInt64(Self.slotCount))
            // Nobody is put into this slot again, because `now` lies in its tick or behind it.
            while let member = self.slots[slot].popLast() {
                member.wheelPlace = DeadlineWheelPlace()
                if member.deadline > now {
                    self.schedule(member, at: member.deadline)
                } else if let next = member.deadlineReached(now: now) {
                    self.schedule(member, at: max(next, now + 1))
                }
                if isTimeUp() { return false }
            }
            self.current += 1
        }
        return true
    }

    /// Every member, in no order.
    var members: [Member] { self.slots.flatMap { $0 } }
}
