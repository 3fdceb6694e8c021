import { OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi';
import { createMiddleware } from 'hono/factory';
import { type ErrorCode, errors, refuse } from '../../shared/errors.ts';
import { normaliseName } from '../../shared/name-text.ts';
import { type Encode, encoderOf } from '../../shared/protocol/encoder.ts';
import { problemSchema } from '../../shared/protocol/http.ts';
import type { Env } from './http-env.ts';
import { problem } from './http-problems.ts';

/** What writes the JSON answers of a route, by their status. */
const answerEncoders = ({ responses }: RouteConfig): ReadonlyMap<number, Encode> =>
  new Map(
    Object.entries(responses).flatMap(([status, response]) => {
      const body = 'content' in response ? response.content?.['application/json'] : undefined;
      const schema = body !== undefined && 'schema' in body ? body.schema : undefined;
      return schema instanceof z.ZodType ? [[Number(status), encoderOf(schema)] as const] : [];
    }),
  );

/** From here on `c.json` writes what it is given in the form on the wire that the route declares for that status. */
const encodeAnswers = (encoders: ReadonlyMap<number, Encode>) =>
  createMiddleware<Env>(async (c, next) => {
    const write: (value: unknown, status?: number, headers?: Record<string, string>) => Response = c.json;
    const encoding: typeof write = (value, status = 200, headers) =>
      write(encoders.get(status)?.(value) ?? value, status, headers);
    c.json = encoding as typeof c.json;
    await next();
  });

/** What is wrong first. Where one of several forms was meant, it is what is wrong by the form that fits best. */
const firstIssue = ([issue]: readonly z.core.$ZodIssue[], path: readonly PropertyKey[] = []): string[] => {
  if (issue === undefined) return [...path.map(String), 'wrong'];
  const at = [...path, ...issue.path];
  // A union that says itself what it wants has a text of its own.
  if (issue.code === 'invalid_union' && issue.message === 'Invalid input') {
    const [nearest] = issue.errors.toSorted((a, b) => a.length - b.length);
    if (nearest !== undefined) return firstIssue(nearest, at);
  }
  return [...at.map(String), issue.message];
};

/**
 * Routes that describe themselves. What does not fit its schema is answered as malformed, with the field. What their handlers
 * answer with `c.json` leaves in the form of the schema that the route declares: handlers speak of instants as ms since 1970.
 */
export const describedRoutes = (): OpenAPIHono<Env> => {
  const routes = new OpenAPIHono<Env>({
    defaultHook: (result) => {
      if (result.success) return undefined;
      const path = firstIssue(result.error.issues);
      const message = path.pop();
      return problem(refuse('malformed', `${path.join('.') || result.target}: ${message}`));
    },
  });
  const describe = routes.openapi;
  routes.openapi = (route, ...handlers) =>
    describe(
      { ...route, middleware: [encodeAnswers(answerEncoders(route)), ...[route.middleware ?? []].flat()] },
      ...handlers,
    );
  return routes;
};

/** An answer of a route. `content` is optional by type, so that a handler may return a Response of any origin. */
interface Answer {
  description: string;
  content?: Record<string, { schema: z.ZodType }>;
}

/** A JSON body of an answer. */
export const answers = (schema: z.ZodType, description: string): Answer => ({
  description,
  content: { 'application/json': { schema } },
});

/** An answer without a body. */
export const done = (description: string): Answer => ({ description });

/** What a route is marked with that needs an `Authorization: Bearer` header. */
export const byBearer = [{ bearer: [] }];

/** A JSON body of a request, which must be there. */
export const takes = <S extends z.ZodType>(schema: S) => ({
  required: true,
  content: { 'application/json': { schema } },
});

/** Every error body is the same: the document holds it once. */
const namedProblem = problemSchema.meta({ id: 'Problem' });

/** The refusals that a route documents, by status; each is a problem with one of these codes. */
export const refuses = (...codes: readonly ErrorCode[]): Record<string, Answer> =>
  Object.fromEntries(
    [...Map.groupBy(codes, (code) => errors[code].http)].map(([status, group]) => [
      status,
      {
        description: group.map((code) => `\`${code}\`: ${errors[code].text}`).join(' '),
        content: { 'application/problem+json': { schema: namedProblem } },
      },
    ]),
  );

/** A path parameter. */
export const pathOf = <Name extends string>(name: Name) =>
  z.object({ [name]: z.string().min(1).max(400).overwrite(normaliseName) } as Record<Name, z.ZodString>);

/** The header by which a request that is sent again is known. */
export const idempotencyKey = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(200)
    .regex(/^[!-~]+$/, 'printable ASCII')
    .optional()
    .meta({
      description:
        'A request that is repeated with its key has no second effect, for 24 hours, and gets the same answer. Without a login the key is a secret, and has to be a random UUID (version 4 or 7; or 40 or more random hexadecimal digits): else the answer is not repeated.',
    }),
});
