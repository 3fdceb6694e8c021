import { expect, test } from 'bun:test';
import { engineNumber, engineProblem, onlyAnswers } from './engine.ts';

const rows: [engine: string, problem: string | undefined][] = [
  ['4.27', undefined],
  ['5.0', undefined],
  ['5.8', undefined],
  [
    '5.9',
    'must be 5.8 or older: 5.9 is not known here yet. If its Pixel Streaming is like that of 5.8, write 5.8',
  ],
  [
    '5.10',
    'must be 5.8 or older: 5.10 is not known here yet. If its Pixel Streaming is like that of 5.8, write 5.8',
  ],
  [
    '6.0',
    'must be 5.8 or older: 6.0 is not known here yet. If its Pixel Streaming is like that of 5.8, write 5.8',
  ],
  ['5.03', 'like "5.7"'],
  ['05.3', 'like "5.7"'],
  ['4.26', 'must be 4.27 or newer: the Pixel Streaming of 4.26 speaks another protocol and cannot be served'],
  ['4.9', 'must be 4.27 or newer: the Pixel Streaming of 4.9 speaks another protocol and cannot be served'],
  ['4.28', 'is no engine: after 4.27 comes 5.0'],
  ['5', 'like "5.7"'],
  ['5.7.1', 'like "5.7"'],
  ['', 'like "5.7"'],
  ['five', 'like "5.7"'],
  ['NaN.1', 'like "5.7"'],
];
for (const [engine, problem] of rows) {
  test(`engineProblem() of "${engine}"`, () => {
    expect(engineProblem(engine)).toBe(problem);
  });
}

test('engineNumber() orders versions, not their digits', () => {
  expect(['5.10', '4.27', '5.9', '5.0'].sort((a, b) => engineNumber(a) - engineNumber(b))).toEqual([
    ...['4.27', '5.0', '5.9', '5.10'],
  ]);
});

test('onlyAnswers() holds for 4.27 alone', () => {
  expect(['4.27', '5.0', '5.4', '', 'x'].filter(onlyAnswers)).toEqual(['4.27']);
});
