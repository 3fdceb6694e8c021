import { choice, id, instant, int, name, optional, shape, text } from '../store/table.ts';

/** Longest e-mail address; RFC 5321 allows no longer one. */
const email_chars = 254;
const name_chars = 200;
const reason_chars = 500;

/** Who may log in, and what proves it. */
export const accountShapes = {
  accounts: shape(
    'accounts',
    {
      id: id(),
      /** Trimmed and in lower case. */
      email: name(email_chars),
      name: text(name_chars),
      password_hash: text(200),
      role: choice('admin', 'operator', 'user'),
      state: choice('pending', 'approved', 'rejected'),
      reason: optional(text(reason_chars)),
      /** Tokens of an earlier epoch are void: log out everywhere. */
      epoch: int(),
      /** Sessions and minutes that the account may have in a period; null for what the configuration says. */
      quota_sessions: optional(int()),
      quota_minutes: optional(int()),
      created_at: instant(),
      decided_at: optional(instant()),
      decided_by: optional(id()),
      version: int(),
    },
    ['id'],
    {
      unique: { email: ['email'] },
      indexes: { state: ['state', 'created_at'], created: ['created_at'], role: ['role'] },
    },
  ),

  /**
   * What names and e-mail addresses look like, so that nobody passes for somebody else: hashes without case and script, up to
   * three of each. Of accounts that look the same the first one stands here. The row `complete-2` says that older accounts
   * are here too.
   */
  account_looks: shape('account_looks', { look: id(), spelling: id(), account_id: id() }, ['look'], {
    indexes: { account: ['account_id'] },
  }),

  refresh_tokens: shape(
    'refresh_tokens',
    {
      token_hash: id(),
      account_id: id(),
      /** All tokens that came from one login. A token used twice ends its family. */
      family: id(),
      expires_at: instant(),
      used_at: optional(instant()),
    },
    ['token_hash'],
    { indexes: { account: ['account_id'], family: ['family'], expires: ['expires_at'] } },
  ),

  reset_links: shape(
    'reset_links',
    {
      token_hash: id(),
      account_id: id(),
      made_by: id(),
      expires_at: instant(),
      used_at: optional(instant()),
    },
    ['token_hash'],
    { indexes: { account: ['account_id'], expires: ['expires_at'] } },
  ),

  /** Keys that sign tokens. The newest one of its purpose signs; the others still verify until they expire. */
  signing_keys: shape(
    'signing_keys',
    {
      id: id(),
      purpose: choice('access'),
      secret: text(200),
      created_at: instant(),
      expires_at: optional(instant()),
    },
    ['id'],
    { indexes: { purpose: ['purpose', 'created_at'] } },
  ),
};
