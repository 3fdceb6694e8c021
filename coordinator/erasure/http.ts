import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { isRefusal } from '../../shared/errors.ts';
import { erasureSchema } from '../../shared/protocol/accounts.ts';
import type { LoginNeeds } from '../accounts/http-logins.ts';
import { confirmPassword } from '../accounts/resets.ts';
import { callerWith } from '../kit/http-caller.ts';
import type { Env } from '../kit/http-env.ts';
import { byBearer, describedRoutes, done, pathOf, refuses, takes } from '../kit/http-openapi.ts';
import { problem } from '../kit/http-problems.ts';
import { beginErasure } from './erasure.ts';

const begun = done('Nobody can log in with it any more; some minutes later nothing that is stored names it.');
const described = {
  erase: createRoute({
    method: 'delete',
    path: '/accounts/{id}',
    tags: ['accounts'],
    security: byBearer,
    summary: 'Erase an account and everything that names it',
    description:
      'Its bookings are cancelled and its sessions end. Records and the audit log stay, as those of "erased".',
    request: { params: pathOf('id') },
    responses: {
      204: begun,
      ...refuses(
        'malformed',
        'account_required',
        'forbidden',
        'origin_refused',
        'account_unknown',
        'last_admin',
      ),
    },
  }),
  eraseMe: createRoute({
    method: 'post',
    path: '/me/erasure',
    tags: ['logins'],
    security: byBearer,
    summary: "Erase one's own account and everything that names it",
    request: { body: takes(erasureSchema) },
    responses: {
      204: begun,
      ...refuses('malformed', 'account_required', 'login_failed', 'login_throttled', 'too_busy'),
      ...refuses('origin_refused', 'account_unknown', 'last_admin'),
    },
  }),
};

/** How accounts are erased; under `/api/v1`. */
export const erasureRoutes = ({ services, passwords }: LoginNeeds): OpenAPIHono<Env> =>
  describedRoutes()
    .openapi(described.erase, async (c) => {
      const admin = callerWith(c, 'admin');
      if (isRefusal(admin)) return problem(admin);
      const refused = await beginErasure(services, admin.id, c.req.valid('param').id);
      return refused === undefined ? c.body(null, 204) : problem(refused);
    })
    .openapi(described.eraseMe, async (c) => {
      const account = callerWith(c, 'user');
      if (isRefusal(account)) return problem(account);
      const { current_password } = c.req.valid('json');
      const refused =
        (await confirmPassword(services, passwords, account, current_password)) ??
        (await beginErasure(services, account.id, account.id));
      return refused === undefined ? c.body(null, 204) : problem(refused);
    });
