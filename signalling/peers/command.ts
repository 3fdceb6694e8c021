import type { fromPeer } from '../../shared/protocol/peers.ts';
import type { Frame } from '../../shared/socket.ts';

type Verb = keyof typeof fromPeer;

/** What follows the command in its text form, in order. The last one takes the rest of the line. */
const fields: Record<Verb, readonly string[]> = {
  descp: ['name'],
  join: ['channel', 'token'],
  quit: ['channel'],
  privmsg: ['peer', 'text'],
  pubmsg: ['channel', 'text'],
  broadcast: ['text'],
  whois: ['target'],
  peers: ['channel'],
  invite: ['peer', 'channel'],
  away: ['text'],
  kick: ['peer', 'channel'],
  ban: ['peer', 'channel'],
  unban: ['peer', 'channel'],
  op: ['peer', 'channel'],
};

const isVerb = (word: string): word is Verb => Object.hasOwn(fields, word);

const utf8 = (frame: Frame): string => (typeof frame === 'string' ? frame : Buffer.from(frame).toString());

/** Words by their fields; a text is kept to the character, names lose the spaces around them. */
const parse = (verb: Verb, rest: string): Record<string, string> => {
  const names = fields[verb];
  const found: Record<string, string> = {};
  let left = rest;
  for (const [at, name] of names.entries()) {
    const [, word = '', after = ''] =
      at === names.length - 1
        ? [left, name === 'text' ? left : left.trim()]
        : (/^\s*(\S*)\s?([\s\S]*)$/.exec(left) ?? []);
    if (word !== '') found[name] = word;
    left = after;
  }
  return found;
};

/** `/descp {"name":...}`: the fields stand as JSON. What is not JSON is left for the door to refuse. */
const parseDescription = (rest: string): string => {
  const json = rest.trim();
  return json === '{}' ? '{"verb":"descp"}' : `{"verb":"descp",${json.slice(1)}`;
};

/**
 * The text form of a command as the JSON form, for the one door that both go through: `/join #a b` becomes
 * `{"verb":"join","channel":"#a","token":"b"}`. What does not begin with a slash is left alone.
 */
export const commandFrame = (frame: Frame): Frame => {
  const slash = typeof frame === 'string' ? frame.startsWith('/') : frame[0] === 0x2f;
  if (!slash) return frame;
  const [, verb = '', rest = ''] = /^\/(\S*)\s?([\s\S]*)$/.exec(utf8(frame)) ?? [];
  if (verb === 'descp' && rest.trimStart().startsWith('{')) return parseDescription(rest);
  return JSON.stringify({ verb, ...(isVerb(verb) ? parse(verb, rest) : {}) });
};
