import { expect, test } from 'bun:test';
import { Negotiation } from './negotiation.ts';

const heard = (...said: readonly ['page' | 'host', unknown][]): number => {
  let times = 0;
  const negotiation = new Negotiation(() => {
    times += 1;
  });
  for (const [side, message] of said) {
    negotiation.hears(side, typeof message === 'string' ? message : JSON.stringify(message));
  }
  return times;
};
const [offer, answer] = [
  { type: 'offer', sdp: 'v=0' },
  { type: 'answer', sdp: 'v=0' },
];

test('Negotiation.hears() tells once when the offer of either side is answered by the other', () => {
  expect(heard(['host', offer], ['page', answer])).toBe(1);
  expect(heard(['page', offer], ['host', answer])).toBe(1);
  expect(heard(['host', offer], ['page', answer], ['host', offer], ['page', answer])).toBe(1);
});

test('Negotiation.hears() takes no answer to nothing, or of who offered, and nothing that only looks like one', () => {
  expect(heard(['page', answer])).toBe(0);
  expect(heard(['page', offer], ['page', answer])).toBe(0);
  expect(
    heard(['host', offer], ['page', 'answer'], ['page', '"answer"'], ['page', 'null'], ['page', '']),
  ).toBe(0);
  expect(heard(['host', offer], ['page', { type: 'ping', answer }])).toBe(0);
});
