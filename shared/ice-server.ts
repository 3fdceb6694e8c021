import { isIP } from 'node:net';
import { z } from 'zod';

/** Where an ICE server is, and how it is spoken to. */
export interface IceAddress {
  kind: 'stun' | 'turn';
  host: string;
  port: number;
  transport: 'udp' | 'tcp' | 'tls' | 'dtls';
}

/** The longest username that browsers take (RFC 8489, section 14.3). */
const username_bytes = 508;
const host_chars = 253;

const port_problem = 'the port is a number from 1 to 65535';

const label = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

const hostProblem = (place: string, host: string, six: string | undefined): string | undefined => {
  if (six !== undefined) return isIP(six) === 6 ? undefined : `"${six}" is no IPv6 address`;
  if (host === '') return 'names no host behind the colon';
  if (host.startsWith('//')) return 'has no // behind the colon';
  if (host.includes('@')) return 'takes no user: username and credential are keys of their own';
  if (/^[0-9a-f]*(?::[0-9a-f]*){2,}$/i.test(place))
    return 'an IPv6 address stands in brackets: stun:[2001:db8::1]:3478';
  if (/^\[/.test(host)) return 'the bracket of the IPv6 address is not closed';
  if (host.includes(':')) return port_problem;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: whatever is not ASCII
  if (/[^\x00-\x7f]/.test(host)) {
    const ascii = URL.parse(`http://${host}`)?.hostname;
    return `the host is written in ASCII${ascii === undefined ? '' : `: ${ascii}`}`;
  }
  const labels = host.replace(/\.$/, '').split('.');
  const numeric = /^(?:\d+|0x[0-9a-f]*)$/i.test(labels.at(-1) ?? '');
  if (numeric) return isIP(host) === 4 ? undefined : `"${host}" is no IPv4 address`;
  if (host.length > host_chars || !labels.every((part) => label.test(part)))
    return `"${host}" is no host name`;
  return undefined;
};

/**
 * "turns:turn.example:443?transport=tcp" by RFC 7064 and 7065, and narrower where browsers are, whose RTCPeerConnection throws on
 * what it does not take; a sentence says what is wrong.
 */
export const readIceUrl = (text: string): IceAddress | { problem: string } => {
  const [, scheme, rest = ''] = /^(stuns?|turns?):(.*)$/is.exec(text) ?? [];
  if (scheme === undefined) return { problem: 'starts with stun:, stuns:, turn: or turns:' };
  const kind = /^stun/i.test(scheme) ? 'stun' : 'turn';
  const secure = scheme.length === 5;
  const [place = '', query] = rest.split(/\?(.*)/s, 2);
  if (query !== undefined && kind === 'stun')
    return { problem: `${scheme.toLowerCase()}: takes nothing behind a "?"` };
  const [, transport] = /^transport=(udp|tcp)$/i.exec(query ?? '') ?? [];
  if (query !== undefined && transport === undefined) {
    return { problem: 'behind the "?" stands transport=udp or transport=tcp, and nothing else' };
  }
  const [, six, name = '', port] = /^(?:\[([^\]]*)\]|(.*?))(?::(\d*))?$/s.exec(place) ?? [];
  const problem = hostProblem(place, name, six);
  if (problem !== undefined) return { problem };
  const number = port === undefined ? (secure ? 5_349 : 3_478) : Number(port);
  if (port === '' || number < 1 || number > 65_535) return { problem: port_problem };
  const plain = transport?.toLowerCase() === 'tcp' ? 'tcp' : 'udp';
  const tls = transport?.toLowerCase() === 'udp' ? 'dtls' : 'tls';
  return { kind, host: six ?? name, port: number, transport: secure ? tls : plain };
};

const asIssue = (text: string, context: z.RefinementCtx<string>): void => {
  const read = readIceUrl(text);
  if ('problem' in read) context.addIssue({ code: 'custom', message: read.problem });
};

/** Both are the same in any case, and what reads them further on is not always as patient. */
const lowered = (text: string): string => text.replace(/^\w+:|\?.*$/g, (part) => part.toLowerCase());

/** The address of an ICE server as a person writes it. */
const iceUrlSchema = z.string().max(500).superRefine(asIssue).overwrite(lowered);

/** The same, where only a TURN server has a meaning. */
export const turnUrlSchema = z
  .string()
  .max(500)
  .regex(/^turns?:/i, { message: 'starts with turn: or turns:', abort: true })
  .superRefine(asIssue)
  .overwrite(lowered);

/** Whether an entry of `iceServers` names a TURN server, which lets nobody in without a credential. */
export const hasTurn = ({ urls }: { urls?: unknown }): boolean =>
  Array.isArray(urls) && urls.some((url) => typeof url === 'string' && /^turns?:/i.test(url));

interface Written {
  urls: string[];
  username?: string | undefined;
  credential?: string | undefined;
}

/** What browsers throw on when it is missing: the credentials of a TURN server. */
const complete = ({ urls, username = '', credential = '' }: Written, context: z.RefinementCtx): void => {
  if (!hasTurn({ urls })) return;
  const issue = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
  if (username === '') issue('username', 'is missing: a turn: server needs username and credential');
  if (credential === '') issue('credential', 'is missing: a turn: server needs username and credential');
  if (Buffer.byteLength(username) > username_bytes)
    issue('username', `has more than ${username_bytes} bytes`);
};

const fields = {
  /** One address may stand alone, as browsers take it. */
  urls: z.preprocess(
    (urls) => (typeof urls === 'string' ? [urls] : urls),
    z.array(iceUrlSchema).min(1).max(20),
  ),
  username: z.string().optional(),
  credential: z.string().optional(),
};

/** One entry of `iceServers` in a file or option that a person writes: whatever passes, every browser and Unreal take. */
export const writtenIceServerSchema = z.strictObject(fields).superRefine(complete);

/** The same with keys that we do not know, which go to the peers as they are. */
export const looseIceServerSchema = z.looseObject(fields).superRefine(complete);
