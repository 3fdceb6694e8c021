-- 0001 first tables. Needs CREATE. Locks nothing: every table is new. Can be applied again at any point.
-- Conventions: each instant (`..._at`, `at`, `claim_until`) is milliseconds since 1970-01-01 00:00 UTC, as BIGINT. Each `id`, hash
-- and state is ASCII, compared byte by byte. No foreign keys, no triggers, no JSON columns: the coordinator keeps the references,
-- and MySQL and MariaDB answer alike. `version` counts the changes of a row.

-- People who can log in. `email` is trimmed and in lower case; `epoch` voids the tokens issued before it grew.
CREATE TABLE IF NOT EXISTS `accounts` (
  `id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `email` varchar(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `name` varchar(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `password_hash` varchar(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `role` varchar(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `state` varchar(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `reason` varchar(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  `epoch` int NOT NULL,
  `quota_sessions` int,
  `quota_minutes` int,
  `created_at` bigint NOT NULL,
  `decided_at` bigint,
  `decided_by` varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
  `version` int NOT NULL,
  PRIMARY KEY(`id`),
  CONSTRAINT `accounts_email` UNIQUE(`email`),
  INDEX `accounts_state` (`state`,`created_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- Hashes of refresh tokens. `family` joins those of one login. Rows past `expires_at` can be deleted at any time.
CREATE TABLE IF NOT EXISTS `refresh_tokens` (
  `token_hash` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `account_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `family` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `expires_at` bigint NOT NULL,
  `used_at` bigint,
  PRIMARY KEY(`token_hash`),
  INDEX `refresh_tokens_account` (`account_id`),
  INDEX `refresh_tokens_family` (`family`),
  INDEX `refresh_tokens_expires` (`expires_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- One-time links that set a new password, by the hash of their secret. Rows past `expires_at` can be deleted.
CREATE TABLE IF NOT EXISTS `reset_links` (
  `token_hash` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `account_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `made_by` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `expires_at` bigint NOT NULL,
  `used_at` bigint,
  PRIMARY KEY(`token_hash`),
  INDEX `reset_links_account` (`account_id`),
  INDEX `reset_links_expires` (`expires_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- Secrets that sign tokens: keep backups of this table as safe as passwords. The newest of a purpose signs; older ones verify
-- until `expires_at`. Deleting a row voids what it signed.
CREATE TABLE IF NOT EXISTS `signing_keys` (
  `id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `purpose` varchar(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `secret` varchar(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `created_at` bigint NOT NULL,
  `expires_at` bigint,
  PRIMARY KEY(`id`),
  INDEX `signing_keys_purpose` (`purpose`,`created_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- The catalogue. Rows with `source` "file" follow servers.json. `title` and `description` hold JSON: texts by language.
CREATE TABLE IF NOT EXISTS `apps` (
  `name` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `title` mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `description` mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `picture` varchar(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  `default_minutes` int NOT NULL,
  `max_minutes` int NOT NULL,
  `idle_seconds` int NOT NULL,
  `who_may_start` varchar(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `lobby` boolean NOT NULL,
  `enabled` boolean NOT NULL,
  `quota_sessions` int,
  `quota_minutes` int,
  `source` varchar(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `version` int NOT NULL,
  PRIMARY KEY(`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- Machines that run apps. `key_hash` is the hash of the key that was shown once. `capacity` holds JSON: graphics cards and what the
-- apps need of them, as the agent last said. `draining_cards` holds JSON: the numbers of cards that take nothing new. `quarantined_at`: one key was on
-- two machines.
CREATE TABLE IF NOT EXISTS `hosts` (
  `name` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `key_hash` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `ip` varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `port` int NOT NULL,
  `seats` int NOT NULL,
  `capacity` mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  `draining` boolean NOT NULL,
  `draining_cards` varchar(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `held_by` varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
  `quarantined_at` bigint,
  `source` varchar(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `created_at` bigint NOT NULL,
  `version` int NOT NULL,
  PRIMARY KEY(`name`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- Hashes of the one-time tokens by which agents get their host's key. Rows past `expires_at` can be deleted.
CREATE TABLE IF NOT EXISTS `enrolments` (
  `token_hash` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `made_by` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `expires_at` bigint NOT NULL,
  `used_at` bigint,
  PRIMARY KEY(`token_hash`),
  INDEX `enrolments_host` (`host`),
  INDEX `enrolments_expires` (`expires_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- Which host has which app.
CREATE TABLE IF NOT EXISTS `host_apps` (
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `app` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  PRIMARY KEY(`host`,`app`),
  INDEX `host_apps_app` (`app`,`host`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- Booked time [starts_at, ends_at) of one seat of one host.
CREATE TABLE IF NOT EXISTS `bookings` (
  `id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `app` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `account_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `seat` int NOT NULL,
  `starts_at` bigint NOT NULL,
  `ends_at` bigint NOT NULL,
  `zone` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `code` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `invite` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `token_hash` varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
  `state` varchar(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `session_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
  `title` varchar(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
  `created_at` bigint NOT NULL,
  `version` int NOT NULL,
  PRIMARY KEY(`id`),
  INDEX `bookings_account` (`account_id`,`starts_at`),
  INDEX `bookings_app` (`app`,`starts_at`),
  INDEX `bookings_host` (`host`,`seat`,`starts_at`),
  INDEX `bookings_state` (`state`,`starts_at`),
  INDEX `bookings_code` (`code`),
  INDEX `bookings_invite` (`invite`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- One row per 5 minutes of a seat that a booking or a session (`holder`) of `app` holds. The primary key is the proof that no
-- two of them overlap: never drop it. Rows go when their holder is cancelled or over.
CREATE TABLE IF NOT EXISTS `seat_slots` (
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `seat` int NOT NULL,
  `slot_at` bigint NOT NULL,
  `holder` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `app` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  PRIMARY KEY(`host`,`seat`,`slot_at`),
  INDEX `seat_slots_holder` (`holder`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- Sessions that run or ended lately. `data` holds JSON: the rest of their state. `generation` fences stale hosts.
CREATE TABLE IF NOT EXISTS `sessions` (
  `id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `app` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `seat` int NOT NULL,
  `booking_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
  `account_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
  `generation` int NOT NULL,
  `phase` varchar(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `code` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `ends_at` bigint NOT NULL,
  `data` mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `created_at` bigint NOT NULL,
  `updated_at` bigint NOT NULL,
  `version` int NOT NULL,
  PRIMARY KEY(`id`),
  INDEX `sessions_host` (`host`,`phase`),
  INDEX `sessions_phase` (`phase`,`ends_at`),
  INDEX `sessions_account` (`account_id`,`created_at`),
  INDEX `sessions_booking` (`booking_id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- Codes in use, or in quarantine until `free_at`.
CREATE TABLE IF NOT EXISTS `codes` (
  `code` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `holder` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `free_at` bigint,
  PRIMARY KEY(`code`),
  INDEX `codes_holder` (`holder`),
  INDEX `codes_free` (`free_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- Who waits for a seat to come free.
CREATE TABLE IF NOT EXISTS `queue` (
  `id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `app` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `token_hash` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `created_at` bigint NOT NULL,
  `seen_at` bigint NOT NULL,
  `claim_until` bigint,
  `state` varchar(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `version` int NOT NULL,
  PRIMARY KEY(`id`),
  INDEX `queue_app` (`app`,`state`,`created_at`),
  INDEX `queue_claim` (`state`,`claim_until`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- One row per session that has ended, never changed. Grows for ever: archive by `ended_at` when it becomes large.
CREATE TABLE IF NOT EXISTS `records` (
  `session_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `app` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `host` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `account_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
  `booking_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin,
  `waited_ms` int NOT NULL,
  `phases` mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `minutes` int NOT NULL,
  `participants_max` int NOT NULL,
  `end_reason` int NOT NULL,
  `started_at` bigint NOT NULL,
  `ended_at` bigint NOT NULL,
  PRIMARY KEY(`session_id`),
  INDEX `records_ended` (`ended_at`),
  INDEX `records_account` (`account_id`,`started_at`),
  INDEX `records_account_ended` (`account_id`,`ended_at`),
  INDEX `records_app_ended` (`app`,`ended_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- Addresses that are told of events. `secret` signs what is sent.
CREATE TABLE IF NOT EXISTS `webhooks` (
  `id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `url` varchar(2000) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `secret` varchar(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `events` mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `enabled` boolean NOT NULL,
  `version` int NOT NULL,
  PRIMARY KEY(`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- Events on their way to webhooks. Rows whose `state` is not "waiting" can be deleted; the coordinator does it after 7 days.
CREATE TABLE IF NOT EXISTS `outbox` (
  `id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `webhook_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `event` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `body` mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `created_at` bigint NOT NULL,
  `due_at` bigint NOT NULL,
  `attempts` int NOT NULL,
  `state` varchar(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `delivered_at` bigint,
  PRIMARY KEY(`id`),
  INDEX `outbox_due` (`state`,`due_at`),
  INDEX `outbox_next` (`webhook_id`,`state`,`due_at`),
  INDEX `outbox_webhook` (`webhook_id`,`created_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- What administrators did. Grows for ever: archive by `at`.
CREATE TABLE IF NOT EXISTS `audit` (
  `id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `at` bigint NOT NULL,
  `actor` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `action` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `subject` varchar(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `detail` mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  PRIMARY KEY(`id`),
  INDEX `audit_at` (`at`),
  INDEX `audit_actor` (`actor`,`at`),
  INDEX `audit_subject` (`subject`,`at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- Answers to requests with an Idempotency-Key. Rows past `expires_at` can be deleted.
CREATE TABLE IF NOT EXISTS `idempotency` (
  `scope` varchar(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `request_key` varchar(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `body_hash` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `state` varchar(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  `status` int NOT NULL,
  `response` mediumtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `expires_at` bigint NOT NULL,
  PRIMARY KEY(`scope`,`request_key`),
  INDEX `idempotency_expires` (`expires_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
--> statement-breakpoint
-- Counts for throttling. Rows past `expires_at` can be deleted.
CREATE TABLE IF NOT EXISTS `counters` (
  `name` varchar(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  `window_at` bigint NOT NULL,
  `hits` int NOT NULL,
  `expires_at` bigint NOT NULL,
  PRIMARY KEY(`name`,`window_at`),
  INDEX `counters_expires` (`expires_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
