import type { Tables } from '../store/tables.ts';
import type { Services } from './services.ts';

/** Notes in the same transaction what an administrator or operator did. `detail` holds no secret. */
export const audit = (
  { clock, ids }: Pick<Services, 'clock' | 'ids'>,
  tables: Pick<Tables, 'audit'>,
  actor: string,
  action: string,
  subject: string,
  detail: object = {},
): Promise<void> =>
  tables.audit.insert({
    id: ids.id(),
    at: clock.now(),
    actor,
    action,
    subject,
    detail: JSON.stringify(detail),
  });
