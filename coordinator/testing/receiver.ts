import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a webhook's address was sent. */
export interface Received {
  readonly id: string;
  readonly event: string;
  readonly body: string;
  readonly webhook: string;
  readonly genuine: boolean;
}

export interface Receiver extends AsyncDisposable {
  /** The address of a webhook; its secret is the one of `webhookRow(number)`. */
  url(number: number): string;
  readonly received: Received[];
  /** Requests that are being answered now, and the most there were at one time: over all, and to one webhook. */
  readonly most: { all: number; one: number };
}

/** What the protocol page tells a receiver to do, written out by somebody who has only read that page. */
const isGenuine = (headers: Headers, body: string, secret: string): boolean => {
  const given = Buffer.from(
    /^v1=([0-9a-f]{64})$/.exec(headers.get('vitrina-signature') ?? '')?.[1] ?? '',
    'hex',
  );
  const text = `${headers.get('vitrina-timestamp')}.${headers.get('vitrina-event-id')}.${body}`;
  const wanted = createHmac('sha256', secret).update(text).digest();
  return given.length === wanted.length && timingSafeEqual(given, wanted);
};

/** A server that takes events; `answer` says how, and may take its time. */
export const startReceiver = (
  answer: (received: Received, request: Request) => Response | Promise<Response> = () => new Response(),
): Receiver => {
  const received: Received[] = [];
  const most = { all: 0, one: 0 };
  const open = new Map<string, number>();
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const webhook = new URL(request.url).pathname.slice(1);
      const body = await request.text();
      const one: Received = {
        id: request.headers.get('vitrina-event-id') ?? '',
        event: request.headers.get('vitrina-event') ?? '',
        body,
        webhook,
        genuine: isGenuine(request.headers, body, `secret-of-${webhook}`),
      };
      received.push(one);
      open.set(webhook, (open.get(webhook) ?? 0) + 1);
      most.one = Math.max(most.one, open.get(webhook) ?? 0);
      most.all = Math.max(
        most.all,
        [...open.values()].reduce((sum, count) => sum + count, 0),
      );
      try {
        return await answer(one, request);
      } finally {
        open.set(webhook, (open.get(webhook) ?? 0) - 1);
      }
    },
  });
  return {
    url: (number) => `http://127.0.0.1:${server.port}/webhook-${number}`,
    received,
    most,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
};
