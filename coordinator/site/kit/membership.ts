import { z } from 'zod';
import type { Participation } from '../../../shared/protocol/http.ts';
import { forget, keep, recall } from './keep.ts';

/** Who this tab is in a session. Kept in the tab's session storage, so that a reload returns to the same place. */
const membershipSchema = z.object({
  participant_id: z.string(),
  participant_token: z.string(),
  owner: z.boolean(),
});
export type Membership = z.infer<typeof membershipSchema>;

const keyOf = (session: string): string => `vitrina:session:${session}`;

export const keepMembership = ({ session, ...membership }: Participation): void =>
  keep('session', keyOf(session.id), JSON.stringify(membershipSchema.parse(membership)));

export const recallMembership = (session: string): Membership | undefined => {
  const kept = recall('session', keyOf(session));
  if (kept === undefined) return undefined;
  try {
    return membershipSchema.parse(JSON.parse(kept));
  } catch {
    // Written by another version of this page: the same as not being a member.
    return undefined;
  }
};

export const forgetMembership = (session: string): void => forget('session', keyOf(session));
