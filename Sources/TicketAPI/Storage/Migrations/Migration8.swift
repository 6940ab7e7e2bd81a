extension Migrations {
    static let ageOfTheOutbox = """
        -- When an event came in, by the clock of the machine and to the second; unknown of those that are there already.
        ALTER TABLE outbox ADD COLUMN created_at INTEGER;
        """
}
