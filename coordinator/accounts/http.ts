import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { isRefusal } from '../../shared/errors.ts';
import {
  accountChangeSchema,
  accountSchema,
  accountsSchema,
  decisionSchema,
  keyRotationSchema,
  registeredSchema,
  registerSchema,
  resetLinkSchema,
} from '../../shared/protocol/accounts.ts';
import { publicBase } from '../kit/http-addresses.ts';
import { callerWith } from '../kit/http-caller.ts';
import type { Ctx, Env } from '../kit/http-env.ts';
import { answers, byBearer, describedRoutes, pathOf, refuses, takes } from '../kit/http-openapi.ts';
import { answer, problem } from '../kit/http-problems.ts';
import { etagOf, versionFrom } from '../kit/http-versions.ts';
import { changeAccount, decideAccount, getAccount, listAccounts, register } from './accounts.ts';
import type { LoginNeeds } from './http-logins.ts';
import { viewOf } from './http-views.ts';
import { makeResetLink } from './resets.ts';

const tags = ['accounts'];
const byAdmin = { tags, security: byBearer };
const ofAccount = { ...byAdmin, request: { params: pathOf('id') } };
const adminOnly = ['malformed', 'account_required', 'forbidden', 'origin_refused'] as const;
const most_per_page = 200;

const pageSchema = z.object({
  state: z.enum(['pending', 'approved', 'rejected']).optional(),
  limit: z.coerce.number().int().min(1).max(most_per_page).default(50),
  after: z.string().max(64).optional().meta({ description: 'The `next` of the page before.' }),
});

const described = {
  register: createRoute({
    method: 'post',
    path: '/accounts',
    tags,
    summary: 'Ask for an account',
    description:
      'The answer does not tell whether there is an account with this e-mail already. `name_taken`: another account has a name that differs in case or script alone.',
    request: { body: takes(registerSchema) },
    responses: {
      202: answers(registeredSchema, 'If eligible, the account is pending review.'),
      ...refuses('malformed', 'password_weak', 'name_taken', 'too_many_messages', 'too_busy'),
    },
  }),
  list: createRoute({
    ...byAdmin,
    method: 'get',
    path: '/accounts',
    summary: 'List the accounts, the oldest first',
    request: { query: pageSchema },
    responses: { 200: answers(accountsSchema, 'A page of accounts.'), ...refuses(...adminOnly) },
  }),
  show: createRoute({
    ...ofAccount,
    method: 'get',
    path: '/accounts/{id}',
    summary: 'Show an account',
    responses: { 200: answers(accountSchema, 'The account.'), ...refuses(...adminOnly, 'account_unknown') },
  }),
  change: createRoute({
    ...ofAccount,
    method: 'patch',
    path: '/accounts/{id}',
    summary: "Change an account's role, state or quotas",
    description: 'Needs If-Match with the ETag of the last read. Another role or state logs the account out.',
    request: { ...ofAccount.request, body: takes(accountChangeSchema) },
    responses: {
      200: answers(accountSchema, 'The account as it is now.'),
      ...refuses(...adminOnly, 'account_unknown', 'last_admin', 'version_required', 'version_conflict'),
    },
  }),
  decide: createRoute({
    ...ofAccount,
    method: 'post',
    path: '/accounts/{id}/decision',
    summary: 'Approve or reject a new account',
    request: { ...ofAccount.request, body: takes(decisionSchema) },
    responses: {
      200: answers(accountSchema, 'The account as it is now.'),
      ...refuses(...adminOnly, 'account_unknown', 'account_decided'),
    },
  }),
  resetLink: createRoute({
    ...ofAccount,
    method: 'post',
    path: '/accounts/{id}/reset-link',
    summary: 'Make a link by which the owner sets a new password',
    description: 'Good once, within 24 h. A new one voids the one before.',
    responses: { 201: answers(resetLinkSchema, 'The link.'), ...refuses(...adminOnly, 'account_unknown') },
  }),
  rotate: createRoute({
    ...byAdmin,
    method: 'post',
    path: '/keys/rotation',
    summary: 'Make a new key for access tokens',
    description: 'Nobody is logged out: the old key verifies what it has signed until that has expired.',
    responses: { 201: answers(keyRotationSchema, 'The new key.'), ...refuses(...adminOnly) },
  }),
};

const shown = (c: Ctx, account: Awaited<ReturnType<typeof getAccount>>): Response => {
  if (isRefusal(account)) return problem(account);
  c.header('ETag', etagOf(account.version));
  return c.json(viewOf(account));
};

/** Registration, and the accounts as administrators see them; under `/api/v1`. */
export const accountRoutes = ({ services, passwords, tokens }: LoginNeeds): OpenAPIHono<Env> =>
  describedRoutes()
    .openapi(described.register, async (c) => {
      const refused = await register(services, passwords, { ...c.req.valid('json'), network: c.env.network });
      return refused === undefined ? c.json({ pending_review: 'if eligible' }, 202) : problem(refused);
    })
    .openapi(described.list, async (c) => {
      const admin = callerWith(c, 'admin');
      const page = isRefusal(admin) ? admin : await listAccounts(services, c.req.valid('query'));
      return answer(c, isRefusal(page) ? page : { ...page, accounts: page.accounts.map(viewOf) });
    })
    .openapi(described.show, async (c) => {
      const admin = callerWith(c, 'admin');
      return shown(c, isRefusal(admin) ? admin : await getAccount(services, c.req.valid('param').id));
    })
    .openapi(described.change, async (c) => {
      const admin = callerWith(c, 'admin');
      if (isRefusal(admin)) return problem(admin);
      const version = versionFrom(c);
      if (isRefusal(version)) return problem(version);
      const { id } = c.req.valid('param');
      return shown(c, await changeAccount(services, admin, { id, version }, c.req.valid('json')));
    })
    .openapi(described.decide, async (c) => {
      const admin = callerWith(c, 'admin');
      if (isRefusal(admin)) return problem(admin);
      return shown(c, await decideAccount(services, admin, c.req.valid('param').id, c.req.valid('json')));
    })
    .openapi(described.resetLink, async (c) => {
      const admin = callerWith(c, 'admin');
      const link = isRefusal(admin)
        ? admin
        : await makeResetLink(services, admin.id, c.req.valid('param').id);
      if (isRefusal(link)) return problem(link);
      const url = new URL('/reset', publicBase(c, services.store.configuration()));
      // Behind the "#" it is sent to no server and stands in no log.
      url.hash = link.token;
      return c.json({ url: url.href, ...link }, 201);
    })
    .openapi(described.rotate, async (c) => {
      const admin = callerWith(c, 'admin');
      if (isRefusal(admin)) return problem(admin);
      const { id, created_at } = await tokens.rotateKeys(admin);
      return c.json({ id, created_at }, 201);
    });
