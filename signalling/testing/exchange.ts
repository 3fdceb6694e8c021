import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { signAdmission } from '../../shared/admission.ts';
import { type Client, connect, live } from './live.ts';

const role = z.enum(['player', 'streamer', 'sfu']);
const peer = z.string();

/** One event of an exchange, written from the protocol page. Peers have names; ids on the wire follow from the order of opening. */
const stepSchema = z.union([
  z.strictObject({ open: peer, role }),
  z.strictObject({ from: peer, role, frame: z.string() }),
  /** The next frame that the peer gets, to the byte. */
  z.strictObject({ to: peer, role, frame: z.string() }),
  /** The peer goes. */
  z.strictObject({ close: peer, role }),
  /** The server closes the peer. */
  z.strictObject({ closed: peer, role, code: z.int(), reason: z.string() }),
]);

const exchangeSchema = z.strictObject({
  about: z.string(),
  options: z.array(z.string()),
  /** Players are admitted to watch only. */
  view_only: z.boolean().optional(),
  steps: z.array(stepSchema),
});
type Exchange = z.infer<typeof exchangeSchema>;
type Step = Exchange['steps'][number];

const folder = join(import.meta.dir, 'wire');
const secret = 'a secret for tests that is long enough';
const hour_ms = 3_600_000;

/** The names of all exchanges. */
export const exchanges = (): string[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.replace('.json', ''))
    .sort();

export const readExchange = async (name: string): Promise<Exchange> =>
  exchangeSchema.parse(await Bun.file(join(folder, `${name}.json`)).json());

const queryOf = ({ view_only }: Exchange): string => {
  if (view_only !== true) return '';
  const admission = { participant: 'p', ice_servers: [], view_only, expires: Date.now() + hour_ms };
  return `?token=${signAdmission(admission, secret)}`;
};

/** What happened at a step, in the form of the step: equal to it when all is well. */
const perform = async (
  step: Step,
  peers: Map<string, Client>,
  url: (role: Step['role']) => string,
): Promise<Step> => {
  const known = (name: string): Client => {
    const client = peers.get(name);
    if (client === undefined) throw new Error(`${name} is not open`);
    return client;
  };
  if ('open' in step) peers.set(step.open, await connect(url(step.role)));
  else if ('from' in step) known(step.from).send(step.frame);
  else if ('to' in step) return { ...step, frame: await known(step.to).text() };
  else if ('closed' in step) {
    const { code, reason } = await known(step.closed).closed;
    peers.delete(step.closed);
    return { ...step, code, reason };
  } else {
    const client = known(step.close);
    client.close();
    await client.closed;
    peers.delete(step.close);
  }
  return step;
};

const last = '{"type":"pong","time":-7}';

/**
 * Plays an exchange against a live server. The answer has the steps as they happened, and a step more for each frame
 * that a peer got and should not have got.
 */
export const play = async (exchange: Exchange): Promise<Step[]> => {
  const env: Record<string, string> =
    exchange.view_only === true ? { SIGNALLING_ADMISSION_SECRET: secret } : {};
  await using server = await live(exchange.options, { env });
  const peers = new Map<string, Client>();
  const url = (role: Step['role']) => `${server.urls[role]}${role === 'player' ? queryOf(exchange) : ''}`;
  const happened: Step[] = [];
  for (const step of exchange.steps) happened.push(await perform(step, peers, url));
  for (const [to, client] of peers) {
    client.send({ type: 'ping', time: -7 });
    for (let frame = await client.text(); frame !== last; frame = await client.text()) {
      happened.push({ to, role: 'player', frame });
    }
  }
  return happened;
};
