-- Since when the host of a booking is away and no other seat fits (epoch ms); NULL while it has a place. Its owner is told once.
-- Coordinators of the release before neither read nor write it.
ALTER TABLE `bookings` ADD `unplaceable_at` bigint;
