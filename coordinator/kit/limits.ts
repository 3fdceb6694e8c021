/**
 * The coordinator's own bounds, with the unit last in the name. What happens when a bound is passed is said beside it.
 * Bounds shared with the other programs live in `shared/limits.ts`; what an operator may set, in `configuration.json`.
 */
export const bounds = {
  /** A participant who was cut off is waited for so much longer than one who has left: page and host can resume till then. */
  resume_ms: 60_000,
  /** Frames that one message of a resumable channel may cost, its confirmation included. */
  resumable_frames: 2,
  /** A ticket opens nothing after this time. */
  ticket_ms: 30_000,
  /** After its connection has ended a ticket opens another for so long: Epic's pages dial the same address again. */
  ticket_again_ms: 60_000,
  /** Refused players of one network within this time are told later each time, at last so late; so many wait over all. */
  refusals_ms: 60_000,
  refusal_held_ms: 10_000,
  refusals_held: 1_000,
  /** Tickets remembered for one participant; a further one pushes out the oldest. */
  tickets_per_participant: 8,
  /** Signalling connections one participant may have open at a time; a further one is refused as session_full. */
  channels_per_participant: 4,
  /** Participants remembered by one session, those who went away included; the longest gone is forgotten first. */
  participants_remembered: 128,
  /** How long an ended session can still be asked why it ended. */
  ended_kept_ms: 300_000,
  /** END_SESSION is repeated this often until the host confirms it. */
  end_repeat_ms: 10_000,
  /** How long a session that the host was told to stop on HELLO counts as occupying a seat there, at most. */
  host_stopping_ms: 30_000,
  /**
   * When another process pushed the host's agent out: so long the one that was pushed out may come back, which waits 30 s at
   * most and dials for 10 s. Till then what the newcomer lacks may run on another machine; after it the newcomer is believed.
   */
  host_doubt_ms: 45_000,
  /** The part of a session's room that is kept for guests with an invite. */
  room_for_invited: 0.25,
  /** Who came by code from one network and has not answered the stream yet; a further one is refused as session_full. */
  joins_of_network: 12,
  /** Who waits in the lobby of one session, and of them from one network; a further one is refused as session_full. */
  knocks_of_session: 16,
  knocks_of_network: 3,
  /** Who may wait in all lobbies together while codes are not looked at: of a network, of an IPv6 /48, and of all. */
  knocks_waiting_of_network: 30,
  knocks_waiting_of_wide_network: 120,
  knocks_waiting: 20_000,
  /** How long a guest waits in the lobby before it counts as gone. */
  lobby_ms: 600_000,
  /** The end for want of activity is announced this long before. */
  idle_countdown_ms: 60_000,
  /** An extension is offered this long before the end, if the seat is free after it, and is at most this long. */
  extension_offer_ms: 600_000,
  extension_ms: 1_800_000,
  /** Hosts that are tried for a new session when others take their seats meanwhile. */
  hosts_tried: 8,
  /** Places in the queue of one app; a further one is refused. */
  queue_places: 200,
  /** Places in queues that one network may take within this time; a further one is refused. */
  queue_entries_of_network: 10,
  queue_entries_ms: 600_000,
  /** Sessions of strangers that nobody came to are remembered for so long. */
  unused_ms: 1_800_000,
  /** The part of an app's seats that strangers may have where others have accounts, unless the operator says another. */
  anonymous_seats_percent: 75,
  /** Who has asked for its place within this time is there: a seat is kept back from others who come. */
  queue_present_ms: 15_000,
  /** How long a seat that came free is kept for whose turn it is. */
  queue_claim_ms: 60_000,
  /** Who has not asked for its place for so long loses it. */
  queue_forgotten_ms: 60_000,
  /** Nobody queues for longer; a row that says whose the place is goes then. */
  queue_longest_ms: 86_400_000,
  /** Instances for bookings are wished for this long before these open. */
  warm_ahead_ms: 900_000,
  /** A session that could not last so long is not started. */
  session_ms_least: 300_000,
  /** Frames of a host, and their bytes, that wait while its HELLO is dealt with; one more closes the link. */
  frames_held: 256,
  bytes_held: 1024 * 1024,
  /** An agent that has not said HELLO by then is disconnected. */
  hello_ms: 5_000,
  /** Longest first frame of a link, and of one whose key is no host's; a longer one closes it with 1009. */
  hello_bytes: 64 * 1024,
  strange_hello_bytes: 8 * 1024,
  /** How often deadlines are looked at. */
  tick_ms: 1_000,
  /** Longest wait of a long poll; then the unchanged session is answered. */
  long_poll_ms: 25_000,
  /** Long polls held at a time, over all and for one session; a further one is answered at once. */
  waiters: 5_000,
  waiters_per_session: 64,
  /** Entries in one answer to GET_SERVERS; a wider range is refused. */
  servers_per_answer: 100,
  /** Live sessions that one client of `/ws` may take part in; a further one is refused. */
  sessions_per_client: 4,
  /** WebSockets over all; a further upgrade is refused. Those of visitors leave a part to the hosts. */
  connections: 20_000,
  connections_for_hosts: 2_000,
  /** Links whose key is no host's, until their HELLO is refused: over all, and of one network. A further one is refused. */
  strange_links: 200,
  strange_links_of_network: 20,
  /** WebSockets that a network may open in this time, so many times what it may have open; a further upgrade is refused. */
  upgrades_ms: 10_000,
  upgrades_per_connection: 2,
  /** A client of `/ws` that says nothing for so long, waits for nothing and takes part in no session is disconnected. */
  client_idle_ms: 600_000,
  /** Pages and files of the site that one network may ask for: so many times `requests_per_second` and `requests_burst`. */
  pages_per_request: 4,
  /** The same for `/healthz` and `/readyz`, apart from all else. */
  health_per_second: 50,
  health_burst: 500,
  /** How long the answer of the database to `/readyz` stands. */
  health_ms: 4_000,
  /** Wrong session codes within this time; then codes are not looked at and all lead to a lobby, and invites go on working. */
  wrong_codes_ms: 1_800_000,
  /** From one network, for one app, and by all who name no app. */
  wrong_codes_of_network: 10,
  wrong_codes_of_app: 10,
  wrong_codes_without_app: 30,
  /** Networks whose requests are counted; the oldest is forgotten first. */
  networks_remembered: 10_000,
  /**
   * What a participant may send towards its host over all of its connections; beyond the burst they are closed. The burst is
   * more than what a resumed player channel brings at once.
   */
  participant_bytes_per_second: 128 * 1024,
  participant_bytes_burst: 384 * 1024,
  /**
   * The same for a session. Beyond the burst the connections of its participant that sent most of late are closed, if that was
   * so much or more; beyond twice the burst however little it was.
   */
  session_bytes_per_second: 256 * 1024,
  session_bytes_burst: 768 * 1024,
  noticed_bytes: 64 * 1024,
  /** What a frame counts for beside its bytes. */
  frame_cost_bytes: 256,
  /**
   * What may wait unsent on a link before the connections of the participant that sent most of late are closed, if that was
   * `noticed_bytes` or more; and before whoever sends next is closed, so that orders to the host still get through.
   */
  link_relay_bytes: 512 * 1024,
  link_relay_bytes_most: 768 * 1024,
  /** Longest booking; plans are read so far back. */
  booking_minutes: 1_440,
  /** Days in one answer about availability. */
  availability_days: 31,
  /** Bookings that one account may make in 24 h, cancelled ones too, if it may not hold more at a time. */
  bookings_made_per_day: 60,
  bookings_made_ms: 86_400_000,
  /** Bookings in one answer; without `limit` the first of these. */
  bookings_per_page: 50,
  bookings_per_page_most: 200,
  /** How often a booking is tried again when others were quicker to the seat that was chosen. */
  seat_attempts: 20,
  /** A released code opens nothing else for so long. */
  code_quarantine_ms: 86_400_000,
  /** The same for the code of a booking that never opened. */
  unused_code_quarantine_ms: 3_600_000,
  /** An answer to a request with an Idempotency-Key is repeated for so long. */
  idempotency_ms: 86_400_000,
  /** A booking that begins later than this is kept on a lost host when no other fits: the host may be back by then. */
  lost_ahead_ms: 86_400_000,
  /** Bookings that one tick looks at, of each kind. */
  bookings_per_tick: 200,
  /** Webhooks over all; a further one is refused. */
  webhooks: 50,
  /** Latest events shown with a webhook. */
  deliveries_shown: 50,
  /** Apps and hosts that operators may add, those of servers.json counted in; a further one is refused. */
  apps: 1_000,
  hosts: 1_000,
  /** An answer of Redis that takes longer counts as none. What goes over it is tried this often, and what is silent for so long is away. */
  redis_answer_ms: 2_000,
  redis_beat_ms: 1_000,
  redis_silent_ms: 4_000,
  /** Topics of the bus that wait to be told; beyond that everybody is told to look. */
  topics_waiting: 10_000,
  /** Members of groups that are there through one coordinator; a further one is not seen by others. So many are told of at once. */
  present: 20_000,
  present_at_once: 100,
  /** Pipes of one coordinator with others; a further one is lost at once. Bytes that wait in one; more lose it. */
  pipes: 20_000,
  pipe_bytes: 512 * 1024,
  /** What goes to another coordinator in one message of the bus, as far as one frame does not exceed it. */
  mail_bytes: 256 * 1024,
  /** Coordinators with pipes hear of each other this often; after so long without a word the pipes are lost. */
  pipe_beat_ms: 2_000,
  pipe_silent_ms: 10_000,
  /** An answer of another coordinator that takes longer counts as none. */
  neighbour_answer_ms: 5_000,
  /** A coordinator without pipes that says nothing for so long is forgotten. */
  neighbour_ms: 600_000,
  /** Largest picture that can be uploaded. */
  picture_bytes: 2 * 1024 * 1024,
} as const;
