import {
  type Address,
  attributes,
  errorOf,
  isSuccess,
  longTermKey,
  mixedAddress,
  requests,
  type StunAttribute,
  type StunMessage,
} from './stun.ts';

/**
 * Sends one request and resolves with its answer. With a key it is signed, and an answer that is not is dropped, but for
 * refusals, which need no signature. Rejects when none comes in time.
 */
export type Ask = (
  type: number,
  given: readonly StunAttribute[] | ((transaction: Uint8Array) => readonly StunAttribute[]),
  key?: Uint8Array,
) => Promise<StunMessage>;

/** The two halves of a TURN credential. */
export interface Credential {
  username: string;
  password: string;
}

/** A TURN server's "no", like 401. */
export interface TurnRefusal {
  error: number;
  text: string;
}

export interface Relay {
  relayed: Address;
  /** Asks further things about this relay. */
  ask: Ask;
}

/** UDP between the relay and its peers, as ICE wants it, whatever leads to the relay. */
const udp: StunAttribute = [attributes.requested_transport, Buffer.from([17, 0, 0, 0])];
const stale_nonce = 438;

const refusalOf = (answer: StunMessage): TurnRefusal => {
  const { code, text } = errorOf(answer) ?? { code: 0, text: 'an answer that says nothing' };
  return { error: code, text };
};

/** The attributes that say who asks, and the key that proves it, as the server's challenge wants them. */
const signer = ({ attributes: given }: StunMessage, { username, password }: Credential) => {
  const [realm, nonce] = [given.get(attributes.realm), given.get(attributes.nonce)];
  if (realm === undefined || nonce === undefined) return undefined;
  const identity: StunAttribute[] = [
    [attributes.username, Buffer.from(username)],
    [attributes.realm, realm],
    [attributes.nonce, nonce],
  ];
  return { identity, key: longTermKey(username, new TextDecoder().decode(realm), password) };
};

/** Asks for a relay address with long-term credentials, as a browser does. */
export const allocateRelay = async (ask: Ask, credential: Credential): Promise<Relay | TurnRefusal> => {
  let answer = await ask(requests.allocate, [udp]);
  for (let tries = 0; tries < 2; tries++) {
    const signed = signer(answer, credential);
    if (signed === undefined) return refusalOf(answer);
    const { identity, key } = signed;
    const askSigned: Ask = (type, given) =>
      ask(
        type,
        (transaction) => [...(typeof given === 'function' ? given(transaction) : given), ...identity],
        key,
      );
    answer = await askSigned(requests.allocate, [udp]);
    const relayed = mixedAddress(answer, attributes.xor_relayed_address);
    if (isSuccess(answer, requests.allocate) && relayed !== undefined) return { relayed, ask: askSigned };
    if (errorOf(answer)?.code !== stale_nonce) break;
  }
  return refusalOf(answer);
};

/** Gives the relay back at once, instead of when it expires. */
export const releaseRelay = async ({ ask }: Relay): Promise<void> => {
  await ask(requests.refresh, [[attributes.lifetime, Buffer.alloc(4)]]);
};
