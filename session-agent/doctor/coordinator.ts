import type { Clock } from '../../shared/clock.ts';
import { fetchVerified } from '../../shared/fetch-verified.ts';
import { type AgentCheck, agentCheckSchema } from '../../shared/protocol/agent-check.ts';
import { AGENT_LINK_OLDEST, AGENT_LINK_VERSION } from '../../shared/protocol/agent-link.ts';
import type { AgentConfig } from '../config.ts';
import { fail, type Line, ok, warn } from './line.ts';
import { faultOf, timed } from './reach.ts';
import type { Way } from './way.ts';

const ANSWER_MS = 5_000;
const ANSWER_BYTES = 256 * 1_024;
const CLOCK_MS = 5_000;

type Who = Pick<AgentConfig, 'server_name' | 'key'>;

interface Answer {
  status: number;
  location: string | null;
  text: string;
  /** By this machine's clock, epoch ms. */
  asked_at: number;
  answered_at: number;
}

/** As text, up to a bound: whoever answers may be anybody. */
const readText = async ({ body }: Response): Promise<string> => {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body ?? []) {
    parts.push(part);
    bytes += part.length;
    if (bytes > ANSWER_BYTES) break;
  }
  return Buffer.concat(parts).toString();
};

const ask = (clock: Clock, way: Way, { server_name, key }: Who): Promise<Answer> =>
  timed(clock, ANSWER_MS, async (signal) => {
    const url = new URL(`${way.url.href.replace(/^ws/, 'http')}/check`);
    url.searchParams.set('server_name', server_name);
    const asked_at = clock.now();
    const response = await fetchVerified(url, {
      headers: { Authorization: `Bearer ${key}` },
      redirect: 'manual',
      signal,
      ...(way.proxy === undefined ? {} : { proxy: way.proxy.href }),
      tls: way.ca === undefined ? {} : { ca: way.ca },
    });
    const answered_at = clock.now();
    const { status, headers } = response;
    return {
      status,
      location: headers.get('location'),
      text: await readText(response),
      asked_at,
      answered_at,
    };
  });

const json = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const codeOf = (text: string): string | undefined => {
  const body = json(text);
  return typeof body === 'object' && body !== null && 'code' in body ? String(body.code) : undefined;
};

const versionLine = ({ version, protocols }: AgentCheck): Line => {
  const found = `version ${version}, speaks the agent link from ${protocols.oldest} to ${protocols.newest}`;
  const mine = `this agent from ${AGENT_LINK_OLDEST} to ${AGENT_LINK_VERSION}`;
  if (protocols.newest < AGENT_LINK_OLDEST)
    return fail('coordinator', `${found}; ${mine}`, 'Update the coordinator.');
  if (protocols.oldest > AGENT_LINK_VERSION)
    return fail('coordinator', `${found}; ${mine}`, 'Update this agent.');
  return ok('coordinator', found);
};

const keyLine = (server_name: string, { connected, draining, drained_by }: AgentCheck): Line => {
  const found = `the coordinator knows ${server_name}; its agent is ${connected ? '' : 'not '}connected now`;
  return draining
    ? warn(
        'key',
        `${found}; the host is drained`,
        drained_by === 'host'
          ? 'No new sessions start here until "session-agent undrain".'
          : 'An operator lets no new sessions start here; ask for the drain to be lifted.',
      )
    : ok('key', found);
};

const clockLine = ({ time }: AgentCheck, { asked_at, answered_at }: Answer): Line => {
  const offset_ms = Math.round((asked_at + answered_at) / 2 - time);
  const found = `this machine's clock is ${Math.abs(offset_ms) / 1_000} s ${offset_ms < 0 ? 'behind' : 'ahead of'} the coordinator's`;
  // Half of the round trip is as well as it can be known.
  return Math.abs(offset_ms) - (answered_at - asked_at) / 2 <= CLOCK_MS
    ? ok('clock', found)
    : warn(
        'clock',
        found,
        'Let both keep the time by NTP: "timedatectl set-ntp true", on Windows "w32tm /resync".',
      );
};

/** What an answer other than the one that was hoped for means. */
const refusalLines = ({ status, location, text }: Answer, { server_name }: Who): Line[] => {
  const code = codeOf(text);
  if (code === 'agent_key_wrong' || code === 'unauthorized') {
    return [
      ok('coordinator', 'answers'),
      fail(
        'key',
        `the coordinator has no host "${server_name}" with this key`,
        'Compare server_name and key with those of the coordinator, or enrol this host again.',
      ),
    ];
  }
  const line = (found: string, advice: string) => [fail('coordinator', found, advice)];
  if (code === 'too_many_messages')
    return [warn('coordinator', 'answers, but was asked too often', 'Wait a minute and try again.')];
  if (code === 'misdirected')
    return line('does not serve this name', 'Set public_url or allowed_hosts in its configuration.json.');
  if (location !== null)
    return line(
      `leads on to ${location.slice(0, 200)} (${status})`,
      'Write that address as "coordinator" in config.json.',
    );
  if (status === 404)
    return line(
      'knows no /agent/check (404)',
      'Update the coordinator, or correct its address in config.json.',
    );
  return line(
    `answers with ${status}${code === undefined ? '' : ` ${code}`}`,
    "Look at the coordinator's log, and at the proxy before it.",
  );
};

/** What the coordinator says: its version, whether the key is right, what time it has; and what it told. */
export const checkCoordinator = async (
  clock: Clock,
  way: Way,
  who: Who,
): Promise<{ lines: Line[]; check?: AgentCheck }> => {
  let answer: Answer;
  try {
    answer = await ask(clock, way, who);
  } catch (error) {
    const advice = 'Look whether the coordinator runs, and at the proxy before it.';
    return { lines: [fail('coordinator', faultOf(error), advice)] };
  }
  if (answer.status !== 200) return { lines: refusalLines(answer, who) };
  const check = agentCheckSchema.safeParse(json(answer.text));
  if (!check.success) {
    const advice = 'Correct the address in config.json; if it is right, update the older of the two.';
    return { lines: [fail('coordinator', 'something else answers there', advice)] };
  }
  const lines = [
    versionLine(check.data),
    keyLine(who.server_name, check.data),
    clockLine(check.data, answer),
  ];
  return { lines, check: check.data };
};
