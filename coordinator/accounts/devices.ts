import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Ids } from '../../shared/ids.ts';
import type { Account } from '../store/tables.ts';

/** Accounts that one device is known to; the one that logged in longest ago is forgotten first. */
const accounts_most = 5;
const token_form = /^([\w-]{1,64})((?:\.[\w-]{43}){1,5})$/;

/**
 * What a device shows when it comes again: its id, and for each account that logged in on it a proof that only we can make,
 * because the key never leaves the database. Nothing is stored, and another password voids every proof.
 */
const proofOf = (device: string, { id, password_hash }: Pick<Account, 'id' | 'password_hash'>): string =>
  createHmac('sha256', password_hash).update(`device ${id} ${device}`).digest('base64url');

const nobody = { id: 'nobody', password_hash: 'nothing' };

const readToken = (token: string | undefined) => {
  const [, device, proofs = ''] = token_form.exec(token ?? '') ?? [];
  return device === undefined ? undefined : { device, proofs: proofs.split('.').slice(1) };
};

/** The id of the device whose token this is, if the account has logged in on it; as late when there is no such account. */
export const deviceOf = (
  token: string | undefined,
  account: Pick<Account, 'id' | 'password_hash'> | undefined,
): string | undefined => {
  const read = readToken(token);
  if (read === undefined) return undefined;
  const right = Buffer.from(proofOf(read.device, account ?? nobody));
  const known = read.proofs.filter((proof) => timingSafeEqual(Buffer.from(proof), right)).length > 0;
  return known && account !== undefined ? read.device : undefined;
};

/** The token of the device from now on: `token` is what it had, if anything; the account has just proved who it is. */
export const rememberDevice = (
  ids: Pick<Ids, 'secret'>,
  token: string | undefined,
  account: Pick<Account, 'id' | 'password_hash'>,
): string => {
  const { device, proofs } = readToken(token) ?? { device: ids.secret(), proofs: [] };
  const proof = proofOf(device, account);
  const others = proofs.filter((other) => other !== proof);
  return [device, proof, ...others].slice(0, 1 + accounts_most).join('.');
};
