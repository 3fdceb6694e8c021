/**
 * Every bound that more than one program must agree on, with its unit last in the name.
 * What happens when a bound is passed is said beside it. Bounds of one program live in that program.
 */
export const limits = {
  /** A browser's or a streamer's frame; larger closes the socket with 1009. */
  frame_bytes: 64 * 1024,
  /** A frame on the agent link; larger closes the link with 1009. */
  link_frame_bytes: 256 * 1024,
  /** What may wait unsent for a browser before its socket is closed as too slow. */
  browser_backlog_bytes: 256 * 1024,
  /** What may wait unsent on an agent link before the link is closed as too slow. */
  link_backlog_bytes: 1024 * 1024,
  /** Sustained messages per second on one socket; a flood beyond the burst closes it. */
  messages_per_second: 50,
  /** More than what a resumed player channel brings at once: see `channel-state.ts`. */
  messages_burst: 300,
  /** Malformed messages that a socket may send within a minute before it is closed. */
  bad_messages_per_minute: 20,
  /** Longest HTTP body. */
  body_bytes: 64 * 1024,
  /** The longest close reason that RFC 6455 allows, in UTF-8 bytes. */
  close_reason_bytes: 123,
  /** An agent says HEARTBEAT this often. */
  heartbeat_ms: 5_000,
  /** Silence after which either end of the agent link gives the connection up. */
  link_silence_ms: 15_000,
  /** Longest file that people write: servers.json, configuration.json, config.json. A longer one counts as broken. */
  file_bytes: 5 * 1024 * 1024,
  /** Participants of one session. */
  participants: 32,
} as const;
