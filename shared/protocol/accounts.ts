import { z } from 'zod';
import { instantSchema } from './instant.ts';
import { idSchema, nameSchema } from './names.ts';

/** Bodies of accounts and logins under `/api/v1`. Instants are RFC 3339 times in UTC. */
export const ACCOUNTS_VERSION = 2;

const emailSchema = z.string().min(3).max(254);
const passwordSchema = z.string().min(1).max(256);
const secretSchema = z.string().min(1).max(200);
/** Whether the answer sets cookies and holds no tokens: for our own pages only. Else it holds them: for programs. */
const cookiesSchema = z.boolean().default(false);
const roleSchema = z.enum(['admin', 'operator', 'user']);
const stateSchema = z.enum(['pending', 'approved', 'rejected']);
const reasonSchema = z.string().max(500);
const quotaSchema = z.int().min(0).max(1_000_000).nullable();

/** An account as its owner and administrators see it. */
export const accountSchema = z.strictObject({
  id: idSchema,
  email: z.string(),
  name: z.string(),
  role: roleSchema,
  state: stateSchema,
  /** Why it was approved or rejected. */
  reason: z.string().nullable(),
  /** Sessions and minutes per period; null for what the configuration says. */
  quota_sessions: z.int().nullable(),
  quota_minutes: z.int().nullable(),
  created_at: instantSchema,
  decided_at: instantSchema.nullable(),
  /** The administrator who decided. */
  decided_by: z.string().nullable(),
  /** Stands in the ETag; a change names it in If-Match. */
  version: z.int(),
});
export type AccountView = z.infer<typeof accountSchema>;

/** Answers GET /accounts. `next` is the `after` of the next page, or null on the last one. */
export const accountsSchema = z.strictObject({
  accounts: z.array(accountSchema),
  next: z.string().nullable(),
});

/** `POST /api/v1/accounts`. */
export const registerSchema = z.strictObject({
  email: emailSchema,
  /** 1 to 100 characters of any language, emoji too; nothing invisible, no control characters. Kept in NFC. */
  name: nameSchema,
  /** 10 to 256 characters. */
  password: passwordSchema,
});

/** Answers POST /accounts, whether or not there is an account with this e-mail: if eligible, it is pending review. */
export const registeredSchema = z.strictObject({ pending_review: z.literal('if eligible') });

/** `PATCH /api/v1/accounts/{id}`. What is left out stays. */
export const accountChangeSchema = z.strictObject({
  role: roleSchema.optional(),
  /** Lets a rejected account in, or an approved one out; a new account takes a decision instead. */
  state: z.enum(['approved', 'rejected']).optional(),
  /** Why `state` changes; needed for "rejected". */
  reason: reasonSchema.optional(),
  quota_sessions: quotaSchema.optional(),
  quota_minutes: quotaSchema.optional(),
});
export type AccountChange = z.infer<typeof accountChangeSchema>;

/** `POST /api/v1/accounts/{id}/decision`. */
export const decisionSchema = z.strictObject({
  decision: z.enum(['approve', 'reject']),
  /** Needed for "reject". */
  reason: reasonSchema.optional(),
});

/** Answers POST /accounts/{id}/reset-link. Shown once; opens one new password, within 24 h. */
export const resetLinkSchema = z.strictObject({ url: z.string(), token: z.string(), expires: instantSchema });

/** `POST /api/v1/login`. */
export const loginSchema = z.strictObject({
  email: emailSchema,
  password: passwordSchema,
  /** Whether the answer sets cookies and holds no tokens: for our own pages only. */
  cookies: cookiesSchema,
  /** Of an earlier login: what others get wrong is not counted against a device that is known to the account. */
  device_token: z.string().max(400).optional(),
});

/** `POST /api/v1/refresh` and `POST /api/v1/logout`. */
export const refreshSchema = z.strictObject({
  /** Left out by our own pages: theirs is in a cookie. */
  refresh_token: secretSchema.optional(),
});

/** Answers each way to log in. The tokens are left out when cookies carry them. */
export const loggedInSchema = z.strictObject({
  account: accountSchema,
  /** When the access token ends. */
  expires: instantSchema,
  /** `Authorization: Bearer <access_token>`. */
  access_token: z.string().optional(),
  /** Good for one POST /refresh, which answers the next one. */
  refresh_token: z.string().optional(),
  /** For the next POST /login from here; good until the password changes. */
  device_token: z.string().optional(),
});
export type LoggedIn = z.infer<typeof loggedInSchema>;

/** `POST /api/v1/me/password`. Logs out everywhere else. */
export const passwordChangeSchema = z.strictObject({
  current_password: passwordSchema,
  /** 10 to 256 characters. */
  new_password: passwordSchema,
  /** As in POST /login. */
  cookies: cookiesSchema,
});

/** `POST /api/v1/me/erasure`. */
export const erasureSchema = z.strictObject({ current_password: passwordSchema });

/** `POST /api/v1/reset`: a new password by the token of a reset link. Logs in here, and out everywhere else. */
export const resetSchema = z.strictObject({
  token: secretSchema,
  /** 10 to 256 characters. */
  password: passwordSchema,
  /** As in POST /login. */
  cookies: cookiesSchema,
});

/** Answers POST /keys/rotation: the key that signs access tokens from now on. */
export const keyRotationSchema = z.strictObject({ id: idSchema, created_at: instantSchema });
