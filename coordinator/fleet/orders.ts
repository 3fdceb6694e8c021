import { z } from 'zod';
import { isRefusal, type Refusal } from '../../shared/errors.ts';
import { nameSchema } from '../../shared/protocol/names.ts';
import { createAdmin } from '../accounts/accounts.ts';
import type { Passwords } from '../accounts/passwords.ts';
import { makeResetLinkFor, setPassword } from '../accounts/resets.ts';
import { checkData } from '../check/run.ts';
import { beginErasureOf } from '../erasure/erasure.ts';
import type { Services } from '../kit/services.ts';
import { enrolFromCommandLine } from './enrolments.ts';

const textSchema = z.string().max(1_000);

/** What whoever sits at the coordinator's machine may have done: by the coordinator that runs, or on its database. */
export const orderSchema = z.discriminatedUnion('order', [
  z.strictObject({
    order: z.literal('create_admin'),
    email: textSchema,
    name: nameSchema,
    password: textSchema,
  }),
  z.strictObject({ order: z.literal('reset_password'), email: textSchema, password: textSchema }),
  z.strictObject({ order: z.literal('make_reset_link'), email: textSchema }),
  z.strictObject({
    order: z.literal('enrol'),
    host: nameSchema,
    apps: z.array(nameSchema).max(100),
    minutes: z.int().min(1),
  }),
  z.strictObject({ order: z.literal('erase_account'), email: textSchema }),
  z.strictObject({ order: z.literal('check'), repair: z.boolean() }),
]);
export type Order = z.infer<typeof orderSchema>;

/** What was asked for: the e-mail of the account, the token of the link or of the enrolment, or the report as JSON. */
export interface Done {
  readonly done: string;
}

/** Carries an order out; what is wrong with it is the refusal of whoever does it. */
export const carryOut = async (
  parts: Pick<Services, 'db' | 'clock' | 'ids'>,
  passwords: Passwords,
  order: Order,
): Promise<Done | Refusal> => {
  switch (order.order) {
    case 'create_admin': {
      const made = await createAdmin(parts, passwords, order);
      return isRefusal(made) ? made : { done: made.email };
    }
    case 'reset_password': {
      const changed = await setPassword(parts, passwords, order);
      return isRefusal(changed) ? changed : { done: changed.email };
    }
    case 'make_reset_link': {
      const link = await makeResetLinkFor(parts, order.email);
      return isRefusal(link) ? link : { done: link.token };
    }
    case 'erase_account': {
      const begun = await beginErasureOf(parts, order.email);
      return isRefusal(begun) ? begun : { done: begun.email };
    }
    case 'check':
      return { done: JSON.stringify(await checkData(parts, order.repair)) };
    case 'enrol': {
      const { host: name, apps, minutes } = order;
      const made = await enrolFromCommandLine(parts, { name, apps, minutes });
      return isRefusal(made) ? made : { done: made.token };
    }
  }
};
