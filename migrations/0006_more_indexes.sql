-- 0006 more indexes. Needs INDEX. Built while reads and writes go on (online DDL). Coordinators of the release before go on.

-- The list of accounts, the oldest first.
CREATE INDEX `accounts_created` ON `accounts` (`created_at`);
--> statement-breakpoint
-- Administrators, among whom one has to stay.
CREATE INDEX `accounts_role` ON `accounts` (`role`);
--> statement-breakpoint
-- The bookings to come of one host, among all those that are over.
CREATE INDEX `bookings_host_state` ON `bookings` (`host`,`state`,`starts_at`);
--> statement-breakpoint
-- The list of a host's bookings by their time, and the list of all of them.
CREATE INDEX `bookings_host_starts` ON `bookings` (`host`,`starts_at`);
--> statement-breakpoint
CREATE INDEX `bookings_starts` ON `bookings` (`starts_at`);
