import { z } from 'zod';
import { addressList } from '../../shared/address-class.ts';
import { turnUrlSchema, writtenIceServerSchema } from '../../shared/ice-server.ts';
import { wholeNumberSchema } from '../../shared/protocol/names.ts';
import { redisProblem } from '../../shared/redis-address.ts';
import { zoneSchema } from '../../shared/zone.ts';
import { longestDays, quotaPeriods } from './rules-time.ts';

/** "https://vitrina.example" or "http://10.0.0.1:8080": scheme, host and port, nothing behind them. */
const originSchema = z
  .string()
  .refine(
    (text) =>
      URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).pathname === '/',
    'an address without a path, like "https://vitrina.example"',
  )
  .transform((text) => new URL(text).origin);

/** "vitrina.example", "10.0.0.1" or "[::1]", without a port. */
const hostSchema = z
  .string()
  .refine(
    (text) => URL.canParse(`http://${text}`) && new URL(`http://${text}`).hostname === text.toLowerCase(),
    'a host name or address without a port, like "vitrina.example"',
  )
  .toLowerCase();

const isNetwork = (text: string): boolean => {
  try {
    addressList([text]);
    return true;
  } catch {
    return false;
  }
};

const targetSchema = z.union(
  [z.string().refine(isNetwork), hostSchema.refine((name) => !name.includes('*'))],
  'a network, address or host name, like "10.0.0.0/8" or "hooks.internal"',
);

const redisUrlSchema = z.string().superRefine((text, context) => {
  const problem = redisProblem(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

/** A TURN server that shares a secret with us: coturn with `use-auth-secret`. */
const turnSchema = z.strictObject({
  urls: z.array(turnUrlSchema).min(1).max(20),
  /** The file that holds coturn's static-auth-secret; a relative path starts in the data directory. */
  secret_file: z.string().min(1),
  /** For how long a participant may connect with its credential. */
  ttl_seconds: wholeNumberSchema(60, 86_400).default(3_600),
  /** coturn's realm; public_url's host when left out. */
  realm: hostSchema.optional(),
});

/** For how many days something is kept; left out: for ever. */
const keptDays = wholeNumberSchema(1, 36_500).optional();

const seconds = (most: number, otherwise: number) => wholeNumberSchema(1, most).default(otherwise);

const fields = z.strictObject({
  /** The address to listen on. */
  ip: z.union([z.ipv4(), z.ipv6()], 'an IP address, like "0.0.0.0"'),
  port: wholeNumberSchema(0, 65_535),
  /** How often servers.json and this file are read again. */
  time_between_updates_seconds: wholeNumberSchema(1, 86_400),
  /** The address that visitors use, where it is not the one they ask for: behind a proxy that ends TLS. */
  public_url: originSchema.optional(),
  /**
   * Host names to answer to besides public_url's, localhost and the loopback addresses. While neither is given: any
   * address, localhost and this machine's own name.
   */
  allowed_hosts: z.array(hostSchema).max(100).default([]),
  /** Proxies in front of the coordinator that each append to X-Forwarded-For; 0 when callers connect directly. */
  trusted_proxy_hops: wholeNumberSchema(0, 10).default(0),
  /** Handed to every participant. */
  ice_servers: z.array(writtenIceServerSchema).max(20).default([]),
  /** Adds a TURN server to those, with a credential of each participant's own. */
  turn: turnSchema.optional(),
  /** What this coordinator is called among those that share a database; each needs a name of its own. */
  coordinator_name: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, - and _')
    .default('main'),
  /** Sites other than our own whose pages may connect. */
  allowed_origins: z.array(originSchema).max(100).default([]),
  code_digits: wholeNumberSchema(4, 10).default(4),
  first_join_seconds: seconds(3_600, 60),
  leave_grace_seconds: seconds(3_600, 10),
  /** A page that never tells of input counts as active for so long after its stream began. */
  silent_page_seconds: wholeNumberSchema(0, 86_400).default(900),
  host_lost_seconds: seconds(86_400, 120),
  start_timeout_seconds: seconds(3_600, 120),
  /** The file with the bearer token that /metrics asks for; without it /metrics answers this machine only. */
  metrics_token_file: z.string().min(1).optional(),
  /** What one network (an IPv4 address, an IPv6 /64) may ask of /api/v1. */
  requests_per_second: wholeNumberSchema(1, 10_000).default(20),
  requests_burst: wholeNumberSchema(1, 100_000).default(100),
  /** How often it may start, join or book a session, queue, log in or register. */
  starts_per_minute: wholeNumberSchema(1, 100_000).default(30),
  /** Counts those for all coordinators together. Takes effect at the start. */
  redis_url: redisUrlSchema.optional(),
  /** WebSockets from one address. Raise it where a proxy makes all visitors come from one. */
  connections_per_address: wholeNumberSchema(1, 20_000).default(200),
  /** What webhooks may reach although it is not public: networks and addresses, like "10.0.0.0/8", and host names. */
  webhook_private_targets: z.array(targetSchema).max(100).default([]),
  /** The time zone of callers who name none. */
  time_zone: zoneSchema.default('UTC'),
  /** A booking opens so long before its time, its app is started so long before, and its seat released so long after. */
  booking_open_minutes: wholeNumberSchema(1, 1_440).default(10),
  booking_start_minutes: wholeNumberSchema(0, 60).default(2),
  booking_no_show_minutes: wholeNumberSchema(1, 1_440).default(15),
  booking_days_ahead: wholeNumberSchema(1, 366).default(60),
  /** Bookings that one account may hold at a time. */
  bookings_per_account: wholeNumberSchema(1, 10_000).default(20),
  /**
   * What one network may have without an account at a time, see docs: live sessions, and of an app's seats; sessions that
   * nobody came to within half an hour; places in queues; bookings to come.
   */
  anonymous_sessions_per_network: wholeNumberSchema(0, 100_000).default(4),
  anonymous_network_percent: wholeNumberSchema(1, 100).default(50),
  anonymous_unused_sessions_per_network: wholeNumberSchema(1, 100_000).default(5),
  anonymous_queue_places_per_network: wholeNumberSchema(0, 100_000).default(4),
  anonymous_bookings_held_per_network: wholeNumberSchema(0, 100_000).default(3),
  /** What all without an account together may have of an app's seats, of its queue and of its calendar. */
  anonymous_seats_percent: wholeNumberSchema(1, 100).optional(),
  anonymous_queue_percent: wholeNumberSchema(1, 100).default(75),
  anonymous_calendar_percent: wholeNumberSchema(1, 100).default(50),
  /** Bookings that one network may make in a day without an account. */
  anonymous_bookings_per_network: wholeNumberSchema(0, 100_000).default(5),
  /** What an account may have in a period (UTC) unless its own row says otherwise. Left out: no limit. */
  quota_period: z.enum(quotaPeriods).default('week'),
  quota_sessions: wholeNumberSchema(0, 1_000_000).optional(),
  quota_minutes: wholeNumberSchema(0, 100_000_000).optional(),
  /** For how long is kept what is over: bookings and records at least for a quota_period, which counts them. */
  keep_bookings_days: keptDays,
  keep_records_days: keptDays,
  keep_audit_days: keptDays,
  keep_rejected_accounts_days: keptDays,
  keep_events_days: wholeNumberSchema(1, 36_500).default(7),
});

/** configuration.json: the three fields of the first design, and what has a default. Numbers may be strings. */
export const configurationSchema = fields.superRefine((configuration, context) => {
  const { quota_period } = configuration;
  const least = longestDays(quota_period);
  for (const key of ['keep_bookings_days', 'keep_records_days'] as const) {
    if ((configuration[key] ?? least) >= least) continue;
    const message = `at least ${least} with a quota_period of a ${quota_period}: quotas count what is over`;
    context.addIssue({ code: 'custom', path: [key], message });
  }
});
export type Configuration = z.infer<typeof configurationSchema>;
