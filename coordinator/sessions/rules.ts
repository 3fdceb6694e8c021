/** What the operator may set about sessions, in the units that the domain counts in. */
export interface SessionSettings {
  /** From the request to the streamer's registration. */
  readonly start_timeout_ms: number;
  /** From "ready" to the first connection of a participant. */
  readonly first_join_ms: number;
  /** From the close of a participant's last connection to counting it as gone. */
  readonly leave_grace_ms: number;
  /** So long a page that never tells of input counts as active after its stream began. */
  readonly silent_page_ms: number;
  /** From the loss of a host's link to the end of its sessions. */
  readonly host_lost_ms: number;
  /** From a booking's beginning to giving it up when nobody has come. */
  readonly no_show_ms: number;
  readonly code_digits: number;
  /** Participants present in one session. */
  readonly participants: number;
}
