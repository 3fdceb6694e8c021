import type { z } from 'zod';
import { systemIds } from '../../shared/ids.ts';
import {
  type Participation,
  participationSchema,
  problemSchema,
  sessionSchema,
  ticketSchema,
} from '../../shared/protocol/http.ts';
import type { SocketData } from '../../shared/socket.ts';
import { type FakeClock, fakeClock } from '../../shared/testing/clock.ts';
import { startCoordinator } from '../app.ts';
import type { Bus } from '../kit/bus.ts';
import type { Database } from '../store/database.ts';
import { memoryBus } from './bus.ts';
import { memoryDatabase } from './database.ts';
import { type FakeAgent, fakeAgent, type Hello } from './fake-agent.ts';
import { type RecordedLog, recordedLog } from './log.ts';
import { openSocket, type TestSocket } from './socket.ts';
import { entry, keyOf, type MemoryStore, memoryStore } from './store.ts';

/** A step of time that is short against every silence limit. */
const step_ms = 2_500;

export interface Answered {
  status: number;
  body: unknown;
  headers: Headers;
}

/** A coordinator on a real port with a clock that the test moves. */
export interface Rig extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly store: MemoryStore;
  readonly recorded: RecordedLog;
  readonly base: string;
  readonly socketBase: string;
  request(
    method: string,
    path: string,
    options?: { token?: string; body?: unknown; headers?: Record<string, string> },
  ): Promise<Answered>;
  /** The body of an answer that must be good. */
  get<S extends z.ZodType>(schema: S, answered: Promise<Answered>): Promise<z.infer<S>>;
  /** The code of a problem. */
  refused(answered: Promise<Answered>): Promise<string>;
  agent(hello?: Hello | null, key?: string): Promise<FakeAgent>;
  /** An agent that has been welcomed. */
  host(hello?: Hello): Promise<FakeAgent>;
  create(app?: string): Promise<Participation>;
  join(code: string): Promise<Participation>;
  /** A ready session of the agent. */
  session(agent: FakeAgent): Promise<Participation>;
  ticketUrl(member: Participation): Promise<string>;
  /** A connected player and the number of its channel. */
  player(agent: FakeAgent, member: Participation): Promise<{ socket: TestSocket; channel: number }>;
  phase(member: Participation): Promise<string>;
  client(headers?: Record<string, string>): Promise<TestSocket>;
  /** Lets time pass while the agents keep talking. */
  pass(ms: number, ...agents: FakeAgent[]): Promise<void>;
  stop(): Promise<void>;
}

const listen = async (
  store: MemoryStore,
  clock: FakeClock,
  recorded: RecordedLog,
  db: Database,
  bus: Bus,
) => {
  const services = {
    db,
    store,
    files: store,
    clock,
    bus,
    ids: systemIds,
    log: recorded.log,
  };
  const coordinator = await startCoordinator(services, 'tour-machine');
  const server = Bun.serve<SocketData>({
    hostname: '127.0.0.1',
    port: 0,
    fetch: coordinator.fetch,
    websocket: coordinator.websocket,
  });
  return { coordinator, server };
};

const requester =
  (base: string): Rig['request'] =>
  async (method, path, { token, body, headers = {} } = {}) => {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
  };

const two_hosts = [entry('a', 'Loft'), entry('b', 'Loft'), entry('b', 'Villa')];

/** Two hosts in the catalogue: "a" and "b" have the app Loft, "b" has Villa too. */
export const startRig = async (
  patch: object = {},
  db = memoryDatabase(),
  clock = fakeClock(),
  servers: readonly object[] = two_hosts,
  bus = memoryBus(clock),
): Promise<Rig> => {
  const store = memoryStore(servers, patch);
  const recorded = recordedLog();
  const { coordinator, server } = await listen(store, clock, recorded, db, bus);
  const base = `http://127.0.0.1:${server.port}`;
  const socketBase = `ws://127.0.0.1:${server.port}`;
  const request = requester(base);

  const rig: Rig = {
    clock,
    store,
    recorded,
    base,
    socketBase,
    request,
    get: async (schema, answered) => schema.parse((await answered).body),
    refused: async (answered) => problemSchema.parse((await answered).body).code,
    agent: (hello = {}, key = keyOf(hello?.server_name ?? 'a')) =>
      fakeAgent(`${socketBase}/agent`, key, hello),
    async host(hello = {}) {
      const agent = await rig.agent(hello);
      await agent.next('WELCOME');
      return agent;
    },
    create: (app = 'Loft') =>
      rig.get(participationSchema, request('POST', '/api/v1/sessions', { body: { app } })),
    join: (code) => rig.get(participationSchema, request('POST', '/api/v1/join', { body: { code } })),
    async session(agent) {
      const [member] = await Promise.all([rig.create(), agent.launch()]);
      await agent.heartbeat();
      return member;
    },
    async ticketUrl({ session, participant_token: token }) {
      const answered = request('POST', `/api/v1/sessions/${session.id}/tickets`, { token });
      return (await rig.get(ticketSchema, answered)).signalling_url;
    },
    async player(agent, member) {
      const socket = await openSocket(await rig.ticketUrl(member));
      const { channel } = await agent.next('CONNECT_USER_TO_SESSION');
      return { socket, channel };
    },
    async phase({ session, participant_token: token }) {
      return (await rig.get(sessionSchema, request('GET', `/api/v1/sessions/${session.id}`, { token })))
        .phase;
    },
    client: (headers = {}) => openSocket(`${socketBase}/ws`, headers),
    async pass(ms, ...agents) {
      for (let left = ms; left > 0; left -= step_ms) {
        clock.advance(Math.min(step_ms, left));
        for (const agent of agents) await agent.heartbeat();
      }
    },
    stop: () => coordinator.stop(),
    async [Symbol.asyncDispose]() {
      const stopping = coordinator.stop();
      await server.stop(true);
      await stopping;
    },
  };
  return rig;
};
