import { expect, test } from 'bun:test';
import { cleanId, commitId } from './streamer-id.ts';

const table: [wanted: string, taken: string[], committed: string][] = [
  ['Foo', [], 'Foo'],
  ['Foo', ['Foo'], 'Foo1'],
  ['Foo', ['Foo', 'Foo1'], 'Foo2'],
  ['Foo', ['Foo', 'Foo7'], 'Foo8'],
  ['Foo', ['Foo7'], 'Foo'],
  ['Foo1', ['Foo1'], 'Foo2'],
  ['Foo1', ['Foo1', 'Foo2'], 'Foo3'],
  ['Foo01', ['Foo01'], 'Foo2'],
  ['Foo1', ['Foo'], 'Foo1'],
  ['Foo', ['Bar', 'Food'], 'Foo'],
  ['123', ['123'], '124'],
  ['9999999999', ['9999999999'], '10000000000'],
  ['', [], 'UnknownStreamer'],
  ['', ['UnknownStreamer'], 'UnknownStreamer1'],
  ['toString', ['__proto__'], 'toString'],
  ['<b>x</b>', [], '_b_x_/b_'],
  ['a\u0000\u202e\nb', [], 'a___b'],
  ['Студия', ['Студия'], 'Студия1'],
];

for (const [wanted, taken, committed] of table) {
  test(`commitId() gives ${JSON.stringify(wanted)} beside ${taken.join(' ') || 'nothing'}`, () => {
    const names = new Map(taken.map((id) => [id, 'other']));
    expect(commitId(wanted, names, 'self')).toBe(committed);
  });
}

test('commitId() never gives an id that is taken', () => {
  const names = new Map<string, string>();
  for (let i = 0; i < 100; i++) {
    for (const wanted of ['Foo', 'Foo1', '', '7', 'x999999999']) {
      const id = commitId(wanted, names, 'self');
      expect(names.has(id)).toBe(false);
      names.set(id, 'other');
    }
  }
});

test('commitId() lets a streamer keep its own id', () => {
  expect(commitId('Foo', new Map([['Foo', 'self']]), 'self')).toBe('Foo');
  const renamed = new Map([
    ['Foo', 'other'],
    ['Foo1', 'self'],
  ]);
  expect(commitId('Foo', renamed, 'self')).toBe('Foo1');
});

test('cleanId() cuts what is too long', () => {
  expect(cleanId('x'.repeat(70_000))).toHaveLength(100);
  expect(cleanId(`${'x'.repeat(99)}\u{1f3e0}`)).toBe(`${'x'.repeat(99)}_`);
});
