import type { AccountView } from '../../shared/protocol/accounts.ts';
import type { Account } from '../store/tables.ts';

/** The account as it may be shown: without what proves who its owner is. */
export const viewOf = ({ password_hash: _, epoch: __, ...account }: Account): AccountView => account;
