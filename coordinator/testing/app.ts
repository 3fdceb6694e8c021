import { refuse } from '../../shared/errors.ts';
import { AGENT_LINK_VERSION, type toAgent } from '../../shared/protocol/agent-link.ts';
import type { MessageOf } from '../../shared/protocol/message.ts';
import type { SocketData } from '../../shared/socket.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { fakeIds } from '../../shared/testing/ids.ts';
import { createPasswords } from '../accounts/passwords.ts';
import { readCatalogue } from '../catalogue/catalogue.ts';
import { hostHello, hostReports } from '../fleet/fleet.ts';
import { createAgents } from '../fleet/socket.ts';
import { createApp } from '../http/app.ts';
import type { Site } from '../http/pages.ts';
import type { Bindings } from '../kit/http-env.ts';
import { createRateLimits } from '../kit/rates.ts';
import { openWorld } from '../open.ts';
import type { Link } from '../sessions/live.ts';
import { createClients } from '../sessions/verbs.ts';
import { createWaiting } from '../sessions/waiting.ts';
import { memoryBus } from './bus.ts';
import { memoryDatabase } from './database.ts';
import { recordedLog } from './log.ts';
import { entry, keyOf, memoryStore } from './store.ts';

export interface Sent {
  method?: string;
  token?: string;
  /** A string is sent as it is. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** Hashes that protect nothing and take no time. */
export const cheap = { memory_kib: 8, passes: 1, waiting: 10_000 } as const;

/** The HTTP side without a port, with one host "a" whose orders land in `orders`. */
export const appUnderTest = async (patch: object = {}, info: object = {}, site?: Site) => {
  const clock = fakeClock();
  const recorded = recordedLog();
  const store = memoryStore([entry('a', 'Loft', info)], patch);
  const services = { db: memoryDatabase(), clock, bus: memoryBus(clock), ids: fakeIds(), log: recorded.log };
  const world = await openWorld({ ...services, store, files: store });
  const waiting = createWaiting(world, clock);
  const rates = createRateLimits(store, clock, world.bus);
  const [state, upgrades] = [{ stopping: false }, [] as SocketData[]];
  const app = createApp({
    world,
    waiting,
    agents: createAgents(world),
    clients: createClients(world, (network) => rates.take('start', network)),
    rates,
    passwords: createPasswords(cheap),
    catalogueChanged: async () => {
      world.catalogue.put(await readCatalogue(world));
    },
    stopping: () => state.stopping,
    host_name: 'tour-machine',
    site,
  });
  const bindings = {
    socket: '127.0.0.1',
    network: '127.0.0.1',
    upgrade: (data: SocketData) => upgrades.push(data) > 0,
  };

  const orders: MessageOf<typeof toAgent>[] = [];
  const link: Link = {
    epoch: 1,
    send: (order) => void orders.push(order),
    ...{ resumes: true, answers: false, drains: false },
    openChannel: () => ({ data: () => {}, close: () => {} }),
    close: () => {},
  };
  const hello = {
    verb: 'HELLO',
    protocol: AGENT_LINK_VERSION,
    server_name: 'a',
    seats: 1,
    apps: ['Loft'],
    sessions: [],
  } as const;

  return {
    app,
    world,
    rates,
    waiting,
    clock,
    recorded,
    store,
    state,
    upgrades,
    orders,
    request: async (
      path: string,
      { method = 'GET', token, body, headers = {} }: Sent = {},
      from: Partial<Bindings> = {},
    ) =>
      await app.request(
        path,
        {
          method,
          headers: {
            ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
            ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
            ...headers,
          },
          ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        },
        { ...bindings, ...from },
      ),
    /** Connects the host. */
    connect: () => {
      const said = { ...hello, apps: [...hello.apps], sessions: [] };
      const refused = hostHello(world, link, keyOf('a'), said, () => {});
      if (refused !== undefined) throw new Error(refuse(refused.refused).refused);
    },
    /** The host reports the session as ready. */
    ready: (session_id: string) =>
      hostReports(world, 'a', link, { session_id, generation: 1 }, { type: 'progressed', phase: 'ready' }),
  };
};
