import { type Refusal, refuse } from '../../shared/errors.ts';
import type { Account } from '../store/tables.ts';
import type { Ctx } from './http-env.ts';

/** Each role may do what those after it may. */
const roles = ['admin', 'operator', 'user'] as const;

/** Who is logged in, at least with this role; account_required or forbidden. */
export const callerWith = (c: Ctx, role: Account['role']): Account | Refusal => {
  const { caller } = c.var;
  if (caller === undefined) return refuse('account_required');
  return roles.indexOf(caller.role) <= roles.indexOf(role) ? caller : refuse('forbidden');
};
