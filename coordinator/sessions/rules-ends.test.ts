import { expect, test } from 'bun:test';
import { endReasonSchema } from '../../shared/protocol/session.ts';
import { endTextFor, endTexts } from './rules-ends.ts';

test('endTextFor() tells an owner of an end of their own as theirs, and everybody else as it is', () => {
  for (const reason of endReasonSchema.options) {
    expect(endTextFor(reason, { owner: false })).toBe(endTexts[reason]);
    if (reason !== 'owner_ended') expect(endTextFor(reason, { owner: true })).toBe(endTexts[reason]);
  }
  expect(endTextFor('owner_ended', { owner: true })).toBe('You have ended the session for everyone.');
});
