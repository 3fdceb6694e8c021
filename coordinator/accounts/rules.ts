import { type Refusal, refuse } from '../../shared/errors.ts';
import { withoutForbidden } from '../../shared/name-text.ts';

/** What decides what an account may do. */
export interface Standing {
  readonly role: 'admin' | 'operator' | 'user';
  readonly state: 'pending' | 'approved' | 'rejected';
}

export interface Decision {
  readonly decision: 'approve' | 'reject';
  readonly reason?: string | undefined;
}

/** Longest e-mail address and its longest part before the "@" (RFC 5321). */
const email_chars = 254;
const local_chars = 64;
const password_least_chars = 10;
const password_most_chars = 256;
/** Fewer different characters than this are guessed at once. */
const password_different_chars = 5;
const reason_chars = 500;

/** Those of the most used passwords that are long enough; the throttle deals with the rest. */
const commonPasswords: ReadonlySet<string> = new Set([
  '0123456789',
  '0987654321',
  '1029384756',
  '1122334455',
  '1234567890',
  '12345678910',
  '123456789a',
  '123456789q',
  '1q2w3e4r5t',
  '1q2w3e4r5t6y',
  '1qaz2wsx3edc',
  'abcdefghij',
  'adminadmin',
  'administrator',
  'asdfghjkl1',
  'changeme123',
  'football123',
  'iloveyou123',
  'letmein123',
  'password01',
  'password12',
  'password123',
  'password1234',
  'passwordpassword',
  'princess123',
  'q1w2e3r4t5',
  'qazwsxedcrfv',
  'qwerty12345',
  'qwerty123456',
  'qwertyuiop',
  'qwertyuiop123',
  'welcome123',
  'zxcvbnm123',
]);

const isDomain = (domain: string): boolean =>
  domain.split('.').every((label) => /^[\p{L}\p{N}-]{1,63}$/u.test(label) && !/^-|-$/.test(label));

/** The address as accounts are known by: trimmed and in lower case; malformed when it is none. */
export const normaliseEmail = (text: string): string | Refusal => {
  const email = text.trim().normalize('NFC').toLowerCase();
  const at = email.lastIndexOf('@');
  const local = email.slice(0, Math.max(0, at));
  const fits =
    email.length <= email_chars && local.length <= local_chars && withoutForbidden(email) === email;
  const right = fits && /^[^\s@"(),:;<>[\]\\\p{Cc}\p{Cf}]+$/u.test(local) && isDomain(email.slice(at + 1));
  return right ? email : refuse('malformed', 'email: an address like "anna@example.com"');
};

/** Whether the password can protect the account with this (normalised) e-mail; password_weak says what to change. */
export const checkPassword = (password: string, email: string): Refusal | undefined => {
  if (password.length < password_least_chars || password.length > password_most_chars) {
    return refuse('password_weak', `${password_least_chars} to ${password_most_chars} characters`);
  }
  const plain = password.normalize('NFC').toLowerCase();
  if (plain === email || plain === email.slice(0, email.lastIndexOf('@'))) {
    return refuse('password_weak', 'it is the e-mail address');
  }
  const different = new Set(plain).size;
  return commonPasswords.has(plain) || different < password_different_chars
    ? refuse('password_weak', 'it is among the first that are guessed')
    : undefined;
};

const reasonOf = (text: string | undefined): string | null => {
  const reason = text?.trim().slice(0, reason_chars) ?? '';
  return reason === '' ? null : reason;
};

const stateAfter = (decision: Decision['decision'], reason: string | null) => {
  if (decision === 'approve') return { state: 'approved', reason } as const;
  return reason === null
    ? refuse('malformed', 'reason: a rejection needs one')
    : ({ state: 'rejected', reason } as const);
};

/** What an administrator's word makes of an account that waits for it; account_decided when it does not. */
export const decide = (account: Standing, { decision, reason }: Decision) =>
  account.state === 'pending' ? stateAfter(decision, reasonOf(reason)) : refuse('account_decided');

/** A later change of who someone is. `state` is for letting a rejected account in, or an approved one out. */
export interface StandingChange {
  readonly role?: Standing['role'] | undefined;
  readonly state?: 'approved' | 'rejected' | undefined;
  readonly reason?: string | undefined;
}

export const isAdmin = ({ role, state }: Standing): boolean => role === 'admin' && state === 'approved';

/**
 * The account's new role and state; last_admin when nobody could administer afterwards. `others` are the approved
 * administrators besides this account. `revoked`: tokens given out before must not carry the new rights, or are void.
 */
export const changeStanding = (account: Standing, change: StandingChange, others: number) => {
  const { role = account.role, state } = change;
  if (state !== undefined && account.state === 'pending') {
    return refuse('malformed', 'state: a new account is decided on first');
  }
  const decided =
    state === undefined || state === account.state
      ? { state: account.state }
      : stateAfter(state === 'approved' ? 'approve' : 'reject', reasonOf(change.reason));
  if ('refused' in decided) return decided;
  const after = { role, ...decided };
  if (isAdmin(account) && !isAdmin(after) && others === 0) return refuse('last_admin');
  return { ...after, revoked: role !== account.role || decided.state !== account.state };
};
