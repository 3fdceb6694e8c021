-- 0009 invites. Needs ALTER and INDEX; `sessions` holds those that live and the last that ended, so both take a moment. Coordinators
-- of the release before go on beside it: invites of sessions that they start open only where the session's host is connected.

-- By whichever coordinator an invite is used, its session is found.
ALTER TABLE `sessions` ADD `invite` varchar(64) CHARACTER SET ascii COLLATE ascii_bin;
--> statement-breakpoint
CREATE INDEX `sessions_invite` ON `sessions` (`invite`);
--> statement-breakpoint
-- What has become of a host's sessions since somebody looked last.
CREATE INDEX `sessions_updated` ON `sessions` (`host`,`updated_at`);
