import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { idSchema } from '../../shared/protocol/names.ts';
import { audit } from '../kit/audit.ts';
import type { Services } from '../kit/services.ts';
import type { shapes } from '../store/shapes.ts';
import type { RowOf } from '../store/table.ts';
import type { Account, Tables } from '../store/tables.ts';
import { accountNow } from './logins.ts';

type SigningKey = RowOf<(typeof shapes)['signing_keys']>;

/** Access tokens: short-lived JWTs that name an account. */
export interface AccessTokens {
  /** A token for the account, and when (epoch ms) it ends. */
  issue(account: Account): Promise<{ readonly access_token: string; readonly expires: number }>;
  /** The account whose good token this is. An account that is not approved, or of a later epoch, has none. */
  accountOf(token: string): Promise<Account | undefined>;
  /** Adds a key that signs from now on. The old ones verify what they have signed, and are gone then. */
  rotateKeys(admin: Account): Promise<SigningKey>;
}

const issuer = 'vitrina';
const audience = 'vitrina-api';
const typ = 'at+jwt';
const algorithm = 'HS256';
const access_seconds = 15 * 60;
/** How far the clocks of two coordinators may be apart. */
const tolerance_seconds = 5;
/** Ours have about 400 characters. */
const token_chars = 1_000;

const headerSchema = z.strictObject({ alg: z.literal(algorithm), typ: z.literal(typ), kid: idSchema });

const claimsSchema = z
  .strictObject({
    epoch: z.int().min(0),
    iss: z.literal(issuer),
    aud: z.literal(audience),
    sub: z.string().min(1),
    jti: z.string().min(1),
    iat: z.int(),
    exp: z.int(),
  })
  .refine(({ iat, exp }) => exp - iat === access_seconds);

/** The JSON of one part, if it is written the one way in which we write it: no field twice, nothing after it. */
const partOf = (part: string): unknown => {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') !== part) return undefined;
  const text = bytes.toString();
  const value: unknown = JSON.parse(text);
  return JSON.stringify(value) === text ? value : undefined;
};

interface Looks {
  readonly kid: string;
  readonly claims: z.infer<typeof claimsSchema>;
}

/** What a token says that is made as ours are. Whether we have made it, its signature has still to show. */
const readToken = (token: string): Looks | undefined => {
  if (token.length > token_chars) return undefined;
  const [header = '', claims = '', signature = '', ...more] = token.split('.');
  if (more.length > 0) return undefined;
  if (Buffer.from(signature, 'base64url').toString('base64url') !== signature) return undefined;
  try {
    const { data: head } = headerSchema.safeParse(partOf(header));
    const { data: body } = claimsSchema.safeParse(partOf(claims));
    return head === undefined || body === undefined ? undefined : { kid: head.kid, claims: body };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined; // no JSON
    throw error;
  }
};

const bytesOf = ({ secret }: SigningKey): Uint8Array => new TextEncoder().encode(secret);

const isLive = ({ expires_at }: SigningKey, now: number): boolean => expires_at === null || expires_at > now;

const findKeys = async ({ signing_keys }: { readonly signing_keys: Pick<Tables['signing_keys'], 'find'> }) =>
  signing_keys.find({ purpose: 'access' }, { order: ['created_at'] });

const newKey = ({ clock, ids }: Pick<Services, 'clock' | 'ids'>): SigningKey => ({
  id: ids.id(),
  purpose: 'access',
  secret: ids.secret(),
  created_at: clock.now(),
  expires_at: null,
});

/** The key to sign with now: the newest one. One is made when there is none, and two do no harm. */
const signingKey = async (services: Pick<Services, 'db' | 'clock' | 'ids'>): Promise<SigningKey> => {
  const { db, clock } = services;
  const now = clock.now();
  const keys = (await db.read(findKeys)).filter((key) => isLive(key, now));
  const newest = keys.findLast(({ created_at }) => created_at <= now) ?? keys[0];
  if (newest !== undefined) return newest;
  const first = newKey(services);
  await db.transact(({ signing_keys }) => signing_keys.insert(first));
  return first;
};

const rotate = async (services: Services, admin: Account): Promise<SigningKey> => {
  const key = newKey(services);
  // What the old ones are signing at this moment lives as long as any token.
  const expires_at = key.created_at + (access_seconds + 2 * tolerance_seconds) * 1_000;
  await services.db.transact(async (tables) => {
    for (const { id, expires_at: ends } of await findKeys(tables)) {
      if (ends === null) await tables.signing_keys.update({ id }, { expires_at });
    }
    await tables.signing_keys.insert(key);
    await audit(services, tables, admin.id, 'keys.rotated', key.id);
  });
  return key;
};

/** Signs and checks access tokens with the keys in the database, which is asked for key and account at every check. */
export const createAccessTokens = (services: Services): AccessTokens => {
  const { db, clock, ids } = services;
  const isSigned = async (token: string, key: SigningKey): Promise<boolean> => {
    try {
      await jwtVerify(token, bytesOf(key), {
        algorithms: [algorithm],
        issuer,
        audience,
        typ,
        requiredClaims: ['sub', 'epoch', 'jti', 'iat', 'exp'],
        maxTokenAge: access_seconds,
        clockTolerance: tolerance_seconds,
        currentDate: new Date(clock.now()),
      });
      return true;
    } catch (error) {
      if (error instanceof errors.JOSEError) return false;
      throw error;
    }
  };
  return {
    async issue(account) {
      const key = await signingKey(services);
      const iat = Math.floor(clock.now() / 1_000);
      const exp = iat + access_seconds;
      const access_token = await new SignJWT({ epoch: account.epoch })
        .setProtectedHeader({ alg: algorithm, typ, kid: key.id })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(account.id)
        .setJti(ids.id())
        .setIssuedAt(iat)
        .setExpirationTime(exp)
        .sign(bytesOf(key));
      return { access_token, expires: exp * 1_000 };
    },
    async accountOf(token) {
      const read = readToken(token);
      if (read === undefined) return undefined;
      const key = await db.read(({ signing_keys }) => signing_keys.get({ id: read.kid }));
      if (key === undefined || !isLive(key, clock.now()) || !(await isSigned(token, key))) return undefined;
      const { claims } = read;
      return accountNow(services, { id: claims.sub, epoch: claims.epoch });
    },
    rotateKeys: (admin) => rotate(services, admin),
  };
};
