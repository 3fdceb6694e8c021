import { errors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import { audit } from '../kit/audit.ts';
import type { Services } from '../kit/services.ts';
import { Taken } from '../store/database.ts';
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
  /** Adds a key that signs a few seconds from now. The old ones verify what they have signed, and are gone then. */
  rotateKeys(admin: Account): Promise<SigningKey>;
}

const issuer = 'vitrina';
const audience = 'vitrina-api';
const typ = 'at+jwt';
const algorithm = 'HS256';
const access_seconds = 15 * 60;
/** How far the clocks of two coordinators may be apart. */
const tolerance_seconds = 5;
/** A new key signs only when every coordinator has had the time to read it again. */
const key_ready_ms = 10_000;
/** The keys are read again at most this often on account of a token whose key is not known. */
const key_reread_ms = 5_000;
/** They are read again so often in any case: what another coordinator has taken out of use is not taken for long. */
const key_kept_ms = 60_000;
/** Two coordinators that both need a first key make the same row. */
const first_key = 'first';
/** Ours have about 400 characters. */
const token_chars = 1_000;

const headerSchema = z.strictObject({ alg: z.literal(algorithm), typ: z.literal(typ), kid: z.string() });

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

/** The newest key that is old enough to be known everywhere, else the oldest. Keys come in the order of their making. */
const signer = (keys: readonly SigningKey[], now: number): SigningKey | undefined =>
  keys.findLast(({ created_at }) => created_at + key_ready_ms <= now) ?? keys[0];

const findKeys = async ({ signing_keys }: { readonly signing_keys: Pick<Tables['signing_keys'], 'find'> }) =>
  signing_keys.find({ purpose: 'access' }, { order: ['created_at'] });

/** The keys in memory, as the database had them last. */
const createKeys = ({ db, clock, ids }: Services) => {
  let keys: readonly SigningKey[] = [];
  let read_at = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  const read = async () => {
    const started = clock.monotonic();
    keys = await db.read(findKeys);
    read_at = started;
  };
  /** Reads them again, once for all who ask meanwhile. */
  const reread = (): Promise<void> => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  const makeFirst = async () => {
    const row = { id: first_key, purpose: 'access', secret: ids.secret(), created_at: clock.now() } as const;
    try {
      await db.transact(async (tables) => {
        if ((await findKeys(tables)).length === 0) {
          await tables.signing_keys.insert({ ...row, expires_at: null });
        }
      });
    } catch (error) {
      if (!(error instanceof Taken)) throw error; // another coordinator has made it
    }
    await reread();
  };
  const live = () => keys.filter(({ expires_at }) => expires_at === null || expires_at > clock.now());

  return {
    reread,
    /** The key to sign with now. */
    signing: async (): Promise<SigningKey> => {
      if (clock.monotonic() - read_at >= key_reread_ms) await reread();
      if (live().length === 0) await makeFirst();
      const key = signer(live(), clock.now());
      if (key === undefined) throw new Error('there is no key to sign with');
      return key;
    },
    byId: async (id: string): Promise<SigningKey | undefined> => {
      const known = () => live().find((key) => key.id === id);
      const kept_ms = known() === undefined ? key_reread_ms : key_kept_ms;
      if (keys.length === 0 || clock.monotonic() - read_at >= kept_ms) await reread();
      return known();
    },
  };
};

const rotate = async ({ db, clock, ids, ...services }: Services, admin: Account): Promise<SigningKey> => {
  const secret = ids.secret();
  return db.transact(async (tables) => {
    const now = clock.now();
    const key = { id: ids.id(), purpose: 'access', secret, created_at: now, expires_at: null } as const;
    // The old ones sign until the new one is known, and what they sign then lives as long as any token.
    const expires_at = now + key_ready_ms + (access_seconds + 2 * tolerance_seconds) * 1_000;
    for (const { id, expires_at: ends } of await findKeys(tables)) {
      if (ends === null) await tables.signing_keys.update({ id }, { expires_at });
    }
    await tables.signing_keys.insert(key);
    await audit({ ...services, clock, ids }, tables, admin.id, 'keys.rotated', key.id);
    return key;
  });
};

/** Signs and checks access tokens with the keys in the database, which is asked for the account at every check. */
export const createAccessTokens = (services: Services): AccessTokens => {
  const { clock, ids } = services;
  const keys = createKeys(services);
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
      const key = await keys.signing();
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
      const key = read && (await keys.byId(read.kid));
      if (read === undefined || key === undefined || !(await isSigned(token, key))) return undefined;
      const { claims } = read;
      return accountNow(services, { id: claims.sub, epoch: claims.epoch });
    },
    async rotateKeys(admin) {
      const key = await rotate(services, admin);
      await keys.reread();
      return key;
    },
  };
};
