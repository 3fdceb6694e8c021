import { AGENT_LINK_VERSION, fromAgent, type toAgent } from '../../shared/protocol/agent-link.ts';
import type { MessageOf } from '../../shared/protocol/message.ts';
import { decodeRelayFrame, encodeRelayFrame, type RelayFrame } from '../../shared/protocol/relay-frame.ts';

type FromAgent = MessageOf<typeof fromAgent>;
type Named<N extends keyof typeof fromAgent> = MessageOf<Pick<typeof fromAgent, N>>;
type ToAgent = MessageOf<typeof toAgent>;

/** One thing that the agent sent, in order: a control message, a relay frame, or the end of a connection. */
export type Seen =
  | { what: 'message'; name: string; message: FromAgent }
  | { what: 'frame'; frame: RelayFrame; text: string }
  | { what: 'closed'; code: number };

type Welcome =
  | { close: number; reason: string }
  | {
      heartbeat_ms?: number;
      /** Which version holds; the newest unless said otherwise, null for a coordinator that does not say. */
      protocol?: number | null;
      sessions?: { session_id: string; generation: number; action: 'keep' | 'stop' }[];
      /** Wants to hear of answered streams. */
      answers?: boolean;
    };

export interface FakeCoordinatorOptions {
  key: string;
  /** 0 or absent: any free port. */
  port?: number;
  /** How HELLO is answered; WELCOME with this heartbeat and these verdicts unless it closes. */
  hello?: (message: MessageOf<Pick<typeof fromAgent, 'HELLO'>>) => Welcome | Promise<Welcome>;
  /** Speaks TLS with this certificate. */
  tls?: { key: string; cert: string };
  /** Whether HEARTBEAT is echoed; true unless said otherwise. */
  echo?: boolean;
}

export interface FakeCoordinator {
  url: string;
  port: number;
  seen: Seen[];
  /** Upgrade requests that came, with their Authorization and Origin headers. */
  upgrades: { authorization: string | null; origin: string | null }[];
  send(message: ToAgent): void;
  relay(frame: RelayFrame): void;
  /** The first thing not yet taken that fits, past or future; what comes before it stays. Rejects after `patience_ms`. */
  next<T>(what: string, pick: (seen: Seen) => T | undefined, patience_ms?: number): Promise<T>;
  /** The next message of that name. */
  message<N extends keyof typeof fromAgent>(name: N, patience_ms?: number): Promise<Named<N>>;
  /** Drops the connection without a word. */
  cut(): void;
  stop(): Promise<void>;
}

/** Generous: the machine that runs the tests may be busy with others. */
const PATIENCE_MS = 100_000;

const parse = (text: string): { name: keyof typeof fromAgent; message: FromAgent } => {
  const raw = JSON.parse(text);
  const name: keyof typeof fromAgent = raw.verb ?? raw.msg;
  return { name, message: fromAgent[name].parse(raw) };
};

/** The coordinator's side of the agent link, just enough to order and to record. Every message must fit its schema. */
export const startFakeCoordinator = (options: FakeCoordinatorOptions): FakeCoordinator => {
  const seen: Seen[] = [];
  const upgrades: FakeCoordinator['upgrades'] = [];
  const waiters = new Set<() => void>();
  let socket: Bun.ServerWebSocket<undefined> | undefined;

  const record = (one: Seen) => {
    seen.push(one);
    for (const wake of [...waiters]) wake();
  };
  const send = (message: ToAgent) => void socket?.send(JSON.stringify(message));
  const welcome = (answer: Welcome) => {
    if ('close' in answer) return socket?.close(answer.close, answer.reason);
    const { heartbeat_ms = 1_000, protocol = AGENT_LINK_VERSION, sessions = [], answers } = answer;
    send({
      ...{ msg: 'WELCOME', heartbeat_ms, sessions },
      ...(protocol === null ? {} : { protocol }),
      ...(answers === undefined ? {} : { answers }),
    });
  };
  const taken = (text: string) => {
    const { name, message } = parse(text);
    record({ what: 'message', name, message });
    if ('verb' in message && message.verb === 'HEARTBEAT' && options.echo !== false) {
      send({ msg: 'HEARTBEAT', time: message.time });
    }
    if (!('verb' in message) || message.verb !== 'HELLO') return;
    const answer = options.hello?.(message) ?? {};
    if (answer instanceof Promise) void answer.then(welcome);
    else welcome(answer);
  };

  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: options.port ?? 0,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    fetch: (request, server) => {
      const authorization = request.headers.get('authorization');
      upgrades.push({ authorization, origin: request.headers.get('origin') });
      if (new URL(request.url).pathname !== '/agent') return new Response(null, { status: 404 });
      return server.upgrade(request) ? undefined : new Response(null, { status: 400 });
    },
    websocket: {
      open: (opened) => {
        socket = opened;
        if (upgrades.at(-1)?.authorization !== `Bearer ${options.key}`) opened.close(4401, 'wrong key');
      },
      message: (_, data) => {
        if (typeof data === 'string') return taken(data);
        const frame = decodeRelayFrame(data);
        if (frame === undefined) throw new Error('not a relay frame');
        record({
          what: 'frame',
          frame,
          text: frame.kind === 'data' ? Buffer.from(frame.payload).toString() : frame.reason,
        });
      },
      close: (_, code) => record({ what: 'closed', code }),
    },
  });

  const next = <T>(
    what: string,
    pick: (seen: Seen) => T | undefined,
    patience_ms = PATIENCE_MS,
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      const look = () => {
        for (const [index, one] of seen.entries()) {
          const picked = pick(one);
          if (picked === undefined) continue;
          seen.splice(index, 1);
          clearTimeout(timer);
          waiters.delete(look);
          return resolve(picked);
        }
      };
      const timer = setTimeout(() => {
        waiters.delete(look);
        reject(new Error(`no ${what} within ${patience_ms} ms; instead ${JSON.stringify(seen)}`));
      }, patience_ms);
      waiters.add(look);
      look();
    });

  return {
    url: `${options.tls === undefined ? 'ws' : 'wss'}://127.0.0.1:${server.port}/agent`,
    port: server.port ?? 0,
    seen,
    upgrades,
    send,
    relay: (frame) => void socket?.sendBinary(encodeRelayFrame(frame)),
    next,
    message: (name, patience_ms) =>
      next(
        String(name),
        // The schema of `name` has parsed it.
        (one) =>
          one.what === 'message' && one.name === name ? (one.message as Named<typeof name>) : undefined,
        patience_ms,
      ),
    cut: () => socket?.terminate(),
    stop: () => server.stop(true),
  };
};
