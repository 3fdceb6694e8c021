-- 0002 strangers and knocks. Needs CREATE. Locks nothing: both tables are new. Coordinators of the release before go on beside it.

-- What callers without an account have now: `holder` is the id of a session, a place in the queue or a booking. `wide` is the /48 of an
-- IPv6 network. Rows go with what they tell of, at `expires_at` at the latest.
CREATE TABLE IF NOT EXISTS `strangers` (
  `holder` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `kind` varchar(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `network` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `wide` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `expires_at` bigint NOT NULL,
  PRIMARY KEY(`holder`),
  INDEX `strangers_network` (`kind`,`network`),
  INDEX `strangers_wide` (`kind`,`wide`),
  INDEX `strangers_expires` (`expires_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- Who typed a code while codes are not looked at. `session_id` is set once the owner has let them in.
CREATE TABLE IF NOT EXISTS `knocks` (
  `id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `participant_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `token_hash` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `code` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `app` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  `guest_name` varchar(400) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  `network` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `session_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
  `created_at` bigint NOT NULL,
  `expires_at` bigint NOT NULL,
  PRIMARY KEY(`id`),
  INDEX `knocks_participant` (`participant_id`),
  INDEX `knocks_made` (`created_at`),
  INDEX `knocks_expires` (`expires_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
