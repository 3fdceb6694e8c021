import type { z } from 'zod';
import { AGENT_LINK_VERSION, fromAgent, toAgent } from '../../shared/protocol/agent-link.ts';
import { encode, type MessageOf } from '../../shared/protocol/message.ts';
import { decodeRelayFrame, encodeRelayFrame, type RelayFrame } from '../../shared/protocol/relay-frame.ts';
import type { Running } from '../fleet/rules-reconcile.ts';
import { openSocket, type TestSocket } from './socket.ts';

type ToAgent = typeof toAgent;
type Order = z.infer<ToAgent['CREATE_SESSION']>;

/** The host's end of the link, spoken by hand. */
export interface FakeAgent extends Pick<TestSocket, 'close' | 'terminate' | 'closed'> {
  send(message: MessageOf<typeof fromAgent>): void;
  sendRaw: TestSocket['send'];
  relay(frame: RelayFrame): void;
  /** The first message of that name that comes. */
  next<N extends keyof ToAgent>(name: N): Promise<z.infer<ToAgent[N]>>;
  nextFrame<K extends RelayFrame['kind']>(kind: K): Promise<Extract<RelayFrame, { kind: K }>>;
  /** Says HEARTBEAT and waits for the echo: everything sent before has been heard then, by both. */
  heartbeat(): Promise<void>;
  /** Takes the next order to launch, and reports the session as ready. */
  launch(): Promise<Order>;
  ready(order: Order): void;
}

export interface Hello {
  protocol?: number;
  server_name?: string;
  seats?: number;
  apps?: string[];
  sessions?: Running[];
  /** Of the process that speaks; none, as of an older agent, when left out. */
  life?: string;
  /** Tells of answered streams; an older agent does not. */
  answers?: boolean;
  drains?: boolean;
}

/** Dials the coordinator at `url` with the key and, unless `hello` is null, says HELLO. */
export const fakeAgent = async (url: string, key: string, hello: Hello | null = {}): Promise<FakeAgent> => {
  const socket = await openSocket(url, { Authorization: `Bearer ${key}` });
  let beats = 0;
  const agent: FakeAgent = {
    close: socket.close,
    terminate: socket.terminate,
    closed: socket.closed,
    sendRaw: socket.send,
    send: (message) => socket.send(encode(fromAgent, message)),
    relay: (frame) => socket.send(encodeRelayFrame(frame)),
    next: <N extends keyof ToAgent>(name: N) =>
      socket.next<z.infer<ToAgent[N]>>(`the agent's ${name}`, (frame) => {
        const parsed = typeof frame === 'string' ? toAgent[name].safeParse(JSON.parse(frame)) : undefined;
        return parsed?.success === true ? (parsed.data as z.infer<ToAgent[N]>) : undefined;
      }),
    nextFrame: <K extends RelayFrame['kind']>(kind: K) =>
      socket.next(`the agent's ${kind} frame`, (frame) => {
        const relayed = typeof frame === 'string' ? undefined : decodeRelayFrame(frame);
        return relayed?.kind === kind ? (relayed as Extract<RelayFrame, { kind: K }>) : undefined;
      }),
    async heartbeat() {
      beats += 1;
      const time = beats;
      agent.send({ verb: 'HEARTBEAT', time });
      await agent.next('HEARTBEAT');
    },
    async launch() {
      const order = await agent.next('CREATE_SESSION');
      agent.ready(order);
      return order;
    },
    ready({ session_id, generation, code }) {
      agent.send({ verb: 'CONNECT_TO_SESSION', session_id, generation, code, ip: '127.0.0.1', port: '1' });
    },
  };
  if (hello !== null) {
    const {
      protocol = AGENT_LINK_VERSION,
      server_name = 'a',
      seats = 2,
      apps = ['Loft'],
      sessions = [],
      life,
      answers,
      drains,
    } = hello;
    const drawn = {
      ...(life === undefined ? {} : { life }),
      ...(answers === undefined ? {} : { answers }),
      ...(drains === undefined ? {} : { drains }),
    };
    agent.send({ verb: 'HELLO', protocol, server_name, seats, apps, sessions, ...drawn });
  }
  return agent;
};
