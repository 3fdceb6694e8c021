import type { OpenAPIHono } from '@hono/zod-openapi';
import { errors } from '../../shared/errors.ts';
import { problemSchema } from '../../shared/protocol/http.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { fakeIds } from '../../shared/testing/ids.ts';
import type { CatalogueServices } from '../catalogue/data-directory.ts';
import type { Env } from '../kit/http-env.ts';
import { describedRoutes } from '../kit/http-openapi.ts';
import { onError } from '../kit/http-problems.ts';
import type { Account } from '../store/tables.ts';
import { memoryBus } from './bus.ts';
import { memoryDatabase } from './database.ts';
import { recordedLog } from './log.ts';
import { account } from './rows.ts';
import { memoryStore } from './store.ts';

interface Sent {
  readonly body?: unknown;
  /** The version that the request means to change. */
  readonly version?: number;
  /** A body that is no JSON. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

/** A part of the REST interface alone, on an empty database. The caller is "account-1": an administrator, until changed. */
export const routesUnderTest = (make: (parts: CatalogueServices) => OpenAPIHono<Env>) => {
  const [store, clock] = [memoryStore([]), fakeClock()];
  const parts = {
    db: memoryDatabase(),
    store,
    files: store,
    clock,
    bus: memoryBus(clock),
    ids: fakeIds(),
    log: recordedLog().log,
  };
  const who: { role: Account['role'] | undefined } = { role: 'admin' };
  const app = describedRoutes();
  app.onError(onError(parts.log, parts.ids));
  app.use(async (c, next) => {
    c.set('caller', who.role === undefined ? undefined : account(1, { role: who.role }));
    await next();
  });
  app.route('/', make(parts));

  const request = async (method: string, path: string, { body, version, bytes }: Sent = {}) =>
    await app.request(
      path,
      {
        method,
        headers: {
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...(version === undefined ? {} : { 'If-Match': `"${version}"` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(bytes === undefined ? {} : { body: bytes }),
      },
      { socket: '127.0.0.1', network: '127.0.0.1', upgrade: () => false },
    );
  const json = async (method: string, path: string, sent?: Sent): Promise<unknown> => {
    const response = await request(method, path, sent);
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  };
  return {
    ...parts,
    who,
    request,
    /** The body of an answer that is no refusal. */
    json,
    /** The code of a refusal. */
    refused: async (method: string, path: string, sent?: Sent): Promise<string> => {
      const response = await request(method, path, sent);
      const { code } = problemSchema.parse(await response.json());
      if (response.status !== errors[code].http) throw new Error(`${code} came as ${response.status}`);
      return code;
    },
    /** What the audit log says of all that was done. */
    audited: async () =>
      (await parts.db.read(({ audit }) => audit.find({}, { order: ['at'] }))).map(
        ({ actor, action, subject, detail }) => [actor, action, subject, JSON.parse(detail)] as const,
      ),
  };
};
