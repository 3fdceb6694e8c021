import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import { refuse } from '../../shared/errors.ts';
import { gaugeText, type Labels, metricsPage, metricsType, processText } from '../../shared/metrics.ts';
import { sessionPhases } from '../../shared/protocol/session.ts';
import { version } from '../../shared/version.ts';
import { hostsText } from '../fleet/metrics.ts';
import type { Ctx, Env } from '../kit/http-env.ts';
import { isInsider } from '../kit/http-insider.ts';
import { code_header, problem } from '../kit/http-problems.ts';
import { seatsTaken } from '../seats/rules-allocation.ts';
import { isConnected } from '../seats/rules-hosts.ts';
import type { World } from '../sessions/live.ts';
import { participantCount } from '../sessions/rules-session.ts';
import type { Parts } from './readiness.ts';

/** A file of the site has a name of its own in each version. */
const hashed = /-[a-z0-9]{8}\.[a-z]+$/;

/** The pattern of the route that answered: no path of a stranger becomes a label. */
const routeOf = (c: Ctx): string => {
  const path = routePath(c, -1);
  if (path.endsWith('*')) return 'none';
  return hashed.test(path) ? 'asset' : path;
};

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Counts requests, their duration and their refusals. */
export const countRequests = ({ meters, clock }: World) =>
  createMiddleware<Env>(async (c, next) => {
    const started = clock.monotonic();
    await next();
    const method = methods.has(c.req.method) ? c.req.method : 'other';
    const labels = { route: routeOf(c), method };
    meters.requests.count({ ...labels, status: String(c.res.status) });
    meters.request_seconds.observe((clock.monotonic() - started) / 1_000, labels);
    const code = c.res.headers.get(code_header);
    if (code === null) return;
    meters.refusals.count({ code });
    c.res.headers.delete(code_header);
  });

const fleetText = (world: World): string[] => {
  const sessions = [...world.sessions.values()];
  const connected = [...world.hosts.values()].filter(isConnected);
  const taken = seatsTaken(world.hosts.values(), sessions, world.clock.now());
  const seats = connected.reduce((sum, host) => sum + host.seats, 0);
  const free = connected.map((host) => Math.max(0, host.seats - (taken.get(host.name) ?? 0)));
  const phases = sessionPhases.map((phase): [Labels, number] => [
    { phase },
    sessions.filter((session) => session.phase === phase).length,
  ]);
  const participants = sessions.reduce((sum, session) => sum + participantCount(session), 0);
  return [
    gaugeText('coordinator_sessions', 'Sessions, by phase.', phases),
    gaugeText('coordinator_participants', 'Participants of those sessions.', participants),
    gaugeText('coordinator_hosts_connected', 'Hosts whose agent is connected.', connected.length),
    gaugeText('coordinator_seats', 'Seats of those hosts.', seats),
    gaugeText(
      'coordinator_seats_free',
      'Those that hold no session.',
      free.reduce((sum, seats) => sum + seats, 0),
    ),
  ];
};

const page = (world: World, parts: Parts, uptime_ms: number): string => {
  const { meters } = world;
  const { requests, request_seconds, refusals, wrong_codes, relay_frames, relay_bytes } = meters;
  const series = [requests, request_seconds, refusals, wrong_codes, relay_frames, relay_bytes];
  const health = Object.entries(parts).map(([part, { ok }]): [Labels, number] => [{ part }, ok ? 1 : 0]);
  const sockets = [...meters.sockets].map(([kind, open]): [Labels, number] => [{ kind }, open]);
  return metricsPage([
    ...fleetText(world),
    ...hostsText(world.hosts),
    gaugeText('coordinator_sockets', 'WebSockets open, by kind.', sockets),
    ...series.map((one) => one.text()),
    gaugeText('coordinator_part_ok', 'What /readyz looks at: 1 when it works.', health),
    gaugeText(
      'coordinator_event_loop_lag_seconds',
      'The longest that the ticker was late within the last minute.',
      meters.lag_ms / 1_000,
    ),
    gaugeText('coordinator_info', 'The version that runs.', [[{ version }, 1]]),
    gaugeText('coordinator_uptime_seconds', 'Since the start.', uptime_ms / 1_000),
    ...processText(),
  ]);
};

/** `/metrics`, for Prometheus. To whom may not read it, it does not exist. */
export const metricsRoutes = (world: World, parts: () => Promise<Parts>): Hono<Env> => {
  const started = world.clock.monotonic();
  return new Hono<Env>().get('/metrics', async (c) => {
    if (!isInsider(c, world.store)) return problem(refuse('not_found'));
    const text = page(world, await parts(), world.clock.monotonic() - started);
    return c.body(text, 200, { 'Content-Type': metricsType });
  });
};
